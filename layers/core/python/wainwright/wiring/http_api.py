"""The HTTP API."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.clock import system_clock
from wainwright.usecases.authenticate import Authenticate

if TYPE_CHECKING:
    from wainwright.adapters.aws.artifacts import S3Artifacts
    from wainwright.adapters.aws.queues import SqsWakeUps
    from wainwright.adapters.aws.template_store import DynamoTemplateStore
    from wainwright.ports.clock import Clock
    from wainwright.ports.costs import Costs
    from wainwright.settings import ApiSettings, CostSettings
    from wainwright.usecases.accept_bundle import AcceptBundle
    from wainwright.usecases.analyze_jobs import AnalyzeJobs
    from wainwright.usecases.analyze_tests import AnalyzeTests
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


class Api:
    """What ``functions/api`` does. A use case is imported and put together when a request first needs it: there are many, and
    one request needs few of them.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self.stage: str = settings.stage
        self.clock: Clock = system_clock
        self._settings = settings
        self._clients = Clients()
        self._jobs = DynamoJobStore(self._clients.dynamodb, settings.table)
        self._access = DynamoAccessStore(self._clients.dynamodb, settings.table)
        self.authenticate = Authenticate(self._access, system_clock)

    @cached_property
    def costs(self) -> Costs:
        """What jobs cost."""
        return costs(self._settings)

    @cached_property
    def submit(self) -> SubmitJob:
        """Accepting jobs."""
        from wainwright.usecases.submit_job import SubmitJob

        settings = self._settings
        return SubmitJob(
            self._jobs, self._artifacts, self._wakeups, system_clock, settings.limits, settings.timeout_ms
        )  # fmt: skip

    @cached_property
    def invoke(self) -> InvokeTemplate:
        """Jobs from templates."""
        from wainwright.usecases.invoke_template import InvokeTemplate

        return InvokeTemplate(self._templates, self.submit, system_clock)

    @cached_property
    def read(self) -> ReadJobs:
        """Reading jobs."""
        from wainwright.usecases.read_jobs import ReadJobs

        return ReadJobs(self._jobs, system_clock)

    @cached_property
    def control(self) -> ControlJob:
        """Steering jobs."""
        from wainwright.usecases.control_job import ControlJob
        from wainwright.wiring.runs import end_job
        from wainwright.wiring.storing import spool_of

        end = end_job(self._clients, self._settings)
        return ControlJob(
            self._jobs, self._artifacts, self._wakeups, end, system_clock, spool_of(self._settings)
        )  # fmt: skip

    @cached_property
    def logs(self) -> JobLogs:
        """Logs of jobs."""
        from wainwright.adapters.aws.log_store import DynamoLogStore
        from wainwright.usecases.job_logs import JobLogs

        return JobLogs(self._jobs, DynamoLogStore(self._clients.dynamodb, self._settings.table), system_clock)

    @cached_property
    def accept_bundle(self) -> AcceptBundle:
        """Uploads."""
        from wainwright.usecases.accept_bundle import AcceptBundle

        return AcceptBundle(self._artifacts, system_clock)

    @cached_property
    def reports(self) -> OpenReports:
        """Reports of jobs."""
        from wainwright.usecases.open_reports import OpenReports
        from wainwright.wiring.storing import spool_of

        settings = self._settings
        return OpenReports(
            self._jobs, self._access, self._artifacts, spool_of(settings), system_clock, settings.reports_url
        )  # fmt: skip

    @cached_property
    def templates(self) -> ManageTemplates:
        """Templates."""
        from wainwright.usecases.manage_templates import ManageTemplates

        return ManageTemplates(self._templates, self._artifacts, system_clock)

    @cached_property
    def analyze(self) -> AnalyzeJobs:
        """Figures of jobs."""
        from wainwright.usecases.analyze_jobs import AnalyzeJobs

        return AnalyzeJobs(self._jobs, system_clock)

    @cached_property
    def queue(self) -> ReadQueue:
        """The waiting line."""
        from wainwright.usecases.read_queue import ReadQueue

        return ReadQueue(self._jobs, system_clock, self._settings.limits)

    @cached_property
    def limits(self) -> ManageLimits:
        """Limits of projects."""
        from wainwright.usecases.manage_limits import ManageLimits

        return ManageLimits(self._jobs, self._settings.limits)

    @cached_property
    def keys(self) -> ManageKeys:
        """API keys."""
        from wainwright.usecases.manage_keys import ManageKeys

        return ManageKeys(self._access, system_clock)

    @cached_property
    def secrets(self) -> ManageSecrets:
        """Secrets of projects."""
        from wainwright.wiring.administration import manage_secrets

        return manage_secrets(self._clients, self._settings)

    @cached_property
    def analyze_tests(self) -> AnalyzeTests:
        """Figures of tests."""
        from wainwright.adapters.aws.test_history_store import DynamoQuarantineStore, DynamoTestHistory
        from wainwright.usecases.analyze_tests import AnalyzeTests

        client, table = self._clients.dynamodb, self._settings.table
        return AnalyzeTests(DynamoTestHistory(client, table), DynamoQuarantineStore(client, table), system_clock)

    @cached_property
    def quarantine(self) -> ManageQuarantine:
        """Tests in quarantine."""
        from wainwright.adapters.aws.test_history_store import DynamoQuarantineStore
        from wainwright.usecases.manage_quarantine import ManageQuarantine

        return ManageQuarantine(DynamoQuarantineStore(self._clients.dynamodb, self._settings.table), system_clock)

    # What several of them need

    @cached_property
    def _artifacts(self) -> S3Artifacts:
        from wainwright.adapters.aws.artifacts import S3Artifacts

        return S3Artifacts(self._clients.s3, self._settings.bucket)

    @cached_property
    def _wakeups(self) -> SqsWakeUps:
        from wainwright.adapters.aws.queues import SqsWakeUps

        return SqsWakeUps(lambda: self._clients.sqs, self._settings.jobs_queue_url)

    @cached_property
    def _templates(self) -> DynamoTemplateStore:
        from wainwright.adapters.aws.template_store import DynamoTemplateStore

        return DynamoTemplateStore(self._clients.dynamodb, self._settings.table)


def costs(settings: CostSettings) -> Costs:
    """What a meter has counted where there is one, else an estimate."""
    from wainwright.adapters.costs import EstimatedCosts, MeteredCosts
    from wainwright.domain.costs import WorkerSize

    if settings.costs_dir is not None:
        return MeteredCosts(Path(settings.costs_dir))
    return EstimatedCosts(WorkerSize.of_task(settings.worker_cpu_units, settings.worker_memory_mib))
