"""Finding jobs: the index that fits a query best, and the rows of what it names, read consistently."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from wainwright.adapters.aws.items import job_key, read_facets, read_job, sealed
from wainwright.adapters.aws.paging import CHUNK, FIRST, LAST, MOST_EXAMINED, Bounds, Reader, by_index, page
from wainwright.adapters.aws.table import Table
from wainwright.adapters.cursors import place_of, read_cursor, scope_of, write_cursor
from wainwright.contracts.names import (
    BATCH_INDEX,
    END_INDEX,
    INDEXES,
    PROJECT_INDEX,
    START_INDEX,
    STATUS_INDEX,
    TEMPLATE_INDEX,
)
from wainwright.domain.instants import to_text
from wainwright.domain.job_query import ANY_TIME, JobQuery, SortBy, TimeRange
from wainwright.domain.jobs import Job
from wainwright.ports.job_store import Page


def find(table: Table, project: str, query: JobQuery, now: datetime) -> Page:
    """Return a page of the jobs that match, as :meth:`JobStore.find` says.

    Indexes hold what filters look at, not the rows: the rows of a page are read by key, so that what is shown is as
    true as what is shown of one job. A job that changed since the index was written, and does not match any more, is left out.
    """
    scope = scope_of(project, query)
    bounds = _bounds(query, read_cursor(query.cursor, scope))
    index, partitions, exact = _choose(project, query)
    first_chunk = query.limit + 1 + (bounds.passed is not None)
    reader = Reader(table, min(first_chunk if exact else max(first_chunk, CHUNK), MOST_EXAMINED // len(partitions)))
    ranges = [_sketches(reader, index, partition, bounds) for partition in partitions]
    sketches, passed = page(
        ranges, lambda job: place_of(query, job), bounds, lambda job: query.matches(job, now), query.limit
    )
    jobs = _read(table, query, sketches, now)
    return Page(jobs=jobs, cursor=None if passed is None else write_cursor(scope, passed))


def _choose(project: str, query: JobQuery) -> tuple[str, Sequence[str], bool]:
    """The index, its partitions, and whether all that they hold matches, save what has expired."""
    if query.sort_by is SortBy.STARTED:
        return START_INDEX, [project], _nothing_else(query, started=ANY_TIME)
    if query.sort_by is SortBy.COMPLETED:
        return END_INDEX, [project], _nothing_else(query, ended=ANY_TIME)
    if query.batch_id is not None:
        return BATCH_INDEX, [f"{project}#{query.batch_id}"], _nothing_else(query, created=ANY_TIME, batch_id=None)
    if query.template_id is not None:
        exact = _nothing_else(query, created=ANY_TIME, template_id=None)
        return TEMPLATE_INDEX, [f"{project}#{query.template_id}"], exact
    if query.statuses:
        partitions = [f"{project}#{status}" for status in sorted(query.statuses)]
        return STATUS_INDEX, partitions, _nothing_else(query, created=ANY_TIME, statuses=frozenset())
    return PROJECT_INDEX, [project], _nothing_else(query, created=ANY_TIME)


def _nothing_else(query: JobQuery, **met: Any) -> bool:
    """Return True if the query filters by nothing but what the index meets."""
    plain = JobQuery(
        sort_by=query.sort_by, ascending=query.ascending, limit=query.limit, cursor=query.cursor,
        include_expired=query.include_expired,
    )  # fmt: skip
    return replace(query, **met) == plain


def _bounds(query: JobQuery, passed: str | None) -> Bounds:
    times: TimeRange = {SortBy.CREATED: query.created, SortBy.STARTED: query.started, SortBy.COMPLETED: query.ended}[
        query.sort_by
    ]
    return Bounds(
        first=FIRST if times.start is None else to_text(times.start),
        last=LAST if times.end is None else f"{to_text(times.end)}#{LAST}",
        ascending=query.ascending,
        passed=passed,
    )


def _sketches(reader: Reader, index: str, partition: str, bounds: Bounds) -> Iterator[Job]:
    keys, _ = INDEXES[index]
    first, last = bounds.ends
    request = by_index(index, keys) | {"ProjectionExpression": "pk, facets"}
    for row in reader.range(partition, first, last, ascending=bounds.ascending, **request):
        yield read_facets(row)


def _read(table: Table, query: JobQuery, sketches: Sequence[Job], now: datetime) -> Sequence[Job]:
    found = table.get_all([job_key(sketch.project, sketch.id) for sketch in sketches])
    # Who looks for what has expired wants to be rid of it: a deletion that was broken off too.
    jobs = {job.id: job for job in (read_job(row) for row in found if query.include_expired or not sealed(row))}
    return [
        job
        for sketch in sketches
        if (job := jobs.get(sketch.id)) is not None
        and query.matches(job, now)
        and place_of(query, job) == place_of(query, sketch)  # else it is, or will be, found where it stands now
    ]
