"""Reports: tickets for browsers, and the files behind them."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from wainwright.contracts.names import check_job_id
from wainwright.contracts.report_files import INDEX, MANIFEST, REPORT_ZIP
from wainwright.domain.errors import InvalidInput, NotFound, NotStored, TooLarge
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef
from wainwright.ports.access import AccessStore, Ticket
from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.ports.clock import Clock
from wainwright.ports.job_store import JobStore
from wainwright.ports.spool import Spool
from wainwright.usecases.authenticate import Authenticate
from wainwright.usecases.caller import Caller
from wainwright.usecases.find_job import find_job
from wainwright.usecases.manage_keys import digest
from wainwright.usecases.pack_report import PackReport, file_key, too_large, zip_key

TICKET_LASTS = timedelta(hours=1)
LINK_LASTS = timedelta(minutes=15)

MAX_INLINE_BYTES = 4 * 1_048_576
"""A function's answer is bounded by 6 MB, base64 included; what is larger is fetched from the bucket."""

MAX_SPOOLED_BYTES = 64 * 1_048_576
"""Of a file on a disk within reach: there is no address to redirect to, and nothing but memory bounds the answer."""

_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*\Z")


@dataclass(frozen=True)
class ReportFile:
    """One file of a report: its content, or the address where it can be fetched for a while."""

    content: bytes = b""
    content_type: str = "application/octet-stream"
    redirect: str | None = None


@dataclass(frozen=True)
class OpenReports:
    """Gives tickets and reads reports. ``reports_url`` is the origin that reports have for themselves."""

    jobs: JobStore
    access: AccessStore
    artifacts: Artifacts
    spool: Spool
    clock: Clock
    reports_url: str

    def give_ticket(self, caller: Caller, job_id: str) -> tuple[str, datetime]:
        """Return the address that a new ticket for a job's report and events has, and when it expires.

        Raises:
            NotFound: the project has no such job.
        """
        find_job(self.jobs, self.clock, caller.project, job_id)
        secret = secrets.token_urlsafe(32)
        expires_at = self.clock() + TICKET_LASTS
        self.access.put_ticket(Ticket(digest(secret), caller.project, job_id, expires_at))
        return f"{self.reports_url}/r/{secret}", expires_at

    def read_by_ticket(self, secret: str, path: str) -> ReportFile:
        """Return a file of the report that a ticket opens.

        Raises:
            Unauthenticated: the ticket is unknown or has expired.
            NotFound: there is no such file (yet).
        """
        ticket = Authenticate(self.access, self.clock).open_ticket(secret)
        return self._read(ticket.project, ticket.job_id, path)

    def read(self, caller: Caller, job_id: str, path: str) -> ReportFile:
        """Return a file of a job's report.

        Raises:
            NotFound: no such job or file, or the report is not there yet.
            NotStored: the file could not be uploaded, and the disk where it lies cannot be reached from here.
            TooLarge: the zip of all files was asked for, and there is too much to pack.
        """
        return self._read(caller.project, check_job_id(job_id), path)

    def _read(self, project: str, job_id: str, path: str) -> ReportFile:
        path = path or INDEX
        if not _PATH.match(path) or len(path) > 300 or any(set(part) == {"."} for part in path.split("/")):
            raise InvalidInput("path", "a report cannot have a file of this name")
        job = find_job(self.jobs, self.clock, project, job_id)
        if job.report is None:
            raise NotFound(
                f"the job is {job.status} and has no report yet",
                advice="Wait until the job has ended: GET /v1/jobs/{jobId}?wait=20.",
            )
        if path == REPORT_ZIP:
            return self._zip(job, job.report)
        return self._file(job, job.report, path)

    def _zip(self, job: Job, report: ReportRef) -> ReportFile:
        key = zip_key(job, report)
        if self.artifacts.size_and_age(key) is None:
            manifest = self._file(job, report, MANIFEST)
            if manifest.redirect is not None:
                raise too_large(job, "has more files than fit in")
            PackReport(self.artifacts, self.spool, self.clock)(job, report, manifest.content)
        return self._stored(key)

    def _file(self, job: Job, report: ReportRef, path: str) -> ReportFile:
        key = file_key(job, report, path)
        if self.spool.has(key):
            try:
                return ReportFile(*self.spool.get(key, most=MAX_SPOOLED_BYTES))
            except ArtifactMissing:
                pass  # it went up just now
            except TooLarge as error:
                raise TooLarge(
                    f"{path} is on the worker's disk and larger than the {MAX_SPOOLED_BYTES} bytes that are read from there",
                    advice="Ask again in some minutes: once it is uploaded, it can be fetched at any size.",
                ) from error
        try:
            return self._stored(key)
        except ArtifactMissing as error:
            raise _not_found(report, path) from error

    def _stored(self, key: str) -> ReportFile:
        try:
            content, content_type = self.artifacts.get(key, most=MAX_INLINE_BYTES)
        except TooLarge:
            return ReportFile(redirect=self.artifacts.presign_get(key, lasts=LINK_LASTS).url)
        return ReportFile(content=content, content_type=content_type)


def _not_found(report: ReportRef, path: str) -> NotFound:
    if not report.is_missing(path):
        return NotFound(f"the report has no file {path}")
    return NotStored(
        f"{path} is on the disk of the worker that wrote it, which the API cannot read: {report.describe_missing()}",
        advice="A worker that is still there goes on trying: ask again in some minutes. If the job failed, "
        "POST /v1/jobs/{jobId}/retry writes the report again; tests that have passed do not run again.",
    )
