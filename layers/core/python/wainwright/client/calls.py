"""Every call of the API, as coroutines over a transport that either awaits or blocks.

Calls that may be sent twice without doing their work twice (creation of a job by its ``Idempotency-Key``) are repeated
when the answer is lost or says to come back; the others only where it is known that nothing was done.
"""

import json
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, Unpack

import httpx

from wainwright.client.bundles import Bundle, pack
from wainwright.client.errors import ApiError
from wainwright.client.filters import JobFilters, LogFilters, Moment, query_of
from wainwright.client.following import Following
from wainwright.client.report import check_path, read_manifest
from wainwright.client.transport import Request
from wainwright.contracts.http.access import (
    CreateKey,
    KeyCreated,
    KeyList,
    KeyRecord,
    PutSecret,
    SecretAnswer,
    SecretList,
    SecretRecord,
)
from wainwright.contracts.http.bundles import BundleAnswer, CreateBundle
from wainwright.contracts.http.jobs import (
    CreateJob,
    JobAnswer,
    JobCreated,
    JobList,
    PatchJob,
    QueueAnswer,
    RetryJob,
    TicketAnswer,
)
from wainwright.contracts.http.logs import CreateLog, LogAnswer, LogList
from wainwright.contracts.http.quarantine import PutQuarantine, QuarantineAnswer, QuarantineList
from wainwright.contracts.http.service import Health
from wainwright.contracts.http.templates import TemplateAnswer, TemplateList, TemplateRecord, WriteTemplate
from wainwright.contracts.job_records import JobRecord
from wainwright.contracts.report_files import MANIFEST, Manifest
from wainwright.contracts.scopes import Scope
from wainwright.domain.analytics import Analytics, TestAnalytics
from wainwright.domain.capacity import Limits
from wainwright.domain.logs import LogEntry, LogLevel
from wainwright.domain.quarantine import Quarantine
from wainwright.domain.secrets import check_secret_value
from wainwright.domain.states import JobStatus

UPLOAD_TIMEOUT = 300.0
"""Seconds that the upload of a bundle may take."""


class Calls(Following):
    """The calls of one endpoint with one key."""

    async def health(self) -> Health:
        """Return the state of the system, and whose key this is."""
        return await self._call(Health, "GET", "health")

    async def openapi(self) -> dict[str, Any]:
        """Return the API's description, OpenAPI 3.1."""
        document: dict[str, Any] = (await self._send("GET", "openapi.json")).json()
        return document

    # Jobs

    async def create_job(self, job: CreateJob, *, idempotency_key: str | None = None) -> JobCreated:
        """Create a job, once: repetitions carry the same ``idempotency_key``, a random one if none is given."""
        return await self._call(JobCreated, "POST", "jobs", body=job, headers=_once(idempotency_key))

    async def list_jobs(self, *, cursor: str | None = None, **filters: Unpack[JobFilters]) -> JobList:
        """Return a page of the jobs that all filters let through, newest first; ``cursor`` is the last page's."""
        return await self._call(JobList, "GET", "jobs", query=query_of({**filters, "cursor": cursor}))

    async def patch_job(
        self, job_id: str, *, priority: int | None = None, low_priority: bool | None = None, label: str | None = None
    ) -> JobRecord:
        """Change what is given. Priorities can be changed while the job has not ended."""
        body = PatchJob(priority=priority, low_priority=low_priority, label=label)
        return (await self._call(JobAnswer, "PATCH", "jobs", job_id, body=body)).job

    async def delete_job(self, job_id: str) -> None:
        """Delete a job that is at rest, its logs and its report."""
        await self._send("DELETE", "jobs", job_id)

    async def cancel_job(self, job_id: str) -> JobRecord:
        """Cancel a job; its report and logs are kept. One that is canceled already is no error."""
        return await self._end_job(job_id, "cancel", {JobStatus.CANCELING, JobStatus.CANCELED})

    async def stop_job(self, job_id: str) -> JobRecord:
        """Stop a job so that it can be resumed. One that is stopped already is no error."""
        return await self._end_job(job_id, "stop", {JobStatus.STOPPING, JobStatus.STOPPED})

    async def resume_job(self, job_id: str) -> JobRecord:
        """Go on with a stopped job; tests that passed do not run again."""
        return (await self._call(JobAnswer, "POST", "jobs", job_id, "resume", again=False)).job

    async def retry_job(self, job_id: str, *, only_failed: bool = True) -> JobRecord:
        """Try a failed job again, by the same id; with ``only_failed`` tests that passed do not run again."""
        body = RetryJob(only_failed=only_failed)
        return (await self._call(JobAnswer, "POST", "jobs", job_id, "retry", body=body, again=False)).job

    async def _end_job(self, job_id: str, action: str, done: set[JobStatus]) -> JobRecord:
        try:
            return (await self._call(JobAnswer, "POST", "jobs", job_id, action)).job
        except ApiError as error:
            if error.status != httpx.codes.CONFLICT:
                raise
            job = await self.get_job(job_id)
            if job.status not in done:
                raise
            return job

    async def list_logs(self, job_id: str, *, cursor: str | None = None, **filters: Unpack[LogFilters]) -> LogList:
        """Return a page of the job's log, oldest first; ``cursor`` is the last page's."""
        return await self._call(LogList, "GET", "jobs", job_id, "logs", query=query_of({**filters, "cursor": cursor}))

    async def create_log(
        self, job_id: str, message: str, *, level: LogLevel = "INFO", additional_info: dict[str, Any] | None = None
    ) -> LogEntry:
        """Add a line to the job's log; one of level ``ERROR`` sets the job's ``has_errors``."""
        body = CreateLog(level=level, message=message, additional_info=additional_info)
        return (await self._call(LogAnswer, "POST", "jobs", job_id, "logs", body=body, again=False)).log

    async def ticket(self, job_id: str) -> TicketAnswer:
        """Return short-lived addresses of the job's report and events, for a browser."""
        return await self._call(TicketAnswer, "POST", "jobs", job_id, "ticket")

    # Bundles

    async def upload_bundle(self, source: Path | Bundle) -> str:
        """Upload a test directory, a test file, or a packed bundle unless it is there, and return its bundle id.

        Raises:
            BundleError: it cannot be packed.
        """
        if isinstance(source, Bundle):
            return await self._upload(source)
        with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
            archive = Path(directory, "bundle.tar.gz")
            return await self._upload(await self.transport.call(lambda: pack([source], archive)))

    async def _upload(self, bundle: Bundle) -> str:
        body = CreateBundle(sha256=bundle.sha256, size=bundle.size)
        answer = await self._call(BundleAnswer, "POST", "bundles", body=body)
        if (upload := answer.upload) is not None:
            timeout = max(self._timeout, UPLOAD_TIMEOUT)
            await self._exchange(
                Request(upload.method, upload.url, upload.headers, upload=bundle.file, timeout=timeout)
            )
        return answer.bundle_id

    # Reports

    async def report_file(self, job_id: str, path: str, target: Path) -> Path:
        """Write one file of the job's report to ``target``: whole, or not at all."""
        partial = target.with_name(f".{uuid.uuid4().hex}.part")
        await self.transport.call(lambda: target.parent.mkdir(parents=True, exist_ok=True))
        try:
            await self._get_report(job_id, path, save=partial)
            await self.transport.call(lambda: partial.replace(target))
        finally:
            partial.unlink(missing_ok=True)
        return target

    async def manifest(self, job_id: str) -> Manifest:
        """Return the list of the files in the job's report."""
        return read_manifest((await self._get_report(job_id, MANIFEST)).content)

    async def _get_report(self, job_id: str, path: str, save: Path | None = None) -> httpx.Response:
        parts = check_path(path).split("/")
        return await self._send("GET", "jobs", job_id, "report", *parts, headers={"Accept": "*/*"}, save=save)

    # Templates

    async def create_template(self, template: WriteTemplate) -> TemplateRecord:
        """Store a template by a name, with declared parameters."""
        return (await self._call(TemplateAnswer, "POST", "templates", body=template, again=False)).template

    async def list_templates(self, *, limit: int | None = None, cursor: str | None = None) -> TemplateList:
        """Return a page of the project's templates, by name."""
        return await self._call(TemplateList, "GET", "templates", query=query_of({"limit": limit, "cursor": cursor}))

    async def get_template(self, template_id: str, *, version: int | None = None) -> TemplateRecord:
        """Return one template, in its newest version if none is given."""
        query = query_of({"version": version})
        return (await self._call(TemplateAnswer, "GET", "templates", template_id, query=query)).template

    async def update_template(self, template_id: str, template: WriteTemplate) -> TemplateRecord:
        """Store a new version; jobs remember theirs."""
        return (await self._call(TemplateAnswer, "PUT", "templates", template_id, body=template, again=False)).template

    async def delete_template(self, template_id: str) -> None:
        """Delete a template; its jobs stay."""
        await self._send("DELETE", "templates", template_id)

    async def invoke_template(
        self, template_id: str, fields: Mapping[str, Any] | None = None, *, idempotency_key: str | None = None
    ) -> JobCreated:
        """Create a job of a template, once.

        ``fields`` are flat, spelt as on the wire: ``url``, job options, ``config`` keys and the declared parameters.
        """
        body = json.dumps(dict(fields or {})).encode()
        return await self._call(
            JobCreated, "POST", "templates", template_id, "invoke", body=body, headers=_once(idempotency_key)
        )

    # The project

    async def analytics(
        self,
        *,
        template_id: str | None = None,
        from_: Moment | None = None,
        to: Moment | None = None,
        job_ids: Iterable[str] | None = None,
    ) -> Analytics:
        """Return success rate, durations, errors and flaky tests: of a template and time, or of at most 100 jobs by id."""
        ids = list(job_ids) if job_ids is not None else None
        query = query_of({"template_id": template_id, "from_": from_, "to": to, "job_ids": ids})
        return await self._call(Analytics, "GET", "analytics", query=query)

    async def queue(self, *, long_running_minutes: int | None = None) -> QueueAnswer:
        """Return the jobs that run, wait, failed lately or run long (10 minutes, if not given)."""
        query = query_of({"long_running_minutes": long_running_minutes})
        return await self._call(QueueAnswer, "GET", "queue", query=query)

    async def get_limits(self) -> Limits:
        """Return capacity and retention of the project."""
        return await self._call(Limits, "GET", "limits")

    async def put_limits(self, limits: Limits) -> Limits:
        """Set capacity and retention of the project, all of them: what is not given gets its default."""
        return await self._call(Limits, "PUT", "limits", body=limits)

    async def list_keys(self) -> list[KeyRecord]:
        """Return the API keys of the project, without secrets."""
        return (await self._call(KeyList, "GET", "keys")).keys

    async def create_key(self, name: str, scope: Scope = Scope.RUN) -> KeyCreated:
        """Create an API key; its secret is in this answer alone."""
        return await self._call(KeyCreated, "POST", "keys", body=CreateKey(name=name, scope=scope), again=False)

    async def revoke_key(self, key_id: str) -> None:
        """Revoke an API key; noticed everywhere within 30 s."""
        await self._send("DELETE", "keys", key_id)

    async def list_secrets(self) -> list[SecretRecord]:
        """Return the secrets of the project: names and times, never values. Needs a key of scope admin, as all of these."""
        return (await self._call(SecretList, "GET", "secrets")).secrets

    async def put_secret(self, name: str, value: str) -> SecretRecord:
        """Set a secret, which jobs that start from now on have as an environment variable of this name.

        Raises:
            InvalidInput: the value cannot be a secret's; the error says nothing of it.
        """
        body = PutSecret(value=check_secret_value(value))
        return (await self._call(SecretAnswer, "PUT", "secrets", name, body=body)).secret

    async def delete_secret(self, name: str) -> None:
        """Delete a secret."""
        await self._send("DELETE", "secrets", name)

    async def analyze_tests(
        self,
        *,
        flaky: bool | None = None,
        file: str | None = None,
        sort_by: Literal["flakeRate", "failureRate", "duration"] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> TestAnalytics:
        """Return one page of the project's tests, the flakiest first, or those that fail most or take longest."""
        query = query_of({"flaky": flaky, "file": file, "sort_by": sort_by, "limit": limit, "cursor": cursor})
        return await self._call(TestAnalytics, "GET", "analytics", "tests", query=query)

    async def list_quarantine(self) -> list[Quarantine]:
        """Return the tests in quarantine, by id; those whose last day is over for a week more."""
        return (await self._call(QuarantineList, "GET", "quarantine")).quarantine

    async def put_quarantine(self, test_id: str, *, until: date, reason: str) -> Quarantine:
        """Put a test into quarantine until the end of a day in UTC, at most 90 ahead: it runs, and fails no job."""
        body = PutQuarantine(test_id=test_id, until=until, reason=reason)
        return (await self._call(QuarantineAnswer, "PUT", "quarantine", body=body)).quarantine

    async def delete_quarantine(self, test_id: str) -> None:
        """Take a test out of quarantine."""
        await self._send("DELETE", "quarantine", query={"testId": test_id})


def _once(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
