"""Every call of the API as a flow of steps: what is sent, repeated, followed and read. No input or output here.

Calls that may be sent twice without doing their work twice (creation of a job by its ``Idempotency-Key``) are repeated
when the answer is lost or says to come back; the others only where it is known that nothing was done.
"""

import json
import os
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import quote

import httpx

from wainwright.client.bundles import Bundle, pack
from wainwright.client.errors import ApiError, ClientError, Unreachable, WaitTimeout, error_of
from wainwright.client.filters import JobFilters, LogFilters, States, query_of, states_of
from wainwright.client.project_calls import ProjectCalls
from wainwright.client.report import MANIFEST, Manifest, check_path, read_manifest
from wainwright.client.steps import Emit, Flow, Pause, Request, Stream, do
from wainwright.client.updates import StatusUpdate, Update, read_segment
from wainwright.client.wire import segment
from wainwright.contracts.http.bounds import MAX_WAIT_SECONDS
from wainwright.contracts.http.bundles import BundleAnswer, CreateBundle
from wainwright.contracts.http.jobs import CreateJob, JobAnswer, JobCreated, JobList, PatchJob, RetryJob, TicketAnswer
from wainwright.contracts.http.logs import CreateLog, LogAnswer, LogList
from wainwright.contracts.http.service import Health
from wainwright.contracts.http.templates import TemplateAnswer, TemplateList, TemplateRecord, WriteTemplate
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.logs import LogEntry, LogLevel
from wainwright.domain.states import AT_REST, FINAL, JobStatus

SEGMENT_PAUSE = 0.2
"""Seconds between two segments of the event stream, where the stream does not say."""

UPLOAD_TIMEOUT = 300.0
"""Seconds that the upload of a bundle may take."""


class Calls(ProjectCalls):
    """The calls of one endpoint with one key."""

    def health(self) -> Flow[Health]:
        """Whether the system answers, and whose key this is."""
        return self.ask(Health, "GET", "/health")

    def openapi(self) -> Flow[dict[str, Any]]:
        """The API's description, OpenAPI 3.1."""
        answer = yield from self.tell("GET", "/openapi.json")
        document: dict[str, Any] = answer.json()
        return document

    # Jobs

    def create_job(self, job: CreateJob, *, idempotency_key: str | None = None) -> Flow[JobCreated]:
        """Create a job, once: repetitions carry the same ``idempotency_key``, a random one if none is given."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return self.ask(JobCreated, "POST", "/jobs", body=job, headers=headers)

    def get_job(self, job_id: str, *, wait: int = 0, states: States = AT_REST) -> Flow[JobRecord]:
        """One job; with ``wait`` (seconds, at most 20) as soon as it is in one of ``states``, else as it is then."""
        query = {"wait": str(wait), "status": ",".join(sorted(states_of(states)))} if wait else {}
        longest = self.timeout + wait
        answer = yield from self.ask(
            JobAnswer, "GET", f"/jobs/{segment(job_id)}", query, job_id=job_id, timeout=longest
        )
        return answer.job

    def wait_for(
        self,
        job_id: str,
        *,
        states: States = AT_REST,
        wait_timeout: float | None = None,
        poll: float = MAX_WAIT_SECONDS,
        on_look: Callable[[JobRecord], object] | None = None,
    ) -> Flow[JobRecord]:
        """The job once it is in one of ``states``; ``on_look`` is told how it is at least every ``poll`` seconds.

        Raises:
            WaitTimeout: it was not within ``wait_timeout`` seconds.
            InvalidInput: there is no such state.
        """
        wanted = states_of(states)
        deadline = None if wait_timeout is None else self.clock() + wait_timeout
        longest = min(MAX_WAIT_SECONDS, max(1.0, poll))
        while True:
            left = longest if deadline is None else min(longest, deadline - self.clock())
            job = yield from self.get_job(job_id, wait=max(0, int(left)), states=wanted)
            if on_look is not None:
                on_look(job)
            if job.status in wanted:
                return job
            if wait_timeout is not None and deadline is not None and self.clock() >= deadline:
                raise WaitTimeout(job_id, wait_timeout, _reaching(wanted))
            if left < 1:
                yield Pause(SEGMENT_PAUSE)

    def list_jobs(self, *, cursor: str | None = None, **filters: Unpack[JobFilters]) -> Flow[JobList]:
        """A page of the jobs that all filters let through, newest first; ``cursor`` is the one of the page before."""
        return self.ask(JobList, "GET", "/jobs", query_of({**filters, "cursor": cursor}))

    def patch_job(
        self, job_id: str, *, priority: int | None = None, low_priority: bool | None = None, label: str | None = None
    ) -> Flow[JobRecord]:
        """Change what is given. Priorities can be changed while the job has not ended."""
        body = PatchJob(priority=priority, low_priority=low_priority, label=label)
        answer = yield from self.ask(JobAnswer, "PATCH", f"/jobs/{segment(job_id)}", body=body, job_id=job_id)
        return answer.job

    def delete_job(self, job_id: str) -> Flow[None]:
        """Delete a job that is at rest, its logs and its report."""
        yield from self.tell("DELETE", f"/jobs/{segment(job_id)}", job_id=job_id)

    def cancel_job(self, job_id: str) -> Flow[JobRecord]:
        """Cancel a job; what it left is kept. One that is canceled already is no error."""
        return self._control(job_id, "cancel", {JobStatus.CANCELING, JobStatus.CANCELED})

    def stop_job(self, job_id: str) -> Flow[JobRecord]:
        """Stop a job so that it can be resumed. One that is stopped already is no error."""
        return self._control(job_id, "stop", {JobStatus.STOPPING, JobStatus.STOPPED})

    def resume_job(self, job_id: str) -> Flow[JobRecord]:
        """Go on with a stopped job; what had passed does not run again."""
        answer = yield from self.ask(JobAnswer, "POST", f"/jobs/{segment(job_id)}/resume", job_id=job_id, again=False)
        return answer.job

    def retry_job(self, job_id: str, *, only_failed: bool = True) -> Flow[JobRecord]:
        """Try a failed job again, by the same id; with ``only_failed`` what has passed does not run again."""
        body = RetryJob(only_failed=only_failed)
        path = f"/jobs/{segment(job_id)}/retry"
        answer = yield from self.ask(JobAnswer, "POST", path, body=body, job_id=job_id, again=False)
        return answer.job

    def _control(self, job_id: str, action: str, done: set[JobStatus]) -> Flow[JobRecord]:
        try:
            answer = yield from self.ask(JobAnswer, "POST", f"/jobs/{segment(job_id)}/{action}", job_id=job_id)
        except ApiError as error:
            if error.status != httpx.codes.CONFLICT:
                raise
            job = yield from self.get_job(job_id)
            if job.status not in done:
                raise
            return job
        return answer.job

    def list_logs(self, job_id: str, *, cursor: str | None = None, **filters: Unpack[LogFilters]) -> Flow[LogList]:
        """A page of the job's log, oldest first; ``cursor`` is the one of the page before."""
        query = query_of({**filters, "cursor": cursor})
        return self.ask(LogList, "GET", f"/jobs/{segment(job_id)}/logs", query, job_id=job_id)

    def create_log(
        self, job_id: str, message: str, *, level: LogLevel = "INFO", additional_info: dict[str, Any] | None = None
    ) -> Flow[LogEntry]:
        """Add a line to the job's log; one of level ``ERROR`` sets the job's ``has_errors``."""
        body = CreateLog(level=level, message=message, additional_info=additional_info)
        path = f"/jobs/{segment(job_id)}/logs"
        answer = yield from self.ask(LogAnswer, "POST", path, body=body, job_id=job_id, again=False)
        return answer.log

    def ticket(self, job_id: str) -> Flow[TicketAnswer]:
        """Short-lived addresses of the job's report and events, for a browser."""
        return self.ask(TicketAnswer, "POST", f"/jobs/{segment(job_id)}/ticket", job_id=job_id)

    # Bundles

    def upload_bundle(self, source: Path | Bundle) -> Flow[str]:
        """Have a test directory, a test file, or a packed bundle at the system, and return its bundle id.

        Raises:
            BundleError: it cannot be packed.
        """
        if isinstance(source, Bundle):
            return (yield from self._upload(source))
        with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
            archive = Path(directory, "bundle.tar.gz")
            bundle = yield from do(lambda: pack([source], archive))
            return (yield from self._upload(bundle))

    def _upload(self, bundle: Bundle) -> Flow[str]:
        announced = CreateBundle(sha256=bundle.sha256, size=bundle.size)
        answer = yield from self.ask(BundleAnswer, "POST", "/bundles", body=announced)
        if answer.upload is not None:
            put = Request(
                answer.upload.method, answer.upload.url, answer.upload.headers, upload=bundle.file,
                timeout=max(self.timeout, UPLOAD_TIMEOUT),
            )  # fmt: skip
            reply = yield from self.exchange(put)
            if not reply.is_success:
                raise error_of(reply)
        return answer.bundle_id

    # Updates

    def events(self, job_id: str, *, wait_timeout: float | None = None) -> Stream[Update]:
        """The job's updates from its beginning to its end, across lost connections.

        A test case may be told twice, when the place in the stream has expired: take the last.

        Raises:
            WaitTimeout: the job has not ended within ``wait_timeout`` seconds.
        """
        deadline = None if wait_timeout is None else self.clock() + wait_timeout
        last_id = ""
        while True:
            left = None if deadline is None else deadline - self.clock()
            if wait_timeout is not None and left is not None and left <= 0:
                raise WaitTimeout(job_id, wait_timeout)
            try:
                answer = yield from self.exchange(self._segment_request(job_id, last_id, left), deadline, job_id)
            except Unreachable as error:
                if error.timed_out and wait_timeout is not None and deadline is not None and self.clock() >= deadline:
                    raise WaitTimeout(job_id, wait_timeout) from error
                raise
            if answer.status_code == httpx.codes.NO_CONTENT:
                return
            if not answer.is_success:
                raise error_of(answer, job_id)
            try:
                part = read_segment(answer, last_id)
            except ClientError as error:
                error.job_id = job_id
                raise
            last_id = part.last_id
            for update in part.updates:
                yield Emit(update)
            if not any(isinstance(update, StatusUpdate) and update.status in FINAL for update in part.updates):
                yield Pause(SEGMENT_PAUSE if part.retry_ms is None else part.retry_ms / 1_000)

    def _segment_request(self, job_id: str, last_id: str, left: float | None) -> Request:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last_id} if last_id else {})
        longest = self.timeout + MAX_WAIT_SECONDS
        path = f"/jobs/{segment(job_id)}/events"
        return self.request("GET", path, headers=headers, timeout=longest if left is None else min(longest, left))

    # Reports

    def report_file(self, job_id: str, path: str, target: Path) -> Flow[Path]:
        """Write one file of the job's report to ``target``: whole, or not at all."""
        partial = yield from do(lambda: _partial_file(target))
        try:
            yield from self._report(job_id, path, partial)
            yield from do(lambda: _complete(partial, target))
        finally:
            partial.unlink(missing_ok=True)
        return target

    def manifest(self, job_id: str) -> Flow[Manifest]:
        """What files the job's report has."""
        answer = yield from self._report(job_id, MANIFEST)
        return read_manifest(answer.content)

    def _report(self, job_id: str, path: str, save: Path | None = None) -> Flow[httpx.Response]:
        request = self.request("GET", f"/jobs/{segment(job_id)}/report/{quote(check_path(path))}")
        with_headers = replace(request, headers={**request.headers, "Accept": "*/*"}, save=save)
        answer = yield from self.exchange(with_headers, job_id=job_id)
        if not answer.is_success:
            raise error_of(answer, job_id)
        return answer

    # Templates

    def create_template(self, template: WriteTemplate) -> Flow[TemplateRecord]:
        """Store what to run, by a name, with declared parameters."""
        answer = yield from self.ask(TemplateAnswer, "POST", "/templates", body=template, again=False)
        return answer.template

    def list_templates(self, *, limit: int | None = None, cursor: str | None = None) -> Flow[TemplateList]:
        """A page of the project's templates, by name."""
        return self.ask(TemplateList, "GET", "/templates", query_of({"limit": limit, "cursor": cursor}))

    def get_template(self, template_id: str, *, version: int | None = None) -> Flow[TemplateRecord]:
        """One template, in its newest version if none is given."""
        path = f"/templates/{segment(template_id)}"
        answer = yield from self.ask(TemplateAnswer, "GET", path, query_of({"version": version}))
        return answer.template

    def update_template(self, template_id: str, template: WriteTemplate) -> Flow[TemplateRecord]:
        """A new version; jobs remember theirs."""
        path = f"/templates/{segment(template_id)}"
        answer = yield from self.ask(TemplateAnswer, "PUT", path, body=template, again=False)
        return answer.template

    def delete_template(self, template_id: str) -> Flow[None]:
        """Delete a template; its jobs stay."""
        yield from self.tell("DELETE", f"/templates/{segment(template_id)}")

    def invoke_template(
        self, template_id: str, fields: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> Flow[JobCreated]:
        """Create a job of a template, once.

        ``fields`` are flat, spelt as on the wire: ``url``, job options, ``config`` keys and the declared parameters.
        """
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        path = f"/templates/{segment(template_id)}/invoke"
        return self.ask(JobCreated, "POST", path, body=json.dumps(dict(fields or {})).encode(), headers=headers)


def _reaching(states: frozenset[JobStatus]) -> str:
    return "ended" if states in (AT_REST, FINAL) else f"become {' or '.join(sorted(states))}"


def _partial_file(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".part", delete=False) as part:
        return Path(part.name)


def _complete(partial: Path, target: Path) -> None:
    partial.chmod(0o666 & ~_umask())
    partial.replace(target)


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
