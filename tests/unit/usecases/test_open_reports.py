"""Tickets, and the files of reports."""

from datetime import timedelta

import pytest

from tests.support.builders import PROJECT, START, a_caller, a_job, job_id
from tests.support.memory.spool import MemorySpool
from tests.support.system import System
from wainwright.contracts.names import report_key, viewer_key
from wainwright.contracts.problems import problem_of
from wainwright.domain.errors import InvalidInput, NotFound, NotStored, TooLarge, Unauthenticated
from wainwright.domain.jobs import Job, JobDetail
from wainwright.domain.reports import ReportRef
from wainwright.ports.job_store import JobView, Progress
from wainwright.usecases.manage_keys import digest
from wainwright.usecases.open_reports import MAX_INLINE_BYTES, MAX_SPOOLED_BYTES, TICKET_LASTS, OpenReports, ReportFile
from wainwright.usecases.present_job import present

ORIGIN = "https://reports.example"
CALLER = a_caller()


@pytest.fixture
def reports(system: System) -> OpenReports:
    return OpenReports(system.jobs, system.access, system.artifacts, system.spool, system.clock, ORIGIN)


@pytest.fixture
def job(system: System) -> Job:
    """A job with a report under fence 3."""
    job = system.jobs.write(None, a_job(report=ReportRef(fence=3, complete=True, viewer="1.2.3")))
    for path, content, kind in (
        ("index.html", b"<html>", "text/html"),
        ("data/1-1-trace.zip", b"PK", "application/zip"),
    ):
        system.artifacts.put(report_key(PROJECT, job.id, fence=3, path=path), content, kind)
    system.artifacts.put(report_key(PROJECT, job.id, fence=2, path="index.html"), b"old", "text/html")
    system.artifacts.put(viewer_key("1.2.3", "sw.bundle.js"), b"js", "text/javascript")
    return job


def secret_of(url: str) -> str:
    prefix = f"{ORIGIN}/r/"
    assert url.startswith(prefix)
    return url.removeprefix(prefix)


def test_reads_the_report_of_the_last_fence(reports: OpenReports, job: Job) -> None:
    file = reports.read(CALLER, job.id, "index.html")

    assert (file.content, file.content_type, file.redirect) == (b"<html>", "text/html", None)


def test_no_path_is_the_first_page(reports: OpenReports, job: Job) -> None:
    assert reports.read(CALLER, job.id, "").content == b"<html>"


def test_reads_attachments_of_earlier_fences(reports: OpenReports, job: Job) -> None:
    assert reports.read(CALLER, job.id, "data/1-1-trace.zip").content == b"PK"


def test_reads_the_trace_viewer_of_the_reports_own_version(reports: OpenReports, job: Job) -> None:
    assert reports.read(CALLER, job.id, "trace/sw.bundle.js").content == b"js"


def test_a_ticket_opens_the_report_of_its_job(reports: OpenReports, job: Job) -> None:
    address, expires_at = reports.give_ticket(CALLER, job.id)

    assert expires_at == START + TICKET_LASTS
    assert reports.read_by_ticket(secret_of(address), "index.html").content == b"<html>"


def test_a_ticket_expires(system: System, reports: OpenReports, job: Job) -> None:
    secret = secret_of(reports.give_ticket(CALLER, job.id)[0])
    system.clock.advance(TICKET_LASTS - timedelta(milliseconds=1))
    reports.read_by_ticket(secret, "index.html")
    system.clock.advance(timedelta(milliseconds=1))

    with pytest.raises(Unauthenticated) as refused:
        reports.read_by_ticket(secret, "index.html")
    assert "wainwright report open" in refused.value.advice


def test_a_made_up_ticket_opens_nothing(reports: OpenReports, job: Job) -> None:
    secret = secret_of(reports.give_ticket(CALLER, job.id)[0])

    for guess in ("", "x", digest(secret), job.id):
        with pytest.raises(Unauthenticated):
            reports.read_by_ticket(guess, "index.html")


def test_tickets_differ_and_are_kept_only_as_their_digest(system: System, reports: OpenReports, job: Job) -> None:
    secrets = {secret_of(reports.give_ticket(CALLER, job.id)[0]) for _ in range(3)}

    assert len(secrets) == 3
    for secret in secrets:
        assert len(secret) >= 43
        kept = system.access.find_ticket(digest(secret))
        assert kept is not None
        assert secret not in repr(kept)


def test_gives_no_ticket_for_a_job_of_another_project(reports: OpenReports, job: Job) -> None:
    with pytest.raises(NotFound):
        reports.give_ticket(a_caller("other"), job.id)
    with pytest.raises(NotFound):
        reports.read(a_caller("other"), job.id, "index.html")


def test_a_large_file_is_fetched_from_where_it_lies(system: System, reports: OpenReports, job: Job) -> None:
    for size, inline in ((MAX_INLINE_BYTES, True), (MAX_INLINE_BYTES + 1, False)):
        key = report_key(PROJECT, job.id, fence=3, path="data/1-2-video.webm")
        system.artifacts.put(key, b"x" * size, "video/webm")

        file = reports.read(CALLER, job.id, "data/1-2-video.webm")

        assert (file.redirect is None) == inline
        assert (len(file.content) == size) == inline
        assert inline or key in str(file.redirect)


@pytest.mark.parametrize(
    "path",
    [
        "../../other/secret", "data/../../x", "..", ".", "data/..", "data/./x", "/etc/passwd", "data//x", "data/",
        "a\\b", "%2e%2e/x", "a b", "x?y", "x\n", "x\0", "é", "...", "a" * 301, "trace/../../../reports/x", "trace/..",
    ],
)  # fmt: skip
def test_refuses_names_that_no_report_has(reports: OpenReports, job: Job, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        reports.read(CALLER, job.id, path)

    assert refused.value.field == "path"


@pytest.mark.parametrize("path", ["missing.html", "data/9-9-none.png", "trace/none.js", "f2/index.html"])
def test_tells_of_a_file_that_is_not_there(reports: OpenReports, job: Job, path: str) -> None:
    with pytest.raises(NotFound, match=path):
        reports.read(CALLER, job.id, path)


def test_tells_of_a_report_that_is_not_there_yet_and_what_to_do(system: System, reports: OpenReports) -> None:
    job = system.jobs.write(None, a_job())

    with pytest.raises(NotFound, match="pending") as refused:
        reports.read(CALLER, job.id, "index.html")
    assert refused.value.advice


def test_tells_of_a_job_that_is_not_there(reports: OpenReports) -> None:
    with pytest.raises(NotFound):
        reports.give_ticket(CALLER, job_id(99))
    with pytest.raises(InvalidInput) as refused:
        reports.give_ticket(CALLER, "99")
    assert refused.value.field == "jobId"


class TestFilesThatCouldNotBeUploaded:
    """Under fence 3, `index.html` and a trace are missing."""

    MISSING = ("index.html", "data/3-1-trace.zip", "trace/")

    @pytest.fixture
    def job(self, system: System) -> Job:
        report = ReportRef(fence=3, complete=True, viewer="1.2.3").with_missing(self.MISSING, "S3 answered SlowDown")
        return system.jobs.write(None, a_job(report=report))

    @pytest.mark.parametrize("path", ["index.html", "data/3-1-trace.zip", "trace/index.html", ""])
    def test_what_cannot_be_reached_is_named_with_the_reason_and_what_to_do(
        self, reports: OpenReports, job: Job, path: str
    ) -> None:
        with pytest.raises(NotStored) as refused:
            reports.read(CALLER, job.id, path)

        problem = problem_of(refused.value)
        assert (problem.status, problem.type) == (404, "urn:wainwright:problem:not-stored")
        assert problem.detail.startswith(path or "index.html")
        assert "SlowDown" in problem.detail
        assert all(each in problem.detail for each in self.MISSING)
        assert "retry" in (problem.advice or "")

    def test_what_the_report_never_had_is_plainly_not_found(self, reports: OpenReports, job: Job) -> None:
        for path in ("data/3-9-none.png", "junit.xml"):
            with pytest.raises(NotFound) as refused:
                reports.read(CALLER, job.id, path)
            assert not isinstance(refused.value, NotStored)

    def test_where_more_is_missing_than_is_named_it_may_be_any_attachment(
        self, system: System, reports: OpenReports
    ) -> None:
        paths = [f"data/3-{number}-trace.zip" for number in range(80)]
        report = ReportRef(fence=3, complete=True, viewer="1.2.3").with_missing(paths, "S3 answered SlowDown")
        job = system.jobs.write(None, a_job(report=report))

        with pytest.raises(NotStored, match=r"80 files of the report .* 75 more"):
            reports.read(CALLER, job.id, paths[-1])

    def test_what_lies_on_a_disk_within_reach_is_served_from_there(
        self, system: System, reports: OpenReports, job: Job
    ) -> None:
        large = b"x" * (MAX_INLINE_BYTES + 1)
        system.spool = MemorySpool(100_000_000)
        reports = OpenReports(system.jobs, system.access, system.artifacts, system.spool, system.clock, ORIGIN)
        for path, content, kind in (
            ("index.html", b"<html>", "text/html"),
            ("data/3-1-trace.zip", large, "application/zip"),
        ):
            system.spool.put(report_key(PROJECT, job.id, fence=3, path=path), content, kind)
        system.spool.put(viewer_key("1.2.3", "sw.bundle.js"), b"js", "text/javascript")

        assert reports.read(CALLER, job.id, "") == ReportFile(b"<html>", "text/html")
        assert reports.read(CALLER, job.id, "data/3-1-trace.zip") == ReportFile(large, "application/zip")
        assert reports.read(CALLER, job.id, "trace/sw.bundle.js").content == b"js"

    def test_what_went_up_meanwhile_is_served_from_the_bucket(
        self, system: System, reports: OpenReports, job: Job
    ) -> None:
        system.artifacts.put(report_key(PROJECT, job.id, fence=3, path="index.html"), b"<html>", "text/html")

        assert reports.read(CALLER, job.id, "index.html").content == b"<html>"

    def test_there_is_a_bound_to_what_is_read_from_a_disk(self, system: System, job: Job) -> None:
        spool = MemorySpool(MAX_SPOOLED_BYTES * 2)
        spool.put(report_key(PROJECT, job.id, fence=3, path="index.html"), b"x" * (MAX_SPOOLED_BYTES + 1), "text/html")
        reports = OpenReports(system.jobs, system.access, system.artifacts, spool, system.clock, ORIGIN)

        with pytest.raises(TooLarge, match=r"index\.html is on the worker's disk"):
            reports.read(CALLER, job.id, "index.html")

    def test_another_project_is_served_nothing_from_the_disk(
        self, system: System, reports: OpenReports, job: Job
    ) -> None:
        system.spool.put(report_key(PROJECT, job.id, fence=3, path="index.html"), b"<html>", "text/html")

        with pytest.raises(NotFound):
            reports.read(a_caller("other"), job.id, "index.html")

    def test_the_record_names_what_is_missing_until_it_is_there(self, job: Job) -> None:
        link = present(JobView(job=job, detail=JobDetail(), progress=Progress()), START).report

        assert (link.ready, link.complete) == (True, False)
        assert (link.missing, link.missing_count) == (list(self.MISSING), 3)
        assert link.missing_reason == "S3 answered SlowDown"
        after = job.note_uploads([(3, "index.html"), (None, "data/3-1-trace.zip"), (3, "trace/")], 0, START)
        link = present(JobView(job=after, detail=JobDetail(), progress=Progress()), START).report
        assert (link.complete, link.missing, link.missing_count, link.missing_reason) == (True, [], 0, None)
