"""The browser worker."""

from collections.abc import Callable
from dataclasses import dataclass, field

from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.log_store import DynamoLogStore
from wainwright.adapters.aws.queues import SqsWorkQueue
from wainwright.adapters.aws.test_history_store import DynamoQuarantineStore, DynamoTestHistory
from wainwright.adapters.aws.work_lists import DynamoWorkListStore
from wainwright.adapters.aws.workers import DynamoWorkerStore
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.adapters.clock import system_clock
from wainwright.ports.artifacts import Artifacts
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.log_store import LogStore
from wainwright.ports.queues import WorkQueue
from wainwright.ports.spool import Spool
from wainwright.ports.test_history import TestHistory
from wainwright.ports.work_lists import WorkListStore
from wainwright.settings import DependencySettings, WorkerSettings
from wainwright.usecases.hold_claim import HoldClaim
from wainwright.usecases.keep_worker import KeepWorker
from wainwright.usecases.late_reports import LateReports
from wainwright.usecases.read_quarantine import ReadQuarantine
from wainwright.usecases.read_secrets import ReadSecrets
from wainwright.usecases.share_work import ShareWork
from wainwright.usecases.upload_artifacts import Pace, UploadArtifacts, UploadPolicy
from wainwright.usecases.upload_spooled import UploadSpooled
from wainwright.wiring.administration import secret_store
from wainwright.wiring.storing import spool_of


@dataclass(frozen=True)
class Worker:
    """Stores and use cases of a browser worker."""

    claims: HoldClaim
    keep: KeepWorker
    jobs: JobStore
    logs: LogStore
    artifacts: Artifacts
    queue: WorkQueue
    clock: Clock
    secrets: ReadSecrets
    quarantine: ReadQuarantine
    history: TestHistory
    lists: WorkListStore
    spool: Spool
    dependencies: DependencySettings = field(default_factory=DependencySettings)
    upload_policy: UploadPolicy = field(default_factory=UploadPolicy)
    pace: Pace = field(default_factory=Pace)

    @property
    def late_reports(self) -> LateReports:
        """Reports of jobs that came to rest without one."""
        return LateReports(self.jobs, self.queue, self.clock)

    @property
    def share(self) -> ShareWork:
        """Work lists of runs with several lanes."""
        return ShareWork(self.jobs, self.lists, self.queue, self.clock)

    def uploads(self, hurried: Callable[[], bool]) -> UploadArtifacts:
        """The uploads of one run."""
        return UploadArtifacts(self.artifacts, self.spool, self.upload_policy, hurried, self.pace)

    def spooled(self) -> UploadSpooled:
        """The rounds of an idle worker."""
        return UploadSpooled(self.jobs, self.artifacts, self.spool, self.clock)


def worker(settings: WorkerSettings) -> Worker:
    """One browser worker. It ends task tokens but starts no executions, so it needs no state machine's name."""
    clients = Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    workers = DynamoWorkerStore(clients.dynamodb, settings.table)
    lists = DynamoWorkListStore(clients.dynamodb, settings.table)
    queue = SqsWorkQueue(lambda: clients.sqs, settings.work_queue_url)
    return Worker(
        claims=HoldClaim(jobs, lists, queue, StepFunctionsWorkflows(lambda: clients.stepfunctions, ""), system_clock),
        keep=KeepWorker(settings.worker_id, workers, jobs, queue, system_clock),
        jobs=jobs,
        logs=DynamoLogStore(clients.dynamodb, settings.table),
        artifacts=S3Artifacts(clients.s3, settings.bucket, writer=clients.s3_once),
        queue=queue,
        clock=system_clock,
        secrets=ReadSecrets(secret_store(clients, settings), system_clock),
        quarantine=ReadQuarantine(DynamoQuarantineStore(clients.dynamodb, settings.table), system_clock),
        history=DynamoTestHistory(clients.dynamodb, settings.table),
        lists=lists,
        dependencies=settings,
        spool=spool_of(settings, default=settings.home / "spool"),
        upload_policy=UploadPolicy(total_seconds=settings.upload_retry_seconds),
    )
