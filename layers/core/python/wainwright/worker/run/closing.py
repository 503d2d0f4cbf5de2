"""Endings without a suite: the outcome, with a report of what earlier workers recorded, which names what is missing."""

import logging
from collections.abc import Sequence

from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.instants import to_milliseconds, to_text
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.logs import MAX_LOG_MESSAGE, LogEntry
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import RunningTest, Tally
from wainwright.ports.job_store import JobView, StoredTest
from wainwright.ports.queues import ReceivedWork
from wainwright.usecases.hold_claim import Claim
from wainwright.wiring.workers import Worker
from wainwright.worker.evidence.recorded_tests import SPOOLED
from wainwright.worker.evidence.report.report_model import Ending, ReportMeta
from wainwright.worker.evidence.running_tests import find_unfinished
from wainwright.worker.evidence.write_report import write_report
from wainwright.worker.runners.suite import SuiteError, TestResult

MAX_ERRORS = 25
"""Errors of the suite itself that go to the job's log, which takes 25 lines at once; the report has them all."""

_C = FailureCategory

_WHY = {
    _C.WORKER_LOST: "their workers were lost",
    _C.CANCELED_BY_USER: "the job was canceled",
    _C.JOB_TIMEOUT: "the job's time was up",
    _C.INVALID_INPUT: "the suite could not be run",
}

log = logging.getLogger(__name__)


def fail_claim(worker: Worker, claim: Claim, error: Exception) -> None:
    """End a claim by an error of the worker itself. Raises as :meth:`HoldClaim.end`.

    Another try by the queue would only hide the reason; the job's own retry policy decides whether to try again. Of a lane
    that is not the owner's, the others take the cases, and its owner finds whether the work can be done at all.
    """
    if claim.lane:
        worker.claims.leave(claim)
        return
    failure = Failure.of(FailureCategory.INFRASTRUCTURE, f"the worker failed: {type(error).__name__}: {error}")
    end_claim(worker, claim, Outcome(status=JobStatus.FAILED, fence=claim.job.fence, failure=failure))


def end_claim(worker: Worker, claim: Claim, ending: Outcome) -> None:
    """End a run that is not to be gone on with, or cannot be. Raises as :meth:`HoldClaim.end`."""
    worker.claims.end(claim, add_report(worker, claim, ending))


def add_report(worker: Worker, claim: Claim, ending: Outcome) -> Outcome:
    """Return the outcome with the tests that had ended and a report of them; its failure goes to the job's log.

    A report that cannot be written does not keep the run from ending: it is asked for anew once the job is at rest.
    """
    job = claim.job
    try:
        if ending.failure is not None:
            log_errors(worker, job, [ending.failure.to_line()])
        view = worker.jobs.view(job.project, job.id)
        if view is None:
            return ending
        tests, rows = _recorded(worker, view)
        ending = ending.model_copy(update={"tests": tests})
        report = _write(worker, job, rows, tests, ending.failure, ending.status, view.progress.running)
    except Exception:
        log.exception("the report could not be written", extra={"jobId": job.id, "run": job.run})
        return ending
    return ending.model_copy(update={"report": report})


def report_late(worker: Worker, work: ReceivedWork) -> bool:
    """Write the report of a job that came to rest without one; False if none was owed.

    Raises:
        Unavailable, or as the stores do: the message comes again.
    """
    view = worker.late_reports.take(work)
    if view is None:
        return False
    job = view.job
    tests, rows = _recorded(worker, view)
    report = _write(worker, job, rows, tests, job.failure, job.status, view.progress.running)
    if job.failure is not None and job.status is JobStatus.FAILED:
        log_errors(worker, job, [job.failure.to_line()])
    worker.late_reports.keep(work, report)
    return True


def log_errors(worker: Worker, job: Job, messages: Sequence[str]) -> None:
    """Add lines to the job's log, under its fence. The outcome that follows marks the job as having errors."""
    entries = [
        LogEntry(timestamp=worker.clock(), level="ERROR", message=message[:MAX_LOG_MESSAGE])
        for message in messages[:MAX_ERRORS]
    ]
    worker.logs.append(job.project, job.id, entries, held=job)


def _recorded(worker: Worker, view: JobView) -> tuple[Tally, Sequence[StoredTest]]:
    job = view.job
    rows = [test for test in worker.jobs.tests(job.project, job.id) if test.attempt >= job.fresh_since]
    return Tally.of((row.outcome for row in rows), total=view.progress.tests.total), rows


def _write(
    worker: Worker, job: Job, rows: Sequence[StoredTest], tests: Tally, failure: Failure | None, status: JobStatus,
    running: Sequence[RunningTest],
) -> ReportRef:  # fmt: skip
    results = [TestResult.from_json(body) for row in rows for body in row.body["attempts"]]
    missing = [line for row in rows for line in row.body.get("missing", ())]
    why = _WHY.get(failure.category, "the run ended before") if failure else f"the job was {status}"
    known = find_unfinished(worker.lists, job, rows, running, why)
    counted = {row.id for row in rows}  # a test that was to run again counts by what it came to before
    lost = max(tests.total - tests.ended - sum(case.id not in counted for case in known.not_run), 0)
    if lost:
        were = "test has" if lost == 1 else "tests have"
        missing.append(f"{lost} {'more ' if known.not_run else ''}{were} no outcome: {why}")
    # The category of a failed test is the test's; the suite did not end by it.
    errors = (SuiteError(failure.message),) if failure is not None and status is JobStatus.FAILED else ()
    reason = str(failure.category) if errors and failure else str(status)
    ending = Ending(
        reason=reason, errors=errors, missing=tuple(missing), lost=lost, not_run=known.not_run,
        interrupted=known.interrupted,
    )  # fmt: skip
    end = job.completed_at or worker.clock()
    began = job.started_at or end
    meta = ReportMeta(
        job_id=job.id, title=job.label or job.id, started_at=to_text(began),
        duration_ms=to_milliseconds(end - began), base_url=job.url,
    )  # fmt: skip
    spooled = {href for row in rows for href in row.body.get(SPOOLED, ())}
    # Nobody holds the lease meanwhile: what fails goes to the spool at once.
    return write_report(worker.uploads(lambda: True), job, results, ending, meta, spooled)
