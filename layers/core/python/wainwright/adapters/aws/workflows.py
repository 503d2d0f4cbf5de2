"""Executions and task tokens in Step Functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from wainwright.adapters.aws.outages import error_code, ignoring
from wainwright.contracts.messages import ExecutionInput, TokenResult
from wainwright.contracts.names import execution_name
from wainwright.ports.workflows import ExecutionState

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_STALE = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})
MOST_CAUSE = 32_768
"""Characters of a cause; Step Functions takes no more."""


@dataclass(frozen=True)
class StepFunctionsWorkflows:
    """:class:`~wainwright.ports.workflows.Workflows` of one state machine. ``stepfunctions`` makes the client."""

    stepfunctions: Callable[[], "SFNClient"]
    state_machine_arn: str

    def start(self, request: ExecutionInput) -> bool:
        try:
            self.stepfunctions().start_execution(
                stateMachineArn=self.state_machine_arn, name=execution_name(request.job_id, request.run),
                input=request.model_dump_json(by_alias=True),
            )  # fmt: skip
        except ClientError as error:
            if error_code(error) == "ExecutionAlreadyExists":
                return False
            raise
        return True

    def state(self, job_id: str, run: int) -> ExecutionState:
        arn = self.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{execution_name(job_id, run)}"
        try:
            status = self.stepfunctions().describe_execution(executionArn=arn)["status"]
        except ClientError as error:
            if error_code(error) == "ExecutionDoesNotExist":
                return ExecutionState.ABSENT
            raise
        return ExecutionState.RUNNING if status in {"RUNNING", "PENDING_REDRIVE"} else ExecutionState.ENDED

    def succeed(self, token: str, result: TokenResult) -> None:
        with ignoring(_STALE):
            self.stepfunctions().send_task_success(taskToken=token, output=result.model_dump_json(by_alias=True))

    def fail(self, token: str, *, error: str, cause: str) -> None:
        with ignoring(_STALE):
            self.stepfunctions().send_task_failure(taskToken=token, error=error, cause=cause[:MOST_CAUSE])
