"""The stack: it only composes."""

from pathlib import Path

from aws_cdk import CfnOutput, Duration, Stack
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.artifacts import Artifacts
from infra.constructs.events import Bus, Rules, connect_event_sources
from infra.constructs.functions import DISPATCH_JOBS, DRAIN_DEAD_LETTERS, Functions
from infra.constructs.http_api import HttpApi
from infra.constructs.queues import Queues
from infra.constructs.secrets import Secrets
from infra.constructs.storage import Storage
from infra.constructs.workers import Workers
from infra.constructs.workflow import Workflow
from infra.environment import Variable
from infra.grants import grant_functions, grant_workers
from infra.sources import Sources
from infra.stages import Stage


class WainwrightStack(Stack):
    """One deployment of Wainwright, for any account and region."""

    def __init__(self, scope: Construct, stage: Stage, root: Path) -> None:
        super().__init__(
            scope,
            f"Wainwright-{stage.name}",
            description=f"Wainwright ({stage.name}): browser tests as jobs",
            termination_protection=stage.keep_data,
            tags={"application": "wainwright", "stage": stage.name},
        )
        # The CDK orders functions and state machines after roles that they refer to anyway; that is all this rule finds.
        self.template_options.metadata = {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}
        sources = Sources(root)
        self._api = HttpApi(self, "Api", stage, description="Wainwright's API.")
        self._reports = HttpApi(self, "ReportsApi", stage, description="Reports, on an origin of their own.")
        self._storage = Storage(self, "Storage", stage)
        self._artifacts = Artifacts(self, "Artifacts", stage, reports_origin=self._reports.url)
        self._queues = Queues(
            self,
            "Queues",
            dispatch_timeout=Duration.seconds(DISPATCH_JOBS.timeout_seconds),
            drain_timeout=Duration.seconds(DRAIN_DEAD_LETTERS.timeout_seconds),
        )
        self._functions = Functions(self, "Functions", stage, sources)
        self._workflow = Workflow(
            self, "Workflow", stage, sources, work=self._queues.work, finish_job=self._functions.finish_job
        )
        self._workers = Workers(self, "Workers", stage, sources)
        self._bus = Bus(self, "Bus", stage)
        self._secrets = Secrets(self, "Secrets", stage)

        self._configure(stage)
        self._grant()
        self._route()
        self._subscribe()
        Alarms(
            self,
            "Alarms",
            queues=self._queues,
            drain=self._functions.drain_dead_letters,
            sweep=self._functions.sweep,
        )
        self._tell()

    def _configure(self, stage: Stage) -> None:
        values = {
            Variable.STAGE: stage.name,
            Variable.LOG_LEVEL: stage.log_level,
            Variable.TABLE: self._storage.table.table_name,
            Variable.BUCKET: self._artifacts.bucket.bucket_name,
            Variable.JOBS_QUEUE_URL: self._queues.jobs.queue_url,
            Variable.WORK_QUEUE_URL: self._queues.work.queue_url,
            Variable.STATE_MACHINE_ARN: self._workflow.state_machine.state_machine_arn,
            Variable.EVENT_BUS: self._bus.bus.event_bus_name,
            Variable.CLUSTER: self._workers.cluster.cluster_arn,
            Variable.TASK_DEFINITION: self._workers.task_definition.task_definition_arn,
            Variable.SUBNETS: self._workers.subnets,
            Variable.SECURITY_GROUP: self._workers.security_group.security_group_id,
            Variable.REPORTS_URL: self._reports.url,
            Variable.MAX_CONCURRENT_TESTS: str(stage.max_workers),
            Variable.MIN_WARM_WORKERS: str(stage.min_warm_workers),
            Variable.IDLE_SECONDS: str(stage.worker_idle_seconds),
            Variable.RUNNING_CAPACITY: str(stage.running_capacity),
            Variable.QUEUED_CAPACITY: str(stage.queued_capacity),
            Variable.TEST_EXECUTION_TIMEOUT_MS: str(stage.execution_timeout_ms),
            Variable.WORKER_CPU_UNITS: str(stage.worker_cpu_units),
            Variable.WORKER_MEMORY_MIB: str(stage.worker_memory_mib),
        }
        self._functions.configure(values)
        self._workers.configure(values)

    def _grant(self) -> None:
        grant_functions(
            self._functions,
            storage=self._storage,
            artifacts=self._artifacts,
            queues=self._queues,
            workflow=self._workflow,
            workers=self._workers,
            bus=self._bus,
            secrets=self._secrets,
        )
        grant_workers(
            self._workers,
            storage=self._storage,
            artifacts=self._artifacts,
            queues=self._queues,
            workflow=self._workflow,
            secrets=self._secrets,
        )

    def _route(self) -> None:
        # The default routes are there so that every answer, a 404 too, is a problem document of ours.
        for key in ("ANY /v1/{proxy+}", "$default"):
            self._api.route(key, self._functions.api)
        self._api.route("GET /v1/jobs/{jobId}/events", self._functions.stream_events)
        for key in ("GET /r/{ticket}", "GET /r/{ticket}/{proxy+}", "$default"):
            self._reports.route(key, self._functions.api)
        # A browser's EventSource sends no key, so a ticket opens the events too.
        self._reports.route("GET /r/{ticket}/events", self._functions.stream_events)

    def _subscribe(self) -> None:
        connect_event_sources(self._functions, self._queues, self._storage.table)
        Rules(
            self,
            "Rules",
            functions=self._functions,
            state_machine=self._workflow.state_machine,
            cluster=self._workers.cluster,
            dead_letters=self._queues.rule_dead_letters,
        )

    def _tell(self) -> None:
        CfnOutput(self, "ApiUrl", value=self._api.url)
        CfnOutput(self, "ReportsUrl", value=self._reports.url)
        CfnOutput(self, "TableName", value=self._storage.table.table_name)
        CfnOutput(self, "BucketName", value=self._artifacts.bucket.bucket_name)
