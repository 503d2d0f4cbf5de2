"""A job in answers and events."""

from typing import Any

from pydantic import Field

from wainwright.domain.costs import CostBasis, CostLine
from wainwright.domain.failures import Failure
from wainwright.domain.instants import Instant
from wainwright.domain.jobs import RunBy
from wainwright.domain.record import Record
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally


class ReportLink(Record):
    """Link to a job's report. ``url`` stays the same from the job's creation on; ``ready`` says whether it is there.

    ``missing`` names files of it, at most 50 of ``missingCount``, that could not be uploaded, and ``missingReason`` says why.
    They lie on the worker's disk, and are no longer named once they are up.
    """

    url: str
    ready: bool
    complete: bool
    missing: list[str] = Field(default_factory=list)
    missing_count: int = 0
    missing_reason: str | None = None


class JobCost(Record):
    """Cost of a job so far: seconds for which its latest attempt ran, and US dollars at AWS's public prices.

    ``basis`` says whether the dollars were ``metered``, call by call, or are ``estimated`` from the time and the size of its
    workers. ``breakdown`` has a line for each price. Those of the group ``looking``, the cost of reading the job, are not
    in ``usd``. Lists of jobs carry the seconds alone.
    """

    seconds: float
    usd: float | None = None
    basis: CostBasis | None = None
    breakdown: list[CostLine] = Field(default_factory=list)


class JobRecord(Record):
    """A job as everybody outside sees it."""

    id: str
    label: str | None
    type: str
    status: JobStatus
    progress: int = Field(ge=0, le=100)
    attempt: int
    priority: int
    low_priority: bool
    parallelism: int = 1
    template_id: str | None
    template_version: int | None
    batch_id: str | None
    depends_on: list[str]
    url: str | None
    bundle_id: str | None
    params: dict[str, Any]
    config: dict[str, Any]
    created_at: Instant
    updated_at: Instant
    started_at: Instant | None
    completed_at: Instant | None
    waiting_ms: int
    duration_ms: int | None
    has_errors: bool
    run_by: RunBy
    results: dict[str, Any] | None
    tests: Tally
    failure: Failure | None
    error: str | None
    report: ReportLink
    cost: JobCost
