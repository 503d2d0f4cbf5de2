"""Jobs in a row, each beginning where the one before ended (requirement A9)."""

from collections.abc import Callable, Coroutine
from typing import Any, Generic, Self, overload

from wainwright.client.asynchronous import AsyncClient
from wainwright.client.calls import Calls
from wainwright.client.errors import ClientError, JobFailed
from wainwright.client.patterns.either import ClientT
from wainwright.client.patterns.work import Work, start
from wainwright.client.steps import Flow
from wainwright.client.sync import Client
from wainwright.client.words import WAIT_SECONDS, JobOutcome, wait_for_result

FINAL_URL = "finalUrl"
"""The result of a job that becomes the next one's ``url``."""


class JobChain(Generic[ClientT]):
    """Runs one job after the other, here: a job starts when this process has seen the one before complete.

    The system does the same by itself for jobs that are created with ``depends_on``.
    """

    def __init__(self, client: ClientT) -> None:
        self._client = client
        self._steps: list[Work] = []

    def add(self, work: Work) -> Self:
        """Put a job at the end of the chain."""
        self._steps.append(work)
        return self

    @overload
    def execute(
        self: "JobChain[Client]",
        url: str | None = ...,
        *,
        timeout: float = ...,
        on_step: Callable[[int, int], object] = ...,
    ) -> list[JobOutcome]: ...
    @overload
    def execute(
        self: "JobChain[AsyncClient]",
        url: str | None = ...,
        *,
        timeout: float = ...,
        on_step: Callable[[int, int], object] = ...,
    ) -> Coroutine[Any, Any, list[JobOutcome]]: ...
    def execute(
        self,
        url: str | None = None,
        *,
        timeout: float = WAIT_SECONDS,
        on_step: Callable[[int, int], object] | None = None,
    ) -> object:
        """Run the chain from ``url``; each job has ``timeout`` seconds. ``on_step`` is told each step and how many there are.

        Raises:
            JobFailed: a job did not complete; its step (from 1) is named, and the rest did not run.
            WaitTimeout: a job has not ended in time.
        """
        return self._client.run(self._flow(self._client.calls, url, timeout, on_step))

    def _flow(
        self, calls: Calls, url: str | None, timeout: float, on_step: Callable[[int, int], object] | None
    ) -> Flow[list[JobOutcome]]:
        outcomes: list[JobOutcome] = []
        for step, work in enumerate(self._steps, 1):
            if on_step is not None:
                on_step(step, len(self._steps))
            try:
                created = yield from start(calls, work, url)
            except ClientError as error:
                raise JobFailed(f"the chain failed at step {step}: {error.message}", step=step) from error
            outcome = yield from wait_for_result(calls, created, timeout=timeout)
            if not outcome.success:
                raise JobFailed(f"the chain failed at step {step}: {outcome.error}", step=step, job_id=outcome.job_id)
            outcomes.append(outcome)
            url = (outcome.results or {}).get(FINAL_URL) or url
        return outcomes
