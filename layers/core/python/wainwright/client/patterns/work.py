"""Work of a pattern, and a look at several jobs at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx

from wainwright.client.calls import Calls
from wainwright.client.errors import ApiError, ClientError
from wainwright.client.jobs import JobOutcome
from wainwright.contracts.http.jobs import CreateJob, JobCreated
from wainwright.contracts.job_records import JobRecord

WATCH_SECONDS = 2
"""The longest that the first of several jobs is asked for before the others are looked at again."""


@dataclass(frozen=True)
class Invoke:
    """Invoke a template. ``fields`` are flat, spelt as on the wire: ``url``, options, ``config`` keys, parameters."""

    template_id: str
    fields: Mapping[str, Any] = field(default_factory=dict)


Work: TypeAlias = CreateJob | Invoke
"""Source of one job."""


async def start(calls: Calls, work: Work, url: str | None = None) -> JobCreated:
    """Create the job; ``url`` goes in place of the work's own."""
    if isinstance(work, Invoke):
        fields = dict(work.fields) | ({"url": url} if url is not None else {})
        return await calls.invoke_template(work.template_id, fields)
    return await calls.create_job(work if url is None else work.model_copy(update={"url": url}))


async def look(calls: Calls, job_ids: list[str]) -> dict[str, JobRecord | ClientError]:
    """Look at each of the jobs once: for a short while at the first, so that nobody asks without a pause."""
    seen: dict[str, JobRecord | ClientError] = {}
    for job_id in job_ids:
        try:
            seen[job_id] = await calls.get_job(job_id, wait=0 if seen else WATCH_SECONDS)
        except ClientError as error:
            seen[job_id] = error
    return seen


def failed_outcome(job_id: str, error: ClientError, seconds: float) -> JobOutcome:
    """Return the outcome of a job that cannot be looked at any more."""
    return JobOutcome(job_id, success=False, results=None, error=error.message, total_time=int(seconds * 1_000))


def is_refusal(error: ClientError) -> bool:
    """Return True if the API refused, so that the same request will be refused again."""
    return isinstance(error, ApiError) and 400 <= error.status < 500 and error.status != httpx.codes.TOO_MANY_REQUESTS
