"""Puts use cases together with AWS adapters, for each entry point."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.event_bus import EventBridgeBus
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.launcher import FargateLauncher
from wainwright.adapters.aws.log_store import DynamoLogStore
from wainwright.adapters.aws.queues import SqsWakeUps, SqsWorkQueue
from wainwright.adapters.aws.secret_store import SsmSecretStore
from wainwright.adapters.aws.stacks import table_of_stage
from wainwright.adapters.aws.stores import DynamoAccessStore, DynamoWorkerStore
from wainwright.adapters.aws.template_store import DynamoTemplateStore
from wainwright.adapters.aws.tests import DynamoQuarantineStore, DynamoTestHistory
from wainwright.adapters.aws.work_lists import DynamoWorkListStore
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.adapters.clock import system_clock
from wainwright.adapters.no_spool import NoSpool
from wainwright.ports import (
    Artifacts,
    Clock,
    JobStore,
    LogStore,
    Spool,
    TestHistory,
    WorkerStore,
    WorkListStore,
    WorkQueue,
)
from wainwright.settings import (
    ApiSettings,
    CleanUpSettings,
    DependencySettings,
    DispatchSettings,
    FinishSettings,
    PublishSettings,
    SpoolSettings,
    StoreSettings,
    WorkerSettings,
    WorkflowSettings,
)
from wainwright.usecases.accept_bundle import AcceptBundle
from wainwright.usecases.analyze_jobs import AnalyzeJobs
from wainwright.usecases.analyze_tests import AnalyzeTests
from wainwright.usecases.authenticate import Authenticate
from wainwright.usecases.clean_up import CleanUp
from wainwright.usecases.control_job import ControlJob
from wainwright.usecases.dispatch_jobs import DispatchJobs
from wainwright.usecases.end_job import EndJob
from wainwright.usecases.finish_job import FinishJob
from wainwright.usecases.give_up_work import GiveUpWork
from wainwright.usecases.invoke_template import InvokeTemplate
from wainwright.usecases.job_logs import JobLogs
from wainwright.usecases.keep_worker import KeepWorker
from wainwright.usecases.late_reports import AskForReport, LateReports
from wainwright.usecases.launch_workers import LaunchWorkers
from wainwright.usecases.manage_keys import ManageKeys
from wainwright.usecases.manage_limits import ManageLimits
from wainwright.usecases.manage_quarantine import ManageQuarantine
from wainwright.usecases.manage_secrets import ManageSecrets
from wainwright.usecases.manage_templates import ManageTemplates
from wainwright.usecases.open_reports import OpenReports
from wainwright.usecases.open_ticket import OpenTicket
from wainwright.usecases.publish_changes import PublishChanges
from wainwright.usecases.read_jobs import ReadJobs
from wainwright.usecases.read_quarantine import ReadQuarantine
from wainwright.usecases.read_queue import ReadQueue
from wainwright.usecases.read_secrets import ReadSecrets
from wainwright.usecases.run_job import RunJob
from wainwright.usecases.run_lane import RunLane
from wainwright.usecases.share_work import ShareWork
from wainwright.usecases.stream_events import StreamEvents
from wainwright.usecases.submit_job import SubmitJob
from wainwright.usecases.sweep_jobs import SweepJobs
from wainwright.usecases.upload_artifacts import Pace, UploadArtifacts, UploadPolicy
from wainwright.usecases.upload_spooled import UploadSpooled


@dataclass(frozen=True)
class Api:
    """What ``functions/api`` does."""

    stage: str
    clock: Clock
    authenticate: Authenticate
    submit: SubmitJob
    invoke: InvokeTemplate
    read: ReadJobs
    control: ControlJob
    logs: JobLogs
    accept_bundle: AcceptBundle
    reports: OpenReports
    templates: ManageTemplates
    analyze: AnalyzeJobs
    queue: ReadQueue
    limits: ManageLimits
    keys: ManageKeys
    secrets: ManageSecrets
    analyze_tests: AnalyzeTests
    quarantine: ManageQuarantine


def api(settings: ApiSettings) -> Api:
    """The HTTP API."""
    clients = Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    access = DynamoAccessStore(clients.dynamodb, settings.table)
    wakeups = SqsWakeUps(clients.sqs, settings.jobs_queue_url)
    artifacts = S3Artifacts(clients.s3, settings.bucket)
    spool = _spool(settings)
    templates = DynamoTemplateStore(clients.dynamodb, settings.table)
    quarantine = DynamoQuarantineStore(clients.dynamodb, settings.table)
    history = DynamoTestHistory(clients.dynamodb, settings.table)
    submit = SubmitJob(jobs, artifacts, wakeups, system_clock, settings.limits, settings.timeout_ms)
    return Api(
        stage=settings.stage,
        clock=system_clock,
        authenticate=Authenticate(access, system_clock),
        submit=submit,
        invoke=InvokeTemplate(templates, submit, system_clock),
        read=ReadJobs(jobs, system_clock),
        control=ControlJob(jobs, artifacts, wakeups, _end(clients, settings), system_clock, spool),
        logs=JobLogs(jobs, DynamoLogStore(clients.dynamodb, settings.table), system_clock),
        accept_bundle=AcceptBundle(artifacts, system_clock),
        reports=OpenReports(jobs, access, artifacts, spool, system_clock, settings.reports_url),
        templates=ManageTemplates(templates, artifacts, system_clock),
        analyze=AnalyzeJobs(jobs, system_clock),
        queue=ReadQueue(jobs, system_clock, settings.limits),
        limits=ManageLimits(jobs, settings.limits),
        keys=ManageKeys(access, system_clock),
        secrets=manage_secrets(clients, settings),
        analyze_tests=AnalyzeTests(history, quarantine, system_clock),
        quarantine=ManageQuarantine(quarantine, system_clock),
    )


@dataclass(frozen=True)
class EventStream:
    """What ``functions/stream_events`` does."""

    authenticate: Authenticate
    open_ticket: OpenTicket
    stream: StreamEvents


def event_stream(settings: StoreSettings) -> EventStream:
    """The server-sent events."""
    clients = Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    access = DynamoAccessStore(clients.dynamodb, settings.table)
    return EventStream(
        authenticate=Authenticate(access, system_clock),
        open_ticket=OpenTicket(access, system_clock),
        stream=StreamEvents(jobs, system_clock),
    )


def finish_job(settings: FinishSettings) -> FinishJob:
    """The end of a run."""
    clients = Clients()
    return _finish(clients, settings)


def _finish(clients: Clients, settings: FinishSettings | WorkflowSettings) -> FinishJob:
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    end = _end(clients, settings)
    return FinishJob(jobs, end, SqsWakeUps(clients.sqs, settings.jobs_queue_url), system_clock)


def _end(clients: Clients, settings: ApiSettings | FinishSettings | WorkflowSettings) -> EndJob:
    work, wakeups = SqsWorkQueue(clients.sqs, settings.work_queue_url), SqsWakeUps(clients.sqs, settings.jobs_queue_url)
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    return EndJob(jobs, settings.limits, AskForReport(work, wakeups))


def clean_up(settings: CleanUpSettings) -> CleanUp:
    """Retention."""
    clients = Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    artifacts = S3Artifacts(clients.s3, settings.bucket)
    return CleanUp(jobs, artifacts, system_clock, settings.limits, _spool(settings))


def _spool(settings: SpoolSettings, default: Path | None = None) -> Spool:
    """The directory that is named, or ``default``. Functions on AWS have neither: they see no worker's disk."""
    directory = Path(settings.spool_dir) if settings.spool_dir else default
    if directory is None:
        return NoSpool()
    # Here, for those that have none start sooner without it.
    from wainwright.adapters.disk_spool import DiskSpool

    return DiskSpool(directory, settings.spool_max_mb * 1_048_576)


@dataclass(frozen=True)
class Dispatch:
    """What ``functions/dispatch_jobs`` does."""

    dispatch: DispatchJobs
    workers: WorkerStore


def dispatch_jobs(settings: DispatchSettings) -> Dispatch:
    """Admission and the launching of workers."""
    clients = Clients()
    jobs = DynamoJobStore(clients.dynamodb, settings.table)
    workers = DynamoWorkerStore(clients.dynamodb, settings.table)
    launcher = FargateLauncher(
        client=clients.ecs, cluster=settings.cluster, task_definition=settings.task_definition,
        subnets=tuple(settings.subnets.split(",")), security_group=settings.security_group,
    )  # fmt: skip
    launch = LaunchWorkers(jobs, workers, launcher, system_clock, settings.max_workers, settings.min_warm)
    workflows = StepFunctionsWorkflows(clients.stepfunctions, settings.state_machine_arn)
    finish = _finish(clients, settings)
    dispatch = DispatchJobs(jobs, workflows, finish, launch, system_clock, settings.limits, settings.max_workers)
    return Dispatch(dispatch=dispatch, workers=workers)


def sweep_jobs(settings: WorkflowSettings) -> SweepJobs:
    """The repairs of every minute."""
    clients = Clients()
    return SweepJobs(
        jobs=DynamoJobStore(clients.dynamodb, settings.table),
        workers=DynamoWorkerStore(clients.dynamodb, settings.table),
        workflows=StepFunctionsWorkflows(clients.stepfunctions, settings.state_machine_arn),
        finish=_finish(clients, settings),
        end=_end(clients, settings),
        wakeups=SqsWakeUps(clients.sqs, settings.jobs_queue_url),
        clock=system_clock,
    )


def publish_changes(settings: PublishSettings) -> PublishChanges:
    """Changes of status, published."""
    clients = Clients()
    return PublishChanges(EventBridgeBus(clients.events, settings.event_bus))


@dataclass(frozen=True)
class Worker:
    """What a browser worker works with."""

    run_job: RunJob
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
    def lanes(self) -> RunLane:
        """Helping with the runs of others."""
        return RunLane(self.jobs, self.lists, self.queue, self.clock)

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
    queue = SqsWorkQueue(clients.sqs, settings.work_queue_url)
    return Worker(
        run_job=RunJob(jobs, queue, StepFunctionsWorkflows(clients.stepfunctions, ""), system_clock),
        keep=KeepWorker(settings.worker_id, workers, jobs, queue, system_clock),
        jobs=jobs,
        logs=DynamoLogStore(clients.dynamodb, settings.table),
        artifacts=S3Artifacts(clients.s3, settings.bucket, writer=clients.s3_once),
        queue=queue,
        clock=system_clock,
        secrets=ReadSecrets(_secret_store(clients, settings), system_clock),
        quarantine=ReadQuarantine(DynamoQuarantineStore(clients.dynamodb, settings.table), system_clock),
        history=DynamoTestHistory(clients.dynamodb, settings.table),
        lists=DynamoWorkListStore(clients.dynamodb, settings.table),
        dependencies=settings,
        spool=_spool(settings, default=settings.home / "spool"),
        upload_policy=UploadPolicy(total_seconds=settings.upload_retry_seconds),
    )


def manage_secrets(clients: Clients, settings: StoreSettings) -> ManageSecrets:
    """Secrets of a stage's projects."""
    return ManageSecrets(_secret_store(clients, settings), system_clock)


def _secret_store(clients: Clients, settings: StoreSettings) -> SsmSecretStore:
    return SsmSecretStore(lambda: clients.ssm, clients.dynamodb, settings.table, settings.stage)


def manage_keys_of_stage(stage: str) -> ManageKeys:
    """API keys of a deployed stage, found by its name. Raises as :func:`table_of_stage`."""
    clients = Clients()
    return manage_keys(clients, table_of_stage(clients.cloudformation, stage))


def manage_keys(clients: Clients, table: str) -> ManageKeys:
    """API keys of a stage's table."""
    return ManageKeys(DynamoAccessStore(clients.dynamodb, table), system_clock)


def give_up_work() -> GiveUpWork:
    """The net under the work queue."""
    clients = Clients()
    return GiveUpWork(StepFunctionsWorkflows(clients.stepfunctions, ""))
