"""Filters of jobs and logs, in Python and as a query."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict

from pydantic.alias_generators import to_camel

from wainwright.domain.errors import InvalidInput
from wainwright.domain.instants import to_text
from wainwright.domain.job_query import SortBy
from wainwright.domain.states import JobStatus

FINISHED = "finished"
"""An alias: the job completed or failed."""

States: TypeAlias = JobStatus | str | Iterable[JobStatus | str]
"""One state or several, each by name in any case; ``FINISHED`` is ``completed`` or ``failed``; commas separate."""

Moment: TypeAlias = datetime | int | str
"""A datetime with a time zone, milliseconds since the epoch, or RFC 3339."""


class JobFilters(TypedDict, total=False):
    """Filters that all have to hold, and the order. ``limit`` is the most jobs to give."""

    status: States
    type: str | Iterable[str]
    template_id: str
    batch_id: str
    has_errors: bool
    label: str
    create_from: Moment
    create_to: Moment
    start_from: Moment
    start_to: Moment
    end_from: Moment
    end_to: Moment
    sort_by: SortBy | Literal["createdAt", "startedAt", "completedAt"]
    sort_order: Literal["desc", "asc"]
    limit: int


class LogFilters(TypedDict, total=False):
    """Filters that all have to hold. ``from_`` and ``to`` override ``period`` (today, yesterday, ``2h 30m``)."""

    level: Literal["INFO", "ERROR"]
    message: str
    from_: Moment
    to: Moment
    period: str
    limit: int


def states_of(states: States) -> frozenset[JobStatus]:
    """Return the states that are meant. Raises InvalidInput if one of them does not exist, or none is given."""
    found: set[JobStatus] = set()
    for name in _words(states):
        if name.lower() == FINISHED:
            found |= {JobStatus.COMPLETED, JobStatus.FAILED}
        elif name.lower() in set(JobStatus):
            found.add(JobStatus(name.lower()))
        else:
            known = ", ".join([*JobStatus, FINISHED])
            raise InvalidInput("status", f"{name!r} is not one of {known}", advice="Write one of them.")
    if not found:
        raise InvalidInput("status", "no state was given", advice=f"Write one of {', '.join(JobStatus)}.")
    return frozenset(found)


def query_of(filters: Mapping[str, Any]) -> dict[str, str]:
    """Return the filters as parameters of a query; what is None is left out."""
    query = {}
    for name, value in filters.items():
        if value is None:
            continue
        text = ",".join(sorted(states_of(value))) if name == "status" else _text(value)
        query[to_camel(name.removesuffix("_"))] = text
    return query


def _text(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return to_text(value)
        case Iterable() if not isinstance(value, str):
            return ",".join(str(each) for each in value)
    return str(value)


def _words(states: States) -> list[str]:
    given = [states] if isinstance(states, str) else [str(state) for state in states]
    return [word.strip() for text in given for word in text.split(",") if word.strip()]
