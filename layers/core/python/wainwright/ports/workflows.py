"""Executions of the job state machine."""

from enum import StrEnum
from typing import Protocol

from wainwright.contracts.messages import ExecutionInput, TokenResult


class ExecutionState(StrEnum):
    """State of an execution."""

    RUNNING = "running"
    ENDED = "ended"
    ABSENT = "absent"


class Workflows(Protocol):
    """Executions of the job state machine, and their task tokens."""

    def start(self, request: ExecutionInput) -> bool:
        """Start the run's execution; False if there is, or was, one of its name."""

    def state(self, job_id: str, run: int) -> ExecutionState:
        """Return the state of the run's execution."""

    def succeed(self, token: str, result: TokenResult) -> None:
        """End the token well. A token that is stale counts as ended."""

    def fail(self, token: str, *, error: str, cause: str) -> None:
        """End the token with an error. A token that is stale counts as ended."""
