"""Looking at one job until it has ended, across outages of the API and lost streams."""

import math
import time
from collections.abc import AsyncGenerator, Callable

import httpx

from wainwright.client.errors import ApiError, Unreachable, WaitTimeout, is_outage
from wainwright.client.filters import States, states_of
from wainwright.client.updates import StatusUpdate, Update, read_segment, status_of
from wainwright.client.wire import Wire
from wainwright.contracts.http.bounds import MAX_WAIT_SECONDS
from wainwright.contracts.http.jobs import JobAnswer
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.states import AT_REST, FINAL, JobStatus

SEGMENT_PAUSE = 0.2
"""Seconds between two segments of the event stream, where the stream does not say."""

LOOK_SECONDS = 5
"""Seconds between two looks at a job whose event stream fails; the stream is tried again after each."""


class Following(Wire):
    """The calls that look at one job, once or until it has ended."""

    async def get_job(self, job_id: str, *, wait: int = 0, states: States = AT_REST) -> JobRecord:
        """Return one job; with ``wait`` (seconds, at most 20) once it is in one of ``states``, else in its state then."""
        return await self._read_job(job_id, wait, states)

    async def _read_job(
        self, job_id: str, wait: int, states: States, *, patient: bool = False, deadline: float = math.inf
    ) -> JobRecord:
        query = {"wait": str(wait), "status": ",".join(sorted(states_of(states)))} if wait else {}
        answer = await self._call(
            JobAnswer,
            "GET",
            "jobs",
            job_id,
            query=query,
            timeout=self._timeout + wait,
            patient=patient,
            deadline=deadline,
        )
        return answer.job

    async def wait_for(
        self,
        job_id: str,
        *,
        states: States = AT_REST,
        wait_timeout: float | None = None,
        poll: float = MAX_WAIT_SECONDS,
        on_look: Callable[[JobRecord], object] | None = None,
    ) -> JobRecord:
        """Return the job once it is in one of ``states``; ``on_look`` gets it at least every ``poll`` seconds.

        An API that fails, or is not reached, is asked again for minutes.

        Raises:
            WaitTimeout: it was not within ``wait_timeout`` seconds.
            InvalidInput: there is no such state.
        """
        wanted = states_of(states)
        seconds = math.inf if wait_timeout is None else wait_timeout
        deadline = time.monotonic() + seconds
        longest = min(MAX_WAIT_SECONDS, max(1.0, poll))
        while True:
            left = min(longest, deadline - time.monotonic())
            job = await self._read_job(job_id, max(0, int(left)), wanted, patient=True, deadline=deadline)
            if on_look is not None:
                on_look(job)
            if job.status in wanted:
                return job
            if time.monotonic() >= deadline:
                raise WaitTimeout(job_id, seconds, _describe(wanted))
            if left < 1:
                await self.transport.sleep(SEGMENT_PAUSE)

    async def events(self, job_id: str, *, wait_timeout: float | None = None) -> AsyncGenerator[Update]:
        """Iterate over the job's updates from its beginning to its end, across lost connections.

        A test case may come twice, when the place in the stream has expired: take the last. While there is no stream to
        be had, the job is asked for, and its status is told, until there is one again.

        Raises:
            WaitTimeout: the job has not ended within ``wait_timeout`` seconds.
        """
        seconds = math.inf if wait_timeout is None else wait_timeout
        deadline = time.monotonic() + seconds
        last_id = ""
        rests = False
        while True:
            if time.monotonic() >= deadline:
                raise WaitTimeout(job_id, seconds)
            answer = await self._ask_for_segment(job_id, last_id, deadline)
            if answer is None:
                if rests:
                    return
                if (left := deadline - time.monotonic()) > 0:
                    wait = int(min(left, LOOK_SECONDS))
                    job = await self._read_job(job_id, wait, AT_REST, patient=True, deadline=deadline)
                    yield status_of(job)
                    rests = job.status in AT_REST  # then the stream has one more chance to tell the rest
                continue
            rests = False
            if answer.status_code == httpx.codes.NO_CONTENT:
                return
            segment = read_segment(answer, last_id, job_id)
            last_id = segment.last_id
            for update in segment.updates:
                yield update
            if not any(isinstance(update, StatusUpdate) and update.status in FINAL for update in segment.updates):
                await self.transport.sleep(SEGMENT_PAUSE if segment.retry_ms is None else segment.retry_ms / 1_000)

    async def _ask_for_segment(self, job_id: str, last_id: str, deadline: float) -> httpx.Response | None:
        """Return the next segment of the event stream; None if there is none to be had now."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        now = time.monotonic()
        request = self._request(
            "GET", "jobs", job_id, "events", headers=headers, deadline=min(deadline, now + self._timeout),
            timeout=max(0.001, min(self._timeout + MAX_WAIT_SECONDS, deadline - now)),
        )  # fmt: skip
        try:
            return await self._exchange(request)
        except (ApiError, Unreachable) as error:
            if not is_outage(error):
                raise
            return None


def _describe(states: frozenset[JobStatus]) -> str:
    return "ended" if states in (AT_REST, FINAL) else f"become {' or '.join(sorted(states))}"
