"""Numbers of some jobs (requirement A14)."""

from collections.abc import Iterable

from wainwright.client.calls import Calls
from wainwright.client.filters import Moment
from wainwright.client.jobs import JobRef, id_of
from wainwright.client.patterns.sync_and_async import both
from wainwright.domain.analytics import Analytics


@both
async def analyze(
    calls: Calls,
    jobs: Iterable[JobRef] | None = None,
    *,
    template_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
) -> Analytics:
    """Return success rate, durations from creation to completion, errors by category and flaky tests.

    Of at most 100 ``jobs``, or of the jobs of a template and a time; the system counts.
    """
    ids = [id_of(job) for job in jobs] if jobs is not None else None
    return await calls.analytics(template_id=template_id, from_=from_, to=to, job_ids=ids)
