"""Every call of the API as a flow of steps: what is sent, repeated, followed and read. No input or output here.

All calls may be sent twice without doing their work twice (creation by its ``Idempotency-Key``), so all are repeated
when the answer is lost or says to come back.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode

import httpx
from pydantic import ValidationError

from wainwright import __version__
from wainwright.client.endpoint import Endpoint
from wainwright.client.errors import ApiError, UnexpectedAnswer, Unreachable, WaitTimeout, error_of
from wainwright.client.report import check_path
from wainwright.client.retries import REPEATED_STATUSES, RetryRules
from wainwright.client.steps import Emit, Flow, Pause, Request, send
from wainwright.client.updates import StatusUpdate, read_segment
from wainwright.contracts.http import (
    MAX_WAIT_SECONDS,
    BundleAnswer,
    CreateBundle,
    CreateJob,
    Health,
    JobAnswer,
    JobCreated,
    JobList,
    JobRecord,
    TicketAnswer,
)
from wainwright.domain.model import Record
from wainwright.domain.states import AT_REST, FINAL, JobStatus

MAX_REDIRECTS = 3

SEGMENT_PAUSE = 0.2
"""Seconds between two segments of the event stream, where the stream does not say."""

RecordT = TypeVar("RecordT", bound=Record)


@dataclass(frozen=True)
class Calls:
    """The calls of one endpoint with one key. ``timeout`` is what one ordinary request may take, in seconds."""

    endpoint: Endpoint
    key: str = field(repr=False)
    timeout: float = 30.0
    rules: RetryRules = field(default_factory=RetryRules)
    clock: Callable[[], float] = time.monotonic

    # Jobs

    def health(self) -> Flow[Health]:
        """Whether the system answers, and whose key this is."""
        return self._ask(Health, "GET", "/health")

    def create_job(self, job: CreateJob, *, idempotency_key: str | None = None) -> Flow[JobCreated]:
        """Create a job, once, however often it has to be sent."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self._ask(JobCreated, "POST", "/jobs", body=job, headers=headers)

    def get_job(self, job_id: str, *, wait: int = 0, states: frozenset[JobStatus] = AT_REST) -> Flow[JobRecord]:
        """One job; with ``wait`` as soon as it is in one of ``states``, at most so many seconds later."""
        query = {"wait": str(wait), "status": ",".join(sorted(states))} if wait else {}
        longest = self.timeout + wait
        answer = yield from self._ask(JobAnswer, "GET", f"/jobs/{_id(job_id)}", query, job_id=job_id, timeout=longest)
        return answer.job

    def wait_for(
        self, job_id: str, *, states: frozenset[JobStatus] = AT_REST, wait_timeout: float | None = None
    ) -> Flow[JobRecord]:
        """The job once it is in one of ``states``."""
        deadline = None if wait_timeout is None else self.clock() + wait_timeout
        while True:
            left = MAX_WAIT_SECONDS if deadline is None else min(MAX_WAIT_SECONDS, deadline - self.clock())
            job = yield from self.get_job(job_id, wait=max(0, int(left)), states=states)
            if job.status in states:
                return job
            if wait_timeout is not None and deadline is not None and self.clock() >= deadline:
                raise WaitTimeout(job_id, wait_timeout)
            if left < 1:
                yield Pause(SEGMENT_PAUSE)

    def list_jobs(
        self, *, status: JobStatus | None = None, limit: int | None = None, cursor: str | None = None
    ) -> Flow[JobList]:
        """A page of jobs, newest first."""
        given = {"status": status, "limit": limit, "cursor": cursor}
        query = {name: str(value) for name, value in given.items() if value is not None}
        return self._ask(JobList, "GET", "/jobs", query)

    def cancel_job(self, job_id: str) -> Flow[JobRecord]:
        """Cancel a job. One that is canceled already is no error."""
        try:
            answer = yield from self._ask(JobAnswer, "POST", f"/jobs/{_id(job_id)}/cancel", job_id=job_id)
        except ApiError as error:
            if error.status != httpx.codes.CONFLICT:
                raise
            job = yield from self.get_job(job_id)
            if job.status not in (JobStatus.CANCELING, JobStatus.CANCELED):
                raise
            return job
        return answer.job

    def ticket(self, job_id: str) -> Flow[TicketAnswer]:
        """A short-lived address of the job's report, for a browser."""
        return self._ask(TicketAnswer, "POST", f"/jobs/{_id(job_id)}/ticket", job_id=job_id)

    # Bundles

    def upload_archive(self, archive: Path, sha256: str, size: int) -> Flow[str]:
        """Have the archive at the system: announced by its digest, sent only where it is not there yet."""
        answer = yield from self._ask(BundleAnswer, "POST", "/bundles", body=CreateBundle(sha256=sha256, size=size))
        if answer.upload is not None:
            put = Request(
                answer.upload.method, answer.upload.url, answer.upload.headers, upload=archive,
                timeout=max(self.timeout, 300.0),
            )  # fmt: skip
            reply = yield from self._exchange(put)
            if not reply.is_success:
                raise error_of(reply)
        return answer.bundle_id

    # Updates

    def events(self, job_id: str, *, wait_timeout: float | None = None) -> Flow[None]:
        """Emit the job's updates from its beginning to its end, asking for one short segment after the other."""
        deadline = None if wait_timeout is None else self.clock() + wait_timeout
        last_id = ""
        while True:
            left = None if deadline is None else deadline - self.clock()
            if wait_timeout is not None and left is not None and left <= 0:
                raise WaitTimeout(job_id, wait_timeout)
            try:
                answer = yield from self._exchange(self._segment_request(job_id, last_id, left), deadline)
            except Unreachable as error:
                if error.timed_out and wait_timeout is not None and deadline is not None and self.clock() >= deadline:
                    raise WaitTimeout(job_id, wait_timeout) from error
                raise
            if answer.status_code == httpx.codes.NO_CONTENT:
                return
            if not answer.is_success:
                raise error_of(answer, job_id)
            segment = read_segment(answer, last_id)
            last_id = segment.last_id
            for update in segment.updates:
                yield Emit(update)
            if not any(isinstance(update, StatusUpdate) and update.status in FINAL for update in segment.updates):
                yield Pause(SEGMENT_PAUSE if segment.retry_ms is None else segment.retry_ms / 1_000)

    def _segment_request(self, job_id: str, last_id: str, left: float | None) -> Request:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        longest = self.timeout + MAX_WAIT_SECONDS
        path = f"/jobs/{_id(job_id)}/events"
        return self._request("GET", path, headers=headers, timeout=longest if left is None else min(longest, left))

    # Reports

    def report_file(self, job_id: str, path: str, save: Path | None = None) -> Flow[bytes]:
        """A file of the job's report: written to ``save``, or else returned."""
        request = self._request("GET", f"/jobs/{_id(job_id)}/report/{quote(check_path(path))}")
        answer = yield from self._exchange(replace(request, headers={**request.headers, "Accept": "*/*"}, save=save))
        if not answer.is_success:
            raise error_of(answer, job_id)
        return b"" if save is not None else answer.content

    # How any of them is sent

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        content: bytes | None = None,
    ) -> Request:
        url = f"{self.endpoint.api}{path}" + (f"?{urlencode(query)}" if query else "")
        sent = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        sent["User-Agent"] = f"wainwright/{__version__}"
        if content is not None:
            sent["Content-Type"] = "application/json"
        longest = self.timeout if timeout is None else timeout
        return Request(method, url, sent | dict(headers or {}), content=content, timeout=longest)

    def _ask(
        self,
        answer_type: type[RecordT],
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Record | None = None,
        headers: Mapping[str, str] | None = None,
        job_id: str | None = None,
        timeout: float | None = None,
    ) -> Flow[RecordT]:
        content = body.model_dump_json(by_alias=True, exclude_none=True).encode() if body is not None else None
        request = self._request(method, path, query, headers=headers, timeout=timeout, content=content)
        answer = yield from self._exchange(request)
        if not answer.is_success:
            raise error_of(answer, job_id)
        try:
            return answer_type.model_validate_json(answer.content, extra="ignore")
        except ValidationError as error:
            raise UnexpectedAnswer(
                f"{self.endpoint.url} gave an answer that is not Wainwright's ({answer_type.__name__})",
                advice="Check the endpoint, and that both sides have the same version.",
            ) from error

    def _exchange(self, request: Request, deadline: float | None = None) -> Flow[httpx.Response]:
        """Send until there is an answer that stands; nothing is sent again after ``deadline`` on the clock."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = yield from _follow(request)
            except Unreachable:
                pause = self.rules.pause(attempt)
                if pause is None or (deadline is not None and self.clock() + pause >= deadline):
                    raise
            else:
                if answer.status_code not in REPEATED_STATUSES:
                    return answer
                pause = self.rules.pause(attempt, answer.headers.get("Retry-After"))
                if pause is None:
                    return answer
            yield Pause(pause)


def _follow(request: Request) -> Flow[httpx.Response]:
    """Send, and go where the answer points. The key goes to no other origin than the first one's."""
    for _ in range(MAX_REDIRECTS):
        answer = yield from send(request)
        if not answer.has_redirect_location or request.method != "GET":
            return answer
        here = httpx.URL(request.url)
        there = here.join(answer.headers["Location"])
        headers = dict(request.headers)
        if _origin(there) != _origin(here):
            headers.pop("Authorization", None)
        request = replace(request, url=str(there), headers=headers)
    raise UnexpectedAnswer(f"{httpx.URL(request.url).host} redirects in a circle")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    ports = {"http": 80, "https": 443}
    return url.scheme, url.host, url.port or ports.get(url.scheme)


def _id(job_id: str) -> str:
    return quote(job_id, safe="")
