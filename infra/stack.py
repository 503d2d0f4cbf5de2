"""The stack: it composes the constructs, and grants every permission of a function or a worker, one paragraph each."""

from pathlib import Path

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.artifacts import Artifacts
from infra.constructs.events import Bus, Rules, connect_event_sources
from infra.constructs.functions import Functions
from infra.constructs.http_api import HttpApi
from infra.constructs.queues import Queues
from infra.constructs.secrets import Secrets
from infra.constructs.storage import Storage
from infra.constructs.workers import Workers
from infra.constructs.workflow import Workflow
from infra.environment import Variable, stage_variables
from infra.nag import acknowledge_grant, logical_id
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
        self._queues = Queues(self, "Queues")
        self._functions = Functions(self, "Functions", stage, sources)
        self._workflow = Workflow(
            self, "Workflow", stage, sources, work=self._queues.work, finish_job=self._functions.finish_job
        )
        self._workers = Workers(self, "Workers", stage, sources)
        self._bus = Bus(self, "Bus", stage)

        self._configure(stage)
        self._grant_permissions(Secrets(self, "Secrets", stage))
        self._add_routes()
        connect_event_sources(self._functions, self._queues, self._storage.table)
        Rules(
            self,
            "Rules",
            functions=self._functions,
            state_machine=self._workflow.state_machine,
            cluster=self._workers.cluster,
            dead_letters=self._queues.rule_dead_letters,
        )
        Alarms(self, "Alarms", queues=self._queues, functions=self._functions)
        self._add_outputs()

    def _configure(self, stage: Stage) -> None:
        values = stage_variables(stage) | {
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
        }
        self._functions.configure(values)
        self._workers.configure(values)

    def _grant_permissions(self, secrets: Secrets) -> None:
        """Allow functions what they need besides writing their logs and polling their event sources, and the agent its work."""
        storage, artifacts, queues, functions = self._storage, self._artifacts, self._queues, self._functions
        state_machine = self._workflow.state_machine
        storage.grant_read_write(functions.api)
        artifacts.grant_upload(functions.api)
        artifacts.grant_templates(functions.api)
        artifacts.grant_read_reports(functions.api)
        artifacts.grant_pack_reports(functions.api)
        artifacts.grant_delete_reports(functions.api)
        queues.grant_send(functions.api)
        secrets.grant_change(functions.api)

        storage.grant_read(functions.stream_events)

        storage.grant_read_write(functions.dispatch_jobs)
        queues.grant_send(functions.dispatch_jobs)
        _grant_executions(state_machine, functions.dispatch_jobs)
        self._workers.grant_run(functions.dispatch_jobs)

        storage.grant_read_write(functions.finish_job)
        queues.grant_send(functions.finish_job)

        self._bus.bus.grant_put_events_to(functions.publish_events)

        storage.grant_read_write(functions.sweep)
        queues.grant_send(functions.sweep)
        _grant_executions(state_machine, functions.sweep)

        storage.grant_read_write(functions.clean_up)
        artifacts.grant_delete_reports(functions.clean_up)
        artifacts.grant_archive(functions.clean_up)

        state_machine.grant_task_response(functions.drain_dead_letters)

        # Test processes run as another user, without the agent's credentials.
        agent = self._workers.task_definition.task_role
        storage.grant_read_write(agent)
        artifacts.grant_read_uploads(agent)
        artifacts.grant_read_reports(agent)
        artifacts.grant_write_reports(agent)
        artifacts.grant_environments(agent)
        queues.work.grant_consume_messages(agent)
        queues.work.grant_send_messages(agent)  # to ask for further lanes of the job that it has
        secrets.grant_read(agent)
        state_machine.grant_task_response(agent)

    def _add_routes(self) -> None:
        # The default routes are there so that every answer, a 404 too, is a problem document of ours.
        for key in ("ANY /v1/{proxy+}", "$default"):
            self._api.add_route(key, self._functions.api)
        self._api.add_route("GET /v1/jobs/{jobId}/events", self._functions.stream_events)
        for key in ("GET /r/{ticket}", "GET /r/{ticket}/{proxy+}", "$default"):
            self._reports.add_route(key, self._functions.api)
        # A browser's EventSource sends no key, so a ticket opens the events too.
        self._reports.add_route("GET /r/{ticket}/events", self._functions.stream_events)

    def _add_outputs(self) -> None:
        CfnOutput(self, "ApiUrl", value=self._api.url)
        CfnOutput(self, "ReportsUrl", value=self._reports.url)
        CfnOutput(self, "TableName", value=self._storage.table.table_name)
        CfnOutput(self, "BucketName", value=self._artifacts.bucket.bucket_name)


def _grant_executions(state_machine: sfn.StateMachine, grantee: iam.IGrantable) -> None:
    """Allow starting executions, and asking how one ended that was started before."""
    state_machine.grant_start_execution(grantee)
    state_machine.grant_execution(grantee, "states:DescribeExecution")
    name = f'{{"Fn::Select":[6,{{"Fn::Split":[":",{{"Ref":"{logical_id(state_machine)}"}}]}}]}}'
    acknowledge_grant(
        grantee,
        f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:{name}:*",
        "Executions are named by job and run, which come and go.",
    )
