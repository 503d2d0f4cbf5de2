"""One worker that runs jobs for real, with its rows, logs and objects in memory."""

from __future__ import annotations

import io
import json
import tarfile
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.support.memory.history_store import MemoryQuarantineStore, MemoryTestHistory
from tests.support.memory.job_store import MemoryJobStore
from tests.support.memory.secrets import MemorySecretStore
from tests.support.memory.services import MemoryArtifacts, MemoryWorkflows, MemoryWorkQueue
from tests.support.memory.stores import MemoryLogStore, MemoryWorkerStore
from tests.support.memory.work_lists import MemoryWorkListStore
from wainwright.adapters.clock import system_clock
from wainwright.adapters.no_spool import NoSpool
from wainwright.contracts.events import EventKind, JobEvent
from wainwright.contracts.messages import WorkMessage
from wainwright.contracts.names import bundle_key, new_job_id, report_key
from wainwright.domain.jobs import Job, JobDetail, Outcome, RunBy
from wainwright.domain.logs import LogEntry
from wainwright.ports.job_store import StoredTest
from wainwright.ports.log_store import LogQuery
from wainwright.ports.queues import ReceivedWork
from wainwright.usecases.hold_claim import HoldClaim
from wainwright.usecases.keep_worker import KeepWorker
from wainwright.usecases.read_quarantine import ReadQuarantine
from wainwright.usecases.read_secrets import ReadSecrets
from wainwright.wiring.workers import Worker
from wainwright.worker.run.run_session import run_claim
from wainwright.worker.run.shutdown import ShutdownSignal
from wainwright.worker.sandbox.hosting import Hosting

PROJECT = "shop"
_NO_WAIT = timedelta(0)


class OneWorker:
    """A job of the given files, and a worker for it."""

    def __init__(self, folder: Path, files: Mapping[str, str], detail: JobDetail | None = None, **job: Any) -> None:
        self.jobs = MemoryJobStore()
        self.logs = MemoryLogStore(self.jobs)
        self.artifacts = MemoryArtifacts(system_clock)
        self.secrets = MemorySecretStore()
        self.quarantine = MemoryQuarantineStore()
        self.history = MemoryTestHistory(self.jobs)
        self._folder = folder
        queue, lists = MemoryWorkQueue(system_clock), MemoryWorkListStore(self.jobs)
        self.worker = Worker(
            claims=HoldClaim(self.jobs, lists, queue, MemoryWorkflows(queue), system_clock),
            keep=KeepWorker("worker-1", MemoryWorkerStore(), self.jobs, queue, system_clock),
            jobs=self.jobs, logs=self.logs, artifacts=self.artifacts, queue=queue, clock=system_clock,
            quarantine=ReadQuarantine(self.quarantine, system_clock), history=self.history,
            secrets=ReadSecrets(self.secrets, system_clock), lists=lists,
            spool=NoSpool(),
        )  # fmt: skip
        self._queue = queue
        archive = packed(files)
        bundle_id = sha256(archive).hexdigest()
        self.artifacts.put(bundle_key(PROJECT, bundle_id), archive, "application/gzip")
        now = system_clock()
        new = Job(
            project=PROJECT, id=new_job_id(), bundle_id=bundle_id, run_by=RunBy(id="key", name="a key"),
            created_at=now, updated_at=now, **({"timeout_ms": 120_000} | job),
        )  # fmt: skip
        self.jobs.write(None, new, detail=detail or JobDetail())
        self.id = new.id

    @property
    def job(self) -> Job:
        """The row."""
        found = self.jobs.get(PROJECT, self.id)
        assert found is not None
        return found

    @property
    def results(self) -> dict[str, Any] | None:
        """The job's results."""
        view = self.jobs.view(PROJECT, self.id)
        assert view is not None
        return view.detail.results

    def write(self, after: Job) -> Job:
        """Put the row."""
        return self.jobs.write(self.job, after)

    def run(self, shutdown: ShutdownSignal | None = None, hosting: Hosting | None = None) -> Outcome | None:
        """Admit the job, run it and return what the run came to; None if it was handed back."""
        claim = self.worker.claims.claim(self.admitted_work(), "worker-1")
        assert claim is not None
        run_claim(self.worker, claim, self._folder / f"fence-{claim.job.fence}", shutdown or ShutdownSignal(), hosting)
        return self.job.outcome

    def admitted_work(self) -> ReceivedWork:
        """The message of the job's run, which is admitted if it is not yet."""
        if self.job.admitted_at is None:
            self.write(self.job.admit(system_clock()))
            message = WorkMessage(project=PROJECT, job_id=self.id, run=self.job.run, task_token=f"token-{self.job.run}")
            self._queue.put(message)
        return self.next_work()

    def next_work(self) -> ReceivedWork:
        """The next message."""
        work = self._queue.receive(wait=_NO_WAIT)
        assert isinstance(work, ReceivedWork)
        return work

    def finish(self) -> Job:
        """Make of the outcome what Finish makes of it."""
        outcome = self.job.outcome
        assert outcome is not None
        return self.write(self.job.finish(outcome, system_clock()))

    def log(self) -> list[LogEntry]:
        """The job's log."""
        return list(self.logs.read(PROJECT, self.id, LogQuery(limit=1_000)).logs)

    def lines(self, level: str) -> list[str]:
        """The messages of one level."""
        return [entry.message for entry in self.log() if entry.level == level]

    def events(self, kind: EventKind) -> list[JobEvent]:
        """The stored events of one kind."""
        return [event for event in self.jobs.events(PROJECT, self.id, 0, 10_000) if event.kind is kind]

    def tests(self) -> list[StoredTest]:
        """The rows of tests."""
        return list(self.jobs.tests(PROJECT, self.id))

    def outcomes(self) -> dict[str, str]:
        """Outcomes by the names of the tests."""
        return {test.id.partition("::")[2]: str(test.outcome) for test in self.jobs.tests(PROJECT, self.id)}

    def report(self, path: str) -> bytes:
        """A file of the last report."""
        report = self.job.outcome.report if self.job.outcome else self.job.report
        assert report is not None
        return self.artifacts.get(report_key(PROJECT, self.id, fence=report.fence, path=path))[0]

    def report_results(self) -> Any:
        """The report's results.json."""
        return json.loads(self.report("results.json"))


def packed(files: Mapping[str, str]) -> bytes:
    """A bundle of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            data = textwrap.dedent(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
