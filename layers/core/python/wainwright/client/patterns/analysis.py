"""How some jobs went, in numbers (requirement A14)."""

from collections.abc import Iterable

from wainwright.client.calls import Calls
from wainwright.client.filters import Moment
from wainwright.client.patterns.either import either
from wainwright.client.steps import Flow
from wainwright.client.words import JobRef, id_of
from wainwright.domain.analytics import Analytics


@either
def analyze(
    calls: Calls,
    jobs: Iterable[JobRef] | None = None,
    *,
    template_id: str | None = None,
    from_: Moment | None = None,
    to: Moment | None = None,
) -> Flow[Analytics]:
    """Success rate, durations from creation to completion, errors by category and flaky tests.

    Of at most 100 ``jobs``, or of the jobs of a template and a time; the system counts, nothing is listed here.
    """
    ids = [id_of(job) for job in jobs] if jobs is not None else None
    return calls.analytics(template_id=template_id, from_=from_, to=to, job_ids=ids)
