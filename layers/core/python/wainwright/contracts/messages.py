"""Bodies of queue messages and workflow payloads."""

from typing import Self

from pydantic import Field, model_validator

from wainwright.domain.record import Record


class WakeUp(Record):
    """On the jobs queue: look at this project's waiting line. The rows are the truth; this may be lost or doubled.

    ``workers`` are needed besides those for the rows, for messages of the work queue that are no run's.
    """

    project: str
    workers: int = Field(default=0, ge=0)


class ExecutionInput(Record):
    """Input of the job state machine. ``timeout_seconds`` is a net under the worker's own deadline."""

    project: str
    job_id: str
    run: int = Field(ge=1)
    timeout_seconds: int = Field(ge=1)


class WorkMessage(Record):
    """On the work queue: one run for one worker, which ends the token with the run.

    A message without a token asks for the lane ``lane`` of a run that a worker has claimed under ``fence``; or, with
    ``report_only``, for the report of a job at rest, whose last claim was under ``fence``.
    """

    project: str
    job_id: str
    run: int = Field(ge=1)
    task_token: str | None = None
    lane: int | None = Field(default=None, ge=1)
    fence: int | None = Field(default=None, ge=1)
    report_only: bool = False

    @model_validator(mode="after")
    def _run_or_lane(self) -> Self:
        asked = [self.task_token is not None, self.lane is not None, self.report_only]
        if asked.count(True) != 1 or (self.task_token is None) != (self.fence is not None):
            raise ValueError("give a task token, or, with the fence of the run, a lane or report_only")
        return self

    @property
    def token(self) -> str:
        """The task token of a run's message. Raises ValueError for any other message."""
        if self.task_token is None:
            raise ValueError("only a run's message has a task token")
        return self.task_token


class TokenResult(Record):
    """Result that is sent with the task token. The outcome itself is on the row."""

    job_id: str
    run: int
    fence: int


class ExecutionError(Record):
    """Error that a state's Catch found, in the spelling of Step Functions."""

    error: str = Field(alias="Error", default="")
    cause: str | None = Field(alias="Cause", default=None)


class FinishInput(Record):
    """Input of Finish: the execution's input, and the result or error of Execute."""

    project: str
    job_id: str
    run: int
    timeout_seconds: int = 0
    ended: TokenResult | None = None
    error: ExecutionError | None = None
