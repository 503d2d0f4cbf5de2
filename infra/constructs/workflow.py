"""The state machine of one run of one job."""

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.constructs.logs import make_log_group
from infra.nag import acknowledge, logical_id
from infra.sources import Sources
from infra.stages import Stage

DEFINITION = "infra/workflows/job.asl.json"


class Workflow(Construct):
    """``job.asl.json``, with its queue and its function filled in."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        stage: Stage,
        sources: Sources,
        *,
        work: sqs.IQueue,
        finish_job: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            # The definition stands in the template itself: what runs locally is what was synthesized.
            definition_body=sfn.DefinitionBody.from_string(sources.text(DEFINITION)),
            definition_substitutions={"WorkQueueUrl": work.queue_url, "FinishJobFunction": finish_job.function_arn},
            # Standard: a run lasts hours, waits for a token, and must not be started twice.
            state_machine_type=sfn.StateMachineType.STANDARD,
            # Without execution data: it holds task tokens.
            logs=sfn.LogOptions(
                destination=make_log_group(self, stage), level=sfn.LogLevel.ERROR, include_execution_data=False
            ),
            tracing_enabled=False,
        )
        work.grant_send_messages(self.state_machine)
        finish_job.grant_invoke(self.state_machine)
        acknowledge(self.state_machine, "SF1", "Step Functions keeps each execution's history for 90 days by itself.")
        acknowledge(self.state_machine, "SF2", "A job is followed by its id through logs, row and events.")
        role = self.state_machine.role
        acknowledge(
            role,
            f"IAM5[Resource::<{logical_id(finish_job)}.Arn>:*]",
            "The grant names the function's versions and aliases too.",
        )
        acknowledge(role, "IAM5[Resource::*]", "Log delivery is set up by actions that know no resource.")
