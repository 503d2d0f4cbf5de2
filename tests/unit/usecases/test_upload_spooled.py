"""A worker's rounds through its spool."""

from datetime import timedelta

import pytest

from tests.support.builders import PROJECT, a_caller, a_job, completed, failed, job_id
from tests.support.system import System
from wainwright.contracts.names import TRACE_VIEWER, report_key, viewer_key
from wainwright.domain.errors import Conflict, Unavailable
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.reports import MOST_MISSING, ReportRef
from wainwright.domain.states import JobStatus
from wainwright.usecases.remove_job import remove_job
from wainwright.usecases.upload_spooled import FIRST_PAUSE, MAX_PAUSE, ROUND, UploadSpooled

REPORT = ReportRef(fence=1, complete=True, viewer="1.65")
REASON = "S3 answered SlowDown"


def key(job: Job, path: str, fence: int = 1) -> str:
    return report_key(PROJECT, job.id, fence=fence, path=path)


def keep(system: System, job: Job, *paths: str, fence: int = 1) -> None:
    for path in paths:
        system.spool.put(key(job, path, fence), path.encode(), "text/plain")


@pytest.fixture
def rounds(system: System) -> UploadSpooled:
    return UploadSpooled(system.jobs, system.artifacts, system.spool, system.clock, uniform=lambda _least, most: most)


def ended(system: System, *missing: str) -> Job:
    """A job that failed, and whose report lacks these files."""
    outcome = failed().model_copy(update={"report": REPORT.with_missing(missing, REASON)})
    claim = system.claimed()
    system.claims.end(claim, outcome)
    system.finish(PROJECT, claim.job.id, claim.job.run)
    job = system.job(claim.job)
    keep(system, job, *missing)
    return job


def report_of(system: System, job: Job) -> ReportRef:
    report = system.job(job).report
    assert report is not None
    return report


def test_what_lay_there_goes_up_and_the_job_no_longer_says_that_it_is_missing(
    system: System, rounds: UploadSpooled
) -> None:
    job = ended(system, "index.html", "data/1-1-trace.zip")
    system.pass_time(10)

    rounds()

    assert system.artifacts.get(key(job, "data/1-1-trace.zip"))[0] == b"data/1-1-trace.zip"
    assert report_of(system, job) == REPORT
    assert report_of(system, job).is_intact
    assert system.spool.objects == {}
    after = system.job(job)
    assert (after.status, after.failure, after.completed_at) == (job.status, job.failure, job.completed_at)
    assert after.updated_at == system.clock()


def test_an_empty_spool_costs_nothing(system: System, rounds: UploadSpooled) -> None:
    job = ended(system)
    rounds.run_if_due()
    assert system.job(job) == job


def test_what_cannot_go_up_stays_and_what_did_is_noted(system: System, rounds: UploadSpooled) -> None:
    job = ended(system, "index.html", "results.json", "junit.xml")
    system.artifacts.refuses = lambda each: each.endswith("results.json")

    with pytest.raises(Unavailable):
        rounds()

    report = report_of(system, job)
    assert (report.missing, report.missing_count, report.missing_reason) == (("results.json",), 1, REASON)
    assert system.spool.keys("") == [key(job, "results.json")]


def test_after_three_failures_in_a_row_a_round_is_over(system: System, rounds: UploadSpooled) -> None:
    for _ in range(5):
        ended(system, "index.html", "junit.xml")
    system.artifacts.refuse_all()
    tried = len(system.artifacts.tried)

    with pytest.raises(Unavailable):
        rounds()

    assert len(system.artifacts.tried) - tried == 3


def test_what_is_refused_for_ever_does_not_keep_the_rest_waiting(system: System, rounds: UploadSpooled) -> None:
    bad, good = ended(system, "index.html", "junit.xml", "results.json", "data/1-1-a"), ended(system, "index.html")
    system.artifacts.refuses = lambda each: bad.id in each
    for _ in range(2):
        with pytest.raises(Unavailable):
            rounds()

    assert report_of(system, good) == REPORT
    assert report_of(system, bad).missing_count == 4


def test_a_list_that_was_cut_is_exact_again_at_the_end(system: System, rounds: UploadSpooled) -> None:
    paths = [f"data/1-{number}-trace.zip" for number in range(MOST_MISSING + 20)]
    job = ended(system, *paths)
    system.artifacts.refuses = lambda each: each in {key(job, path) for path in paths[60:]}
    with pytest.raises(Unavailable):
        rounds()
    assert report_of(system, job).missing == ()
    assert report_of(system, job).missing_count == 20
    system.artifacts.recover()

    rounds()

    assert report_of(system, job) == REPORT


def test_what_was_lost_stays_named(system: System, rounds: UploadSpooled) -> None:
    job = ended(system, "index.html", "junit.xml")
    system.spool.delete(key(job, "junit.xml"))

    rounds()

    assert (report_of(system, job).missing, report_of(system, job).missing_count) == (("junit.xml",), 1)


def test_a_file_of_an_older_report_does_not_speak_for_the_newer_one(system: System, rounds: UploadSpooled) -> None:
    job = ended(system, "index.html")
    system.spool.delete(key(job, "index.html"))
    keep(system, job, "index.html", fence=0)

    rounds()

    assert report_of(system, job).missing == ("index.html",)
    assert system.spool.objects == {}


def test_rows_of_running_jobs_are_left_alone(system: System, rounds: UploadSpooled) -> None:
    claim = system.claimed()
    keep(system, claim.job, "data/1-1-trace.zip")

    rounds()

    assert system.job(claim.job) == claim.job
    assert system.artifacts.tried[-1:] != [key(claim.job, "data/1-1-trace.zip")]
    assert system.spool.has(key(claim.job, "data/1-1-trace.zip"))


def test_an_outcome_that_finish_has_not_seen_is_kept_up_to_date_too(system: System, rounds: UploadSpooled) -> None:
    claim = system.claimed()
    outcome = completed().model_copy(update={"report": REPORT.with_missing(["index.html"], REASON)})
    keep(system, claim.job, "index.html")
    system.claims.end(claim, outcome)

    rounds()
    system.finish(PROJECT, claim.job.id, claim.job.run)

    assert report_of(system, claim.job) == REPORT


def test_a_leaving_worker_uploads_for_running_jobs_too_and_forgets_nothing(
    system: System, rounds: UploadSpooled
) -> None:
    claim = system.claimed()
    keep(system, claim.job, "data/1-1-trace.zip")

    rounds.run_last()

    assert system.artifacts.size_and_age(key(claim.job, "data/1-1-trace.zip")) is not None
    assert system.spool.has(key(claim.job, "data/1-1-trace.zip"))
    assert system.job(claim.job) == claim.job


def test_what_a_deleted_job_left_is_forgotten(system: System, rounds: UploadSpooled) -> None:
    job = ended(system, "index.html")
    system.jobs.delete(job)

    rounds()

    assert system.spool.objects == {}
    assert key(job, "index.html") not in system.artifacts.objects


def test_deleting_a_job_deletes_what_lies_on_the_disk(system: System) -> None:
    job, other = ended(system, "index.html", "data/1-1-trace.zip"), ended(system, "index.html")

    system.control.delete(a_caller(), job.id)

    assert system.spool.keys("") == [key(other, "index.html")]
    remove_job(system.jobs, system.artifacts, system.spool, system.job(other), system.clock())
    assert system.spool.objects == {}


def test_a_report_waits_for_its_trace_viewer(system: System, rounds: UploadSpooled) -> None:
    job = ended(system, TRACE_VIEWER)
    system.spool.put(key(job, TRACE_VIEWER), viewer_key("1.65", "").encode(), "text/plain")
    for name in ("index.html", "complete"):
        system.spool.put(viewer_key("1.65", name), b"viewer", "text/html")
    system.artifacts.refuses = lambda each: each.endswith("complete")
    with pytest.raises(Unavailable):
        rounds()
    assert report_of(system, job).missing == (TRACE_VIEWER,)
    system.artifacts.recover()

    rounds()

    assert report_of(system, job) == REPORT
    assert system.artifacts.get(viewer_key("1.65", "complete"))[0] == b"viewer"
    assert system.spool.objects == {}
    assert not any(each.endswith(TRACE_VIEWER) for each in system.artifacts.objects)


def test_a_job_that_changes_meanwhile_is_read_again(
    system: System, rounds: UploadSpooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ended(system, "index.html")
    write, conflicts = system.jobs.write, [Conflict("changed"), Conflict("changed")]

    def conflicting(*arguments: Job | None, **more: object) -> Job:
        if conflicts:
            raise conflicts.pop()
        return write(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(system.jobs, "write", conflicting)

    rounds()

    assert report_of(system, job) == REPORT


def test_a_job_that_runs_again_by_then_is_told_by_its_own_outcome(
    system: System, rounds: UploadSpooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ended(system, "data/1-1-trace.zip")
    upload = system.spool.upload

    def slow(name: str, artifacts: object) -> None:
        system.control.retry(a_caller(), job.id, only_failed=True)
        system.dispatch()
        upload(name, artifacts)  # type: ignore[arg-type]

    monkeypatch.setattr(system.spool, "upload", slow)

    rounds()

    assert system.job(job).is_in_work
    assert system.spool.has(key(job, "data/1-1-trace.zip"))  # goes up again when the outcome is there


def test_after_failures_rounds_come_later_and_later(system: System, rounds: UploadSpooled) -> None:
    ended(system, "index.html")
    system.artifacts.refuse_all()
    times: list[timedelta] = []
    before = system.clock()
    while len(times) < 9:
        tried = len(system.artifacts.tried)
        rounds.run_if_due()
        if len(system.artifacts.tried) > tried:
            times.append(system.clock() - before)
            before = system.clock()
        system.pass_time(1)

    assert times[1:5] == [FIRST_PAUSE * 2**number for number in range(4)]
    assert times[-1] == MAX_PAUSE


def test_after_a_success_rounds_come_at_once_again(system: System, rounds: UploadSpooled) -> None:
    job = ended(system, "index.html")
    system.artifacts.refuse_all()
    rounds.run_if_due()
    system.artifacts.recover()
    system.pass_time(FIRST_PAUSE.total_seconds())
    rounds.run_if_due()
    assert report_of(system, job) == REPORT

    second = ended(system, "index.html")
    rounds.run_if_due()

    assert report_of(system, second) == REPORT


def test_a_round_begins_no_upload_after_its_time(
    system: System, rounds: UploadSpooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ended(system, "index.html", "results.json", "junit.xml")
    upload = system.spool.upload

    def slow(name: str, artifacts: object) -> None:
        system.pass_time(ROUND.total_seconds() * 0.6)
        upload(name, artifacts)  # type: ignore[arg-type]

    monkeypatch.setattr(system.spool, "upload", slow)

    rounds()
    assert report_of(system, job).missing == ("junit.xml",)
    rounds()
    assert report_of(system, job) == REPORT


def test_a_fault_is_logged_and_ends_no_worker(
    system: System, rounds: UploadSpooled, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ended(system, "index.html")

    def broken(_project: str, _job_id: str) -> Job:
        raise RuntimeError("the table is gone")

    monkeypatch.setattr(system.jobs, "get", broken)

    rounds.run_if_due()
    rounds.run_last()

    assert [record.levelname for record in caplog.records].count("ERROR") == 2
    assert system.spool.objects


def test_a_row_that_names_nothing_is_not_written() -> None:
    job = a_job(report=REPORT, outcome=Outcome(status=JobStatus.FAILED, fence=1))

    assert job.note_uploads([(1, "index.html")], 0, job.updated_at) is job
    assert a_job(id=job_id(77)).note_uploads([(1, "index.html")], 0, job.updated_at).report is None
