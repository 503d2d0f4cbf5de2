"""One claimed run, from its bundle to its outcome."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from wainwright.contracts.names import report_prefix
from wainwright.domain.errors import FenceLost
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job, Outcome
from wainwright.domain.redaction import Redactor
from wainwright.domain.results import settled
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import TestOutcome
from wainwright.usecases.run_job import Claim
from wainwright.usecases.run_lane import LaneClaim
from wainwright.usecases.upload_artifacts import UploadArtifacts
from wainwright.wiring.workers import Worker
from wainwright.worker.dependencies.prepare import Provision, run_with_dependencies
from wainwright.worker.evidence.job_results import Results, mismatch
from wainwright.worker.evidence.record_history import remember
from wainwright.worker.evidence.recording import Recording
from wainwright.worker.evidence.redact_events import RunSuite, redactor_of, run_redacted
from wainwright.worker.evidence.report.kept_blobs import KeptBlobs
from wainwright.worker.evidence.report.native import OwnPage
from wainwright.worker.evidence.report.report_model import Ending, ReportMeta
from wainwright.worker.evidence.write_report import Reporting
from wainwright.worker.loop.lease import Holding
from wainwright.worker.loop.shutdown import ShutdownSignal
from wainwright.worker.run.closing import closed, log_errors
from wainwright.worker.run.sharing import Sharing, durations_of
from wainwright.worker.run.suite_outcome import outcome_of
from wainwright.worker.run.unpack_bundle import BundleUnusable, fetch_bundle
from wainwright.worker.runners.run_suite import run_suite
from wainwright.worker.runners.suite import Event, StopRequest, SuiteEnd, SuiteRequest
from wainwright.worker.sandbox.hosting import Hosting

MOST_OF_A_VARIABLE = 100_000
"""Characters of one environment variable; Linux takes 131,071. ``job.params`` has larger parameters too."""

NO_TIME = frozenset({"cancel", "shutdown", "lost"})
"""Reasons for an end that somebody waits for, or kills at last: uploads that fail then are not tried again."""

log = logging.getLogger(__name__)


def run_claim(
    worker: Worker, claim: Claim, folder: Path, shutdown: ShutdownSignal, hosting: Hosting | None = None
) -> None:
    """Run what was claimed, keep what it yields, and end the run, or hand it back if the worker is told to go.

    Raises:
        FenceLost: another worker has the run by now; nothing more was written.
        Unavailable: the rows could not be written; the run is left to whoever gets its message next.
    """
    hosting = hosting or Hosting()
    hosting.make_folder(folder)
    with Holding(worker.run_job, worker.keep, claim, shutdown) as holding:
        outcome = _work(worker, claim, folder, holding, hosting)
    if outcome is None:
        worker.run_job.release(claim, holding.ran_ms)
        log.info("handed back", extra={"jobId": claim.job.id, "run": claim.job.run})
    else:
        worker.run_job.end(claim, outcome, holding.ran_ms)
        log.info("ended", extra={"jobId": claim.job.id, "run": claim.job.run, "status": outcome.status})


def _work(worker: Worker, claim: Claim, folder: Path, holding: Holding, hosting: Hosting) -> Outcome | None:
    """The run's outcome, or None when it is to be handed back."""
    job = claim.job
    if claim.ending is not None:
        return closed(worker, claim, claim.ending)
    try:
        fetch_bundle(worker.artifacts, job.project, job.bundle_id or "", folder / "bundle")
    except BundleUnusable as error:
        failure = Failure.of(FailureCategory.INVALID_INPUT, str(error))
        return closed(worker, claim, Outcome(status=JobStatus.FAILED, fence=job.fence, failure=failure))
    secrets = worker.secrets(job.project)
    redactor = redactor_of(secrets)
    known = worker.jobs.tests(job.project, job.id) if job.fence > 1 else ()  # nobody had it before
    # A try that is to begin anew knows nothing of what the tries before it found.
    stored = [test for test in known if test.attempt >= job.fresh_since]
    done = settled(((test.id, test.outcome, test.attempt) for test in stored), job.attempt, job.fresh_since)
    uploads = worker.uploads(lambda: holding.reason in NO_TIME)
    recording = Recording(
        worker.jobs, worker.logs, uploads, worker.clock, claim, stored,
        note_error=lambda: worker.run_job.note_error(claim), redactor=redactor,
        quarantine=worker.quarantine(job.project),
    )  # fmt: skip
    recording.on_error = holding.abandon
    sharing = Sharing(worker.share, job, recording, holding, worker.history) if job.lanes > 1 else None
    began = worker.clock()
    clock_began = time.monotonic()
    try:
        run = suite_runner(worker, job, redactor)
        request = replace(request_of(worker, claim, folder, done, holding, hosting), secrets=secrets)
        end = sharing.run(run, request, durations_of(known)) if sharing else run(request, recording.take, holding)
    finally:
        recording.close()
    if holding.reason == "lost":
        raise FenceLost(f"the lease on job {job.id} ran out")
    own_page = OwnPage(folder, KeptBlobs(worker.artifacts, job, redactor), hosting.isolation)
    if holding.reason == "shutdown":
        own_page.keep(recording.all_results)
        return None
    if sharing:
        end = sharing.conclude(end)
    meta = ReportMeta(
        job_id=job.id,
        title=job.label or job.id,
        started_at=to_text(job.started_at or began),
        duration_ms=(time.monotonic() - clock_began) * 1_000,
        base_url=job.url,
    )
    # The report may wait for the bucket once more, however long its attachments have waited.
    uploads = worker.uploads(lambda: holding.reason in NO_TIME)
    return _conclude(worker, claim, recording, uploads, end, meta, own_page)


def _conclude(
    worker: Worker, claim: Claim, recording: Recording, uploads: UploadArtifacts, end: SuiteEnd, meta: ReportMeta,
    own_page: OwnPage,
) -> Outcome:  # fmt: skip
    """Keep the results, write the report, and say what the run came to."""
    job, known = claim.job, recording.recorded
    _keep_results(worker, claim, recording.results)
    results = recording.all_results
    ending = Ending.of(end, recording.cases, known.missing, recording.interrupted)
    if known.spooled:  # S3 may be well again by now
        uploads.again(f"{report_prefix(job.project, job.id, days=job.report_days)}data/")
    page = own_page.of(results, ending, meta)
    report = Reporting(uploads).write(job, results, ending, meta, known.spooled, page)
    by_outcome = {
        outcome: [test_id for test_id, each in known.outcomes.items() if each is outcome] for outcome in TestOutcome
    }
    outcome = outcome_of(
        end, [known.results[test_id][-1] for test_id in by_outcome[TestOutcome.FAILED]], recording.tally,
        fence=job.fence, report=report, timeout_ms=job.timeout_ms, flaky=by_outcome[TestOutcome.FLAKY],
        mismatch=mismatch(claim.detail.output_schema, recording.results),
    )  # fmt: skip
    if outcome.failure is not None and outcome.failure.test_id is None:  # a test's failure is in the log already
        errors = [f"{error.file}: {error.message}" if error.file else error.message for error in end.errors]
        log_errors(worker, job, errors or [outcome.failure.line()])
    if report.missing_count:
        log_errors(
            worker,
            job,
            [f"{report.describe_missing()}; kept on the disk of the worker {job.worker}, as far as there is room"],
        )
        worker.run_job.note_error(claim)
    if outcome.status is not JobStatus.STOPPED:  # else when it has been resumed, and has ended
        remember(worker.history, job, known, worker.clock())
    return outcome


def _keep_results(worker: Worker, claim: Claim, results: Results) -> None:
    """Put the results into the job's detail, also when the run failed; nothing where nothing was handed back, now or ever."""
    if results.stored != claim.detail.results:
        detail = claim.detail.model_copy(update={"results": results.stored})
        worker.jobs.set_detail(claim.job.project, claim.job.id, detail)


def _results_before(worker: Worker, claim: Claim | LaneClaim) -> dict[str, dict[str, Any]]:
    """Results of the jobs that this one depended on, as far as they are still there."""
    views = (worker.jobs.view(claim.job.project, job_id) for job_id in claim.job.depends_on)
    return {view.job.id: view.detail.results or {} for view in views if view is not None}


def suite_runner(worker: Worker, job: Job, redactor: Redactor) -> RunSuite:
    """What runs a job's suite: in its own environment, and without its secrets in what it reports."""
    provision = Provision(job.project, worker.artifacts, worker.dependencies)

    def prepared(request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest) -> SuiteEnd:
        return run_with_dependencies(provision, request, on_event, stop, run_suite)

    def run(request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest) -> SuiteEnd:
        return run_redacted(prepared, request, on_event, stop, redactor)

    return run


def request_of(
    worker: Worker, claim: Claim | LaneClaim, folder: Path, done: frozenset[str], holding: Holding, hosting: Hosting
) -> SuiteRequest:
    """What the job asks of its suite, of which ``done`` need not run again. Makes the folder for evidence, and gives it and
    the bundle's to the tests.
    """
    job, detail = claim.job, claim.detail
    output = folder / "output"
    output.mkdir()
    hosting.isolation.lend(output)
    hosting.isolation.lend_tree(folder / "bundle")
    environment = {"WAINWRIGHT_JOB_ID": job.id, "WAINWRIGHT_ATTEMPT": str(job.attempt)}
    params = json.dumps(detail.params)
    if len(params) <= MOST_OF_A_VARIABLE:
        environment["WAINWRIGHT_PARAMS"] = params
    chosen = {name: value for name in ("trace", "screenshot", "video") if (value := detail.config.get(name))}
    browser = detail.config.get("browser") or ()
    browsers = (browser,) if isinstance(browser, str) else tuple(browser)
    facts = {"id": job.id, "label": job.label, "url": job.url, "params": detail.params, "attempt": job.attempt}
    facts["previous"] = _results_before(worker, claim)
    return SuiteRequest(
        folder=folder / "bundle", output=output, base_url=job.url, deselect=done, env=environment, job=facts,
        browsers=browsers, config=detail.config, timeout_ms=max(job.timeout_ms - holding.ran_ms, 1),
        isolation=hosting.isolation, spares=hosting.spares, test_retries=detail.config.get("testRetries"), **chosen,
    )  # fmt: skip
