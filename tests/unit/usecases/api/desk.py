"""The API's use cases over adapters in memory, and jobs in every state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.memory.job_store import MemoryJobStore
from tests.support.memory.services import MemoryArtifacts, MemoryClock, MemoryWakeUps
from tests.support.memory.stores import MemoryLogStore, MemoryTemplateStore
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.scopes import Scope
from wainwright.domain.capacity import Limits
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.states import JobStatus
from wainwright.usecases.analyze_jobs import AnalyzeJobs
from wainwright.usecases.caller import Caller
from wainwright.usecases.invoke_template import InvokeTemplate
from wainwright.usecases.job_logs import JobLogs
from wainwright.usecases.manage_templates import ManageTemplates
from wainwright.usecases.read_jobs import ReadJobs
from wainwright.usecases.read_queue import ReadQueue
from wainwright.usecases.stream_events import StreamEvents
from wainwright.usecases.submit_job import SubmitJob

START = datetime(2026, 11, 22, 2, 42, 45, 123_000, tzinfo=UTC)
PROJECT = "shop"
CALLER = Caller(project=PROJECT, key_id="k1", name="a key", scope=Scope.ADMIN)
SCRIPT = "def test_nothing():\n    pass\n"
REQUEST = CreateJob(script=SCRIPT)


@dataclass
class Desk:
    """One stage. Time passes when told to."""

    clock: MemoryClock = field(default_factory=lambda: MemoryClock(START))
    jobs: MemoryJobStore = field(default_factory=MemoryJobStore)
    limits: Limits = field(default_factory=lambda: Limits(running=2, queued=4))

    def __post_init__(self) -> None:
        self.wakeups = MemoryWakeUps()
        self.artifacts = MemoryArtifacts(self.clock)
        self.templates = MemoryTemplateStore()
        self.log_store = MemoryLogStore(self.jobs)
        self.submit = SubmitJob(self.jobs, self.artifacts, self.wakeups, self.clock, self.limits, 900_000)
        self.invoke = InvokeTemplate(self.templates, self.submit, self.clock)
        self.manage_templates = ManageTemplates(self.templates, self.artifacts, self.clock)
        self.logs = JobLogs(self.jobs, self.log_store, self.clock)
        self.read = ReadJobs(self.jobs, self.clock, pause=lambda _seconds: None)
        self.analyze = AnalyzeJobs(self.jobs, self.clock)
        self.queue = ReadQueue(self.jobs, self.clock, self.limits)
        self.stream = StreamEvents(self.jobs, self.clock, pause=lambda _seconds: None)

    def submitted(self, **fields: Any) -> Job:
        """A job that waits, or is blocked."""
        return self.submit(CALLER, CreateJob.model_validate({"script": SCRIPT} | fields)).job

    def running(self, **fields: Any) -> Job:
        """A job that a worker has."""
        job = self.submitted(**fields)
        job = self.jobs.write(job, job.admit(self.clock()))
        return self.jobs.write(job, job.claim("w1", self.clock()))

    def ended(
        self, status: JobStatus = JobStatus.COMPLETED, *, after: timedelta = timedelta(seconds=10), **fields: Any
    ) -> Job:
        """A job that ended so, a while after it was made."""
        job = self.running(**fields)
        self.clock.advance(after)
        if status is JobStatus.CANCELED:
            job = self.jobs.write(job, job.cancel(self.clock()))
        failure = Failure.of(FailureCategory.ASSERTION, "1 is not 2") if status is JobStatus.FAILED else None
        return self.jobs.write(job, job.finish(Outcome(status=status, fence=1, failure=failure), self.clock()))
