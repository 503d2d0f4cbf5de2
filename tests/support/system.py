"""All use cases over adapters in memory: the system without AWS."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from tests.support.builders import SCRIPT, START, a_caller
from tests.support.memory.history_store import MemoryQuarantineStore, MemoryTestHistory
from tests.support.memory.job_store import MemoryJobStore
from tests.support.memory.services import (
    MemoryClock,
    MemoryLauncher,
    MemoryWakeUps,
    MemoryWorkflows,
    MemoryWorkQueue,
)
from tests.support.memory.spool import MemorySpool
from tests.support.memory.stores import MemoryAccessStore, MemoryLogStore, MemoryWorkerStore
from tests.support.memory.work_lists import MemoryWorkListStore
from tests.support.outages import OutageArtifacts
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.capacity import Limits
from wainwright.domain.jobs import Job
from wainwright.ports.job_store import JobStore
from wainwright.usecases.control_job import ControlJob
from wainwright.usecases.dispatch_jobs import DispatchJobs
from wainwright.usecases.end_job import EndJob
from wainwright.usecases.finish_job import FinishJob
from wainwright.usecases.hold_claim import Claim, HoldClaim
from wainwright.usecases.late_reports import LateReports
from wainwright.usecases.launch_workers import LaunchWorkers
from wainwright.usecases.share_work import ShareWork
from wainwright.usecases.submit_job import SubmitJob
from wainwright.usecases.sweep_jobs import SweepJobs

NO_WAIT = timedelta(0)


@dataclass
class System:
    """One stage. Nothing happens by itself: a test takes each step, and lets time pass."""

    clock: MemoryClock = field(default_factory=lambda: MemoryClock(START))
    jobs: JobStore = field(default_factory=MemoryJobStore)
    limits: Limits = field(default_factory=lambda: Limits(running=2, queued=4))
    max_workers: int = 3
    queue_type: type[MemoryWorkQueue] = MemoryWorkQueue
    workflows_type: type[MemoryWorkflows] = MemoryWorkflows

    def __post_init__(self) -> None:
        self.wakeups = MemoryWakeUps()
        self.queue = self.queue_type(self.clock)
        self.workflows = self.workflows_type(self.queue)
        self.workers = MemoryWorkerStore()
        self.access = MemoryAccessStore()
        self.launcher = MemoryLauncher()
        self.artifacts = OutageArtifacts(self.clock)
        self.spool = MemorySpool()
        self.quarantine = MemoryQuarantineStore()
        self.submit = SubmitJob(self.jobs, self.artifacts, self.wakeups, self.clock, self.limits, 60_000)
        self.end = EndJob(self.jobs, self.limits, self.queue, self.wakeups)
        self.finish = FinishJob(self.jobs, self.end, self.wakeups, self.clock)
        self.launch = LaunchWorkers(self.jobs, self.workers, self.launcher, self.clock, self.max_workers)
        self.dispatch = DispatchJobs(
            self.jobs, self.workflows, self.finish, self.launch, self.clock, self.limits, self.max_workers
        )
        # A store that is not in memory has no jobs of several lanes, and no logs and history, in these tests.
        in_memory = self.jobs if isinstance(self.jobs, MemoryJobStore) else MemoryJobStore()
        self.lists, self.logs, self.history = (
            MemoryWorkListStore(in_memory), MemoryLogStore(in_memory), MemoryTestHistory(in_memory)
        )  # fmt: skip
        self.claims = HoldClaim(self.jobs, self.lists, self.queue, self.workflows, self.clock)
        self.share = ShareWork(self.jobs, self.lists, self.queue, self.clock, lambda _seconds: None)
        self.late_reports = LateReports(self.jobs, self.queue, self.clock)
        self.control = ControlJob(self.jobs, self.artifacts, self.wakeups, self.end, self.clock, self.spool)
        self.sweep = SweepJobs(self.jobs, self.workers, self.workflows, self.finish, self.end, self.wakeups, self.clock)

    def job(self, job: Job) -> Job:
        """The job as it is now."""
        found = self.jobs.get(job.project, job.id)
        assert found is not None
        return found

    def submitted(self, request: CreateJob | None = None, *, project: str = "shop") -> Job:
        """A job that was just accepted."""
        return self.submit(a_caller(project), request or CreateJob(script=SCRIPT)).job

    def admitted(self, request: CreateJob | None = None) -> Job:
        """A job whose execution was just started."""
        job = self.submitted(request)
        self.dispatch()
        admitted = self.job(job)
        assert admitted.admitted_at is not None
        return admitted

    def claimed(self, request: CreateJob | None = None, *, worker: str = "w1") -> Claim:
        """A run in the hands of a worker."""
        self.admitted(request)
        return self.next_claim(worker)

    def next_claim(self, worker: str = "w1") -> Claim:
        """The next message's run in the hands of a worker."""
        claim = self.try_claim(worker)
        assert claim is not None
        return claim

    def try_claim(self, worker: str = "w1") -> Claim | None:
        """Return what a worker makes of the next message of a run; those that ask for a report are passed over."""
        work = self.queue.receive(NO_WAIT)
        while work is not None and work.message.report_only:
            self.queue.delete(work.receipt)
            work = self.queue.receive(NO_WAIT)
        assert work is not None
        return self.claims.claim(work, worker)

    def end_as_told(self, worker: str) -> None:
        """The next claim is of a run that is not to be gone on with; it is ended as the claim says."""
        claim = self.next_claim(worker)
        assert claim.ending is not None
        self.claims.end(claim, claim.ending)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))
