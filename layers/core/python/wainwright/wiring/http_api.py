"""The HTTP API."""

from dataclasses import dataclass
from pathlib import Path

from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.log_store import DynamoLogStore
from wainwright.adapters.aws.queues import SqsWakeUps
from wainwright.adapters.aws.stores import DynamoAccessStore
from wainwright.adapters.aws.template_store import DynamoTemplateStore
from wainwright.adapters.aws.tests import DynamoQuarantineStore, DynamoTestHistory
from wainwright.adapters.clock import system_clock
from wainwright.adapters.costs import EstimatedCosts, MeteredCosts
from wainwright.domain.costs import WorkerSize
from wainwright.ports.clock import Clock
from wainwright.ports.costs import Costs
from wainwright.settings import ApiSettings, CostSettings
from wainwright.usecases.accept_bundle import AcceptBundle
from wainwright.usecases.analyze_jobs import AnalyzeJobs
from wainwright.usecases.analyze_tests import AnalyzeTests
from wainwright.usecases.authenticate import Authenticate
from wainwright.usecases.control_job import ControlJob
from wainwright.usecases.invoke_template import InvokeTemplate
from wainwright.usecases.job_logs import JobLogs
from wainwright.usecases.manage_keys import ManageKeys
from wainwright.usecases.manage_limits import ManageLimits
from wainwright.usecases.manage_quarantine import ManageQuarantine
from wainwright.usecases.manage_secrets import ManageSecrets
from wainwright.usecases.manage_templates import ManageTemplates
from wainwright.usecases.open_reports import OpenReports
from wainwright.usecases.read_jobs import ReadJobs
from wainwright.usecases.read_queue import ReadQueue
from wainwright.usecases.submit_job import SubmitJob
from wainwright.wiring.administration import manage_secrets
from wainwright.wiring.runs import ending
from wainwright.wiring.storing import spool_of


@dataclass(frozen=True)
class Api:
    """What ``functions/api`` does."""

    stage: str
    clock: Clock
    costs: Costs
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
    spool = spool_of(settings)
    templates = DynamoTemplateStore(clients.dynamodb, settings.table)
    quarantine = DynamoQuarantineStore(clients.dynamodb, settings.table)
    history = DynamoTestHistory(clients.dynamodb, settings.table)
    submit = SubmitJob(jobs, artifacts, wakeups, system_clock, settings.limits, settings.timeout_ms)
    return Api(
        stage=settings.stage,
        clock=system_clock,
        costs=costs(settings),
        authenticate=Authenticate(access, system_clock),
        submit=submit,
        invoke=InvokeTemplate(templates, submit, system_clock),
        read=ReadJobs(jobs, system_clock),
        control=ControlJob(jobs, artifacts, wakeups, ending(clients, settings), system_clock, spool),
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


def costs(settings: CostSettings) -> Costs:
    """What a meter has counted where there is one, else an estimate."""
    if settings.costs_dir is not None:
        return MeteredCosts(Path(settings.costs_dir))
    return EstimatedCosts(WorkerSize.of_task(settings.worker_cpu_units, settings.worker_memory_mib))
