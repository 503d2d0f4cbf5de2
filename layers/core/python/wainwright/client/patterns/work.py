"""Work of a pattern, and watching several jobs until they have ended."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx

from wainwright.client.calls import Calls
from wainwright.client.errors import ApiError, ClientError
from wainwright.client.jobs import JobOutcome, outcome_of
from wainwright.contracts.http.jobs import CreateJob, JobCreated
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.states import AT_REST

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


class Watch:
    """Jobs by numbers of the caller: those that run, and the outcomes of those that have ended or cannot be seen."""

    def __init__(self) -> None:
        self.running: dict[str, tuple[int, float]] = {}
        self.outcomes: dict[int, JobOutcome] = {}

    async def start(self, calls: Calls, number: int, work: Work) -> None:
        """Create a job; one that cannot be created has failed."""
        began = time.monotonic()
        try:
            self.running[(await start(calls, work)).job_id] = (number, began)
        except ClientError as error:
            self._fail("", number, began, error)

    async def look(self, calls: Calls) -> dict[int, JobRecord]:
        """Read each running job once; wait a short while for the first, so that nobody asks without a pause."""
        seen: dict[int, JobRecord] = {}
        for index, job_id in enumerate(list(self.running)):
            number, began = self.running[job_id]
            try:
                job = await calls.get_job(job_id, wait=0 if index else WATCH_SECONDS)
            except ClientError as error:
                self.fail(job_id, error)
                continue
            seen[number] = job
            if job.status in AT_REST:
                self.outcomes[number] = outcome_of(job, time.monotonic() - began)
                del self.running[job_id]
        return seen

    def fail(self, job_id: str, error: ClientError) -> None:
        """End the watch of a running job with an error."""
        self._fail(job_id, *self.running.pop(job_id), error)

    def _fail(self, job_id: str, number: int, began: float, error: ClientError) -> None:
        took = int((time.monotonic() - began) * 1_000)
        self.outcomes[number] = JobOutcome(job_id, success=False, results=None, error=error.message, total_time=took)


def is_refusal(error: ClientError) -> bool:
    """Return True if the API refused, so that the same request will be refused again."""
    return isinstance(error, ApiError) and 400 <= error.status < 500 and error.status != httpx.codes.TOO_MANY_REQUESTS
