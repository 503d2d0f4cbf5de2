"""Jobs in a row, each beginning where the one before ended (requirement A9)."""

from collections.abc import Callable
from typing import Self

from wainwright.client.errors import ClientError, JobFailed
from wainwright.client.jobs import WAIT_SECONDS, AsyncJobs, JobOutcome
from wainwright.client.patterns.sync_and_async import ClientT, Pattern, both
from wainwright.client.patterns.work import Work, start

FINAL_URL = "finalUrl"
"""The result of a job that becomes the next one's ``url``."""


class JobChain(Pattern[ClientT]):
    """Runs one job after the other, here: a job starts when this process has seen the one before complete.

    The system does the same by itself for jobs that are created with ``depends_on``.
    """

    def __init__(self, client: ClientT) -> None:
        super().__init__(client)
        self._steps: list[Work] = []

    def add(self, work: Work) -> Self:
        """Put a job at the end of the chain."""
        self._steps.append(work)
        return self

    @both
    async def execute(
        self,
        url: str | None = None,
        *,
        timeout: float = WAIT_SECONDS,
        on_step: Callable[[int, int], object] | None = None,
    ) -> list[JobOutcome]:
        """Run the chain from ``url``; each job has ``timeout`` seconds. ``on_step`` gets each step and their number.

        Raises:
            JobFailed: a job did not complete; its step (from 1) is named, and the rest did not run.
            WaitTimeout: a job has not ended in time.
        """
        outcomes: list[JobOutcome] = []
        for step, work in enumerate(self._steps, 1):
            if on_step is not None:
                on_step(step, len(self._steps))
            try:
                created = await start(self.calls, work, url)
            except ClientError as error:
                raise JobFailed(f"the chain failed at step {step}: {error.message}", step=step) from error
            outcome = await AsyncJobs(self.calls).wait_for_result(created, timeout=timeout)
            if not outcome.success:
                raise JobFailed(f"the chain failed at step {step}: {outcome.error}", step=step, job_id=outcome.job_id)
            outcomes.append(outcome)
            url = (outcome.results or {}).get(FINAL_URL) or url
        return outcomes
