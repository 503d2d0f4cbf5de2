"""A job again and again until one completes, each try a job of its own (requirement A11)."""

from collections.abc import Callable

from wainwright.client.calls import Calls
from wainwright.client.errors import ClientError, JobFailed
from wainwright.client.jobs import AsyncJobs, JobOutcome
from wainwright.client.patterns.sync_and_async import both
from wainwright.client.patterns.work import Work, is_refusal, start

MAX_RETRIES = 3
DELAY_SECONDS = 10.0
MULTIPLIER = 2.0
TRY_SECONDS = 600.0


@both
async def run_with_retry(
    calls: Calls,
    work: Work,
    *,
    max_retries: int = MAX_RETRIES,
    delay: float = DELAY_SECONDS,
    multiplier: float = MULTIPLIER,
    timeout: float = TRY_SECONDS,
    on_attempt: Callable[[int, str | None], object] | None = None,
) -> JobOutcome:
    """Run the work until a job completes, ``max_retries`` times in all: the first try counts, and so does an error.

    After try number n it waits ``delay × multiplier^(n−1)`` seconds. Each try has ``timeout`` seconds. ``on_attempt`` gets
    the number of each try, and its error once it has one. What the API refuses is not tried again. To have one and the
    same job tried again by the system, create it with a ``RetryPolicy`` instead.

    Raises:
        JobFailed: no try completed; it tells the last error.
        ApiError: the API refused.
    """
    last = "there was no attempt"
    job_id: str | None = None
    for attempt in range(1, max_retries + 1):
        if on_attempt is not None:
            on_attempt(attempt, None)
        try:
            created = await start(calls, work)
            job_id = created.job_id
            outcome = await AsyncJobs(calls).wait_for_result(created, timeout=timeout)
            if outcome.success:
                return outcome
            last = outcome.error or "it did not complete"
        except ClientError as error:
            if is_refusal(error):
                raise
            last = error.message
        if on_attempt is not None:
            on_attempt(attempt, last)
        if attempt < max_retries:
            await calls.transport.sleep(delay * multiplier ** (attempt - 1))
    raise JobFailed(
        f"the job failed after {max_retries} attempts; the last error: {last}", step=max_retries, job_id=job_id
    )
