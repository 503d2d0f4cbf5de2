"""Every permission of a function or a worker, one paragraph each."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn

from infra.constructs.artifacts import Artifacts
from infra.constructs.events import Bus
from infra.constructs.functions import Functions
from infra.constructs.queues import Queues
from infra.constructs.secrets import Secrets
from infra.constructs.storage import Storage
from infra.constructs.workers import Workers
from infra.constructs.workflow import Workflow
from infra.nag import acknowledge_grant, logical_id


def grant_permissions(
    functions: Functions,
    workers: Workers,
    *,
    storage: Storage,
    artifacts: Artifacts,
    queues: Queues,
    workflow: Workflow,
    bus: Bus,
    secrets: Secrets,
) -> None:
    """Allow functions what they need besides writing their logs and polling their event sources, and the agent its work."""
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
    _grant_executions(workflow.state_machine, functions.dispatch_jobs)
    workers.grant_run(functions.dispatch_jobs)

    storage.grant_read_write(functions.finish_job)
    queues.grant_send(functions.finish_job)

    bus.bus.grant_put_events_to(functions.publish_events)

    storage.grant_read_write(functions.sweep)
    queues.grant_send(functions.sweep)
    _grant_executions(workflow.state_machine, functions.sweep)

    storage.grant_read_write(functions.clean_up)
    artifacts.grant_delete_reports(functions.clean_up)
    artifacts.grant_archive(functions.clean_up)

    workflow.state_machine.grant_task_response(functions.drain_dead_letters)

    # Test processes run as another user, without the agent's credentials.
    agent = workers.task_definition.task_role
    storage.grant_read_write(agent)
    artifacts.grant_read_uploads(agent)
    artifacts.grant_read_reports(agent)
    artifacts.grant_write_reports(agent)
    artifacts.grant_environments(agent)
    queues.work.grant_consume_messages(agent)
    queues.work.grant_send_messages(agent)  # to ask for further lanes of the job that it has
    secrets.grant_read(agent)
    workflow.state_machine.grant_task_response(agent)


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
