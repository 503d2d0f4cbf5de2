"""Adapters in memory whose callers die between two steps, and ids that are the same in every run."""

from __future__ import annotations

from tests.support.builders import job_id
from tests.support.memory.services import MemoryWorkflows, MemoryWorkQueue
from wainwright.contracts.messages import ExecutionInput, TokenResult, WorkMessage


class Crash(Exception):
    """The process dies here."""


class FragileQueue(MemoryWorkQueue):
    """A work queue whose caller may die."""

    dies = ""

    def delete(self, receipt: str) -> None:
        """Delete, unless the caller dies before."""
        if self.dies == "before delete":
            raise Crash
        super().delete(receipt)

    def give(self, message: WorkMessage) -> None:
        """Deliver a message again: SQS does so at least once."""
        self._messages.appendleft((message, 0))

    def purge(self) -> None:
        """Lose every message."""
        self._messages.clear()
        self._in_hand.clear()


class FragileWorkflows(MemoryWorkflows):
    """Executions whose starter or ender may die."""

    dies = ""

    def message_of(self, name: str) -> WorkMessage:
        """The work message of a run."""
        request = self.started[name]
        return WorkMessage(
            project=request.project, job_id=request.job_id, run=request.run, task_token=f"token-{name}"
        )  # fmt: skip

    @property
    def running(self) -> list[str]:
        """Names of executions that have not ended."""
        return sorted(set(self.started) - set(self.ended))

    def start(self, request: ExecutionInput) -> bool:
        """Start, unless the caller dies before; it may die after."""
        if self.dies == "before start":
            raise Crash
        started = super().start(request)
        if self.dies == "after start":
            raise Crash
        return started

    def succeed(self, token: str, result: TokenResult) -> None:
        """End the token, unless the caller dies before."""
        if self.dies == "before token":
            raise Crash
        super().succeed(token, result)

    def fail(self, token: str, *, error: str, cause: str) -> None:
        """End the token, unless the caller dies before."""
        if self.dies == "before token":
            raise Crash
        super().fail(token, error=error, cause=cause)


class Ids:
    """Ids of new jobs that are the same in every run of an example. A test puts this in the place of ``new_job_id``."""

    def __init__(self) -> None:
        self._number = 0

    def restart(self) -> None:
        """Begin again."""
        self._number = 0

    def __call__(self) -> str:
        """The next id."""
        self._number += 1
        return job_id(self._number)


ids = Ids()
