"""Read one job, wait for one, find them."""

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from wainwright.contracts.names import check_job_id, is_template_id
from wainwright.domain.errors import InvalidInput
from wainwright.domain.find import JobQuery, SortBy
from wainwright.domain.states import AT_REST, JobStatus
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore, JobView, Page
from wainwright.usecases.caller import Caller
from wainwright.usecases.find_job import find_job, is_gone, no_such_job
from wainwright.usecases.periods import read_range
from wainwright.usecases.state_names import read_states

SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 0.5
"""Seconds between two looks of a long-poll."""
PAUSE_PER_SECOND = 0.05
"""What a pause adds to how long somebody waits: at most a twentieth, between the shortest and the longest."""

TYPES = frozenset({"browser"})
"""Types that jobs can have."""

MAX_LABEL = 200
_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True)
class ReadJobs:
    """Answers questions about jobs. ``pause`` sleeps for seconds."""

    jobs: JobStore
    clock: Clock
    pause: Callable[[float], None] = time.sleep

    def get(self, caller: Caller, job_id: str) -> JobView:
        """One job.

        Raises:
            InvalidInput: that is no job id.
            NotFound: the project has no such job, or not any more.
        """
        view = self.jobs.view(caller.project, check_job_id(job_id))
        if view is None or is_gone(view.job, self.clock()):
            raise no_such_job(job_id)
        return view

    def wait(self, caller: Caller, job_id: str, *, seconds: float, states: Collection[JobStatus] = AT_REST) -> JobView:
        """The job as soon as it is in one of ``states``, or as it is after ``seconds``. Raises as :meth:`get`."""
        for pause in _pauses(seconds):
            if find_job(self.jobs, self.clock, caller.project, job_id).status in states:
                break
            self.pause(pause)
        return self.get(caller, job_id)

    def find(self, caller: Caller, query: JobQuery) -> Page:
        """A page of the project's jobs that match.

        Raises:
            InvalidInput: the cursor is none of ours, or belongs to another query.
        """
        return self.jobs.find(caller.project, query, self.clock())


def _pauses(seconds: float) -> Iterator[float]:
    """Between the looks of a long-poll that goes on for so long: the longer, the more has been waited already."""
    waited = 0.0
    while waited < seconds:
        pause = min(max(SHORTEST_PAUSE, waited * PAUSE_PER_SECOND), LONGEST_PAUSE, seconds - waited)
        yield pause
        waited += pause


def read_query(given: Mapping[str, str], *, limit: int) -> JobQuery:
    """What the parameters of ``GET /v1/jobs`` look for.

    Raises:
        InvalidInput: one of them has a value that it cannot have.
    """
    return JobQuery(
        statuses=read_states(given["status"]) if "status" in given else frozenset(),
        types=_types(given["type"]) if "type" in given else frozenset(),
        template_id=_checked(given, "templateId", is_template_id),
        batch_id=_checked(given, "batchId", lambda text: _BATCH_ID.fullmatch(text) is not None),
        has_errors=read_flag("hasErrors", given["hasErrors"]) if "hasErrors" in given else None,
        label=_checked(given, "label", lambda text: 0 < len(text) <= MAX_LABEL),
        created=read_range(("createFrom", "createTo"), given.get("createFrom"), given.get("createTo")),
        started=read_range(("startFrom", "startTo"), given.get("startFrom"), given.get("startTo")),
        ended=read_range(("endFrom", "endTo"), given.get("endFrom"), given.get("endTo")),
        sort_by=_sort_by(given.get("sortBy", SortBy.CREATED)),
        ascending=_ascending(given.get("sortOrder", "desc")),
        limit=limit,
        cursor=given.get("cursor"),
    )


def _types(text: str) -> frozenset[str]:
    named = frozenset(word.strip().lower() for word in text.split(","))
    for name in sorted(named - TYPES):
        raise InvalidInput("type", f"there is no type {name[:40]!r}", advice=f"Types are {', '.join(sorted(TYPES))}.")
    return named


def _checked(given: Mapping[str, str], name: str, fits: Callable[[str], bool]) -> str | None:
    text = given.get(name)
    if text is not None and not fits(text):
        raise InvalidInput(name, f"{name}: {text[:40]!r} is none that a job could have")
    return text


def read_flag(name: str, text: str) -> bool:
    """A parameter that is true or false.

    Raises:
        InvalidInput: it is neither.
    """
    if text.lower() not in ("true", "false"):
        raise InvalidInput(name, f"{name} is true or false, not {text[:40]!r}")
    return text.lower() == "true"


def _sort_by(text: str) -> SortBy:
    try:
        return SortBy(text)
    except ValueError as error:
        raise InvalidInput("sortBy", f"sortBy is one of {', '.join(SortBy)}, not {text[:40]!r}") from error


def _ascending(text: str) -> bool:
    if text.lower() not in ("asc", "desc"):
        raise InvalidInput("sortOrder", f"sortOrder is asc or desc, not {text[:40]!r}")
    return text.lower() == "asc"
