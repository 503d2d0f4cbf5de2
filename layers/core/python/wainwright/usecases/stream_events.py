"""A job's events as one short segment of a server-sent event stream."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from wainwright.contracts.events import EventKind
from wainwright.contracts.names import check_job_id
from wainwright.domain.errors import InvalidInput
from wainwright.domain.states import AT_REST
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore, JobView
from wainwright.usecases.find_job import no_such_job
from wainwright.usecases.present_job import present

SEGMENT_SECONDS = 20.0
SPARE_SECONDS = 8.0
"""Time left at which a segment ends early: the last look and the answer may take so long on a slow machine."""
POLL_SECONDS = 0.25
MAX_EVENTS = 200
RETRY_MS = 200
"""Until a browser's EventSource asks for the next segment."""


@dataclass(frozen=True)
class StreamEvents:
    """Answers with what happened since ``Last-Event-ID``: at once if there is something, else as soon as there is.

    An event's id is ``<sequence>.<status sequence>``: how far the reader has come with stored events and with the row's
    status. So the status, the terminal one above all, is read from the row and cannot be missed.
    """

    jobs: JobStore
    clock: Clock
    pause: Callable[[float], None] = time.sleep

    def __call__(
        self, project: str, job_id: str, last_event_id: str | None, seconds_left: Callable[[], float] = lambda: math.inf
    ) -> str | None:
        """Return the segment's text; None when the reader has seen the terminal event.

        However slow each look is, the segment ends while some of the ``seconds_left`` for the answer are left.
        If events have expired that the reader has not seen, the job's present status comes first.

        Raises:
            InvalidInput: the job id or the event id is malformed.
            NotFound: the project has no such job.
        """
        seen, seen_status = _parse(last_event_id)
        check_job_id(job_id)
        for _ in range(int(SEGMENT_SECONDS / POLL_SECONDS)):
            view = self.jobs.view(project, job_id)
            if view is None or view.job.has_expired(self.clock()):
                raise no_such_job(job_id)
            segment = self._segment(view, seen, seen_status)
            if segment:
                return f"retry: {RETRY_MS}\n\n{segment}"
            if view.job.status in AT_REST:
                return None
            if seconds_left() <= SPARE_SECONDS:
                break
            self.pause(POLL_SECONDS)
        return f"retry: {RETRY_MS}\n\n: nothing new\n\n"

    def _segment(self, view: JobView, seen: int, seen_status: int) -> str:
        job, last = view.job, view.progress.sequence
        parts: list[str] = []
        if seen > last:  # an id that this job has not given: its events have expired, and the numbers begin anew
            seen, seen_status = last, 0
        stored = self.jobs.events(job.project, job.id, seen, MAX_EVENTS) if last > seen else []
        if last > seen and (not stored or stored[0].sequence > seen + 1):
            seen = stored[0].sequence - 1 if stored else last
            seen_status = job.status_sequence
            parts.append(self._status(view, seen))
        for event in stored:
            seen = event.sequence
            parts.append(_event(f"{seen}.{seen_status}", event.kind, event.data))
        if job.status_sequence > seen_status and seen >= last:
            parts.append(self._status(view, seen))
        return "".join(parts)

    def _status(self, view: JobView, seen: int) -> str:
        record = present(view, self.clock())
        data = record.model_dump(
            mode="json", by_alias=True, include={"status", "progress", "tests", "attempt", "failure", "report"}
        )
        return _event(f"{seen}.{view.job.status_sequence}", EventKind.STATUS, data)


def _event(event_id: str, kind: EventKind, data: object) -> str:
    return f"id: {event_id}\nevent: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _parse(last_event_id: str | None) -> tuple[int, int]:
    if not last_event_id:
        return 0, 0
    try:
        sequence, status = last_event_id.split(".")
        return int(sequence), int(status)
    except ValueError as error:
        raise InvalidInput(
            "Last-Event-ID",
            "this is not the id of an event of this stream",
            advice="Leave out the header to start from the beginning.",
        ) from error
