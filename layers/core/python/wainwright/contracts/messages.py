"""Bodies of queue messages and workflow payloads."""

from pydantic import Field

from wainwright.domain.model import Record


class WakeUp(Record):
    """On the jobs queue: look at this project's waiting line. The rows are the truth; this may be lost or doubled."""

    project: str


class ExecutionInput(Record):
    """Input of the job state machine. ``timeout_seconds`` is a net under the worker's own deadline."""

    project: str
    job_id: str
    run: int = Field(ge=1)
    timeout_seconds: int = Field(ge=1)


class WorkMessage(Record):
    """On the work queue: one run for one worker. Whoever ends the run ends the token."""

    project: str
    job_id: str
    run: int = Field(ge=1)
    task_token: str


class TokenResult(Record):
    """What goes with the task token. The outcome itself is on the row."""

    job_id: str
    run: int
    fence: int


class ExecutionError(Record):
    """What a state's Catch found, in the spelling of Step Functions."""

    error: str = Field(alias="Error", default="")
    cause: str | None = Field(alias="Cause", default=None)


class FinishInput(Record):
    """What Finish is called with: the execution's input, and what Execute added to it."""

    project: str
    job_id: str
    run: int
    timeout_seconds: int = 0
    ended: TokenResult | None = None
    error: ExecutionError | None = None
