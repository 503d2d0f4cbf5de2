"""One claim, from its bundle to its end: the same for every lane of a run; its owner's also writes the report."""

import json
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wainwright.contracts.names import report_prefix
from wainwright.domain.errors import FenceLost
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Outcome
from wainwright.domain.lanes import LaneEnd
from wainwright.domain.redaction import Redactor
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import TestOutcome, find_settled
from wainwright.ports.job_store import StoredTest
from wainwright.usecases.hold_claim import Claim
from wainwright.usecases.upload_artifacts import UploadArtifacts
from wainwright.wiring.workers import Worker
from wainwright.worker.dependencies.installer import asked_to_end
from wainwright.worker.dependencies.prepare import Provision, prepare_request
from wainwright.worker.dependencies.requirements import NotPrepared
from wainwright.worker.evidence.job_results import check_results
from wainwright.worker.evidence.record_history import add_to_history
from wainwright.worker.evidence.recording import Recording
from wainwright.worker.evidence.redact_events import SuiteRedaction, make_redactor
from wainwright.worker.evidence.report.kept_blobs import KeptBlobs
from wainwright.worker.evidence.report.native import OwnPage
from wainwright.worker.evidence.report.report_model import Ending, ReportMeta
from wainwright.worker.evidence.write_report import write_report
from wainwright.worker.run.case_leases import CaseLeases
from wainwright.worker.run.closing import add_report, log_errors
from wainwright.worker.run.lane_suite import LaneSuite, RunSuite
from wainwright.worker.run.lease import LeaseKeeper
from wainwright.worker.run.owner_suite import OwnerSuite
from wainwright.worker.run.shutdown import ShutdownSignal
from wainwright.worker.run.suite_outcome import build_lane_end, decide_outcome
from wainwright.worker.run.unpack_bundle import BundleUnusable, fetch_bundle
from wainwright.worker.runners.detect_runner import detect_runner
from wainwright.worker.runners.playwright_test import playwright_run
from wainwright.worker.runners.playwright_test.playwright_settings import BLOB
from wainwright.worker.runners.pytest import pytest_run
from wainwright.worker.runners.suite import Event, JobLog, StopRequest, SuiteEnd, SuiteRequest
from wainwright.worker.runners.supervised_run import EXPIRY_GRACE_SECONDS
from wainwright.worker.sandbox.hosting import Hosting
from wainwright.worker.sandbox.untrusted_files import UntrustedFiles

MAX_VARIABLE = 100_000
"""Characters of one environment variable; Linux takes 131,071. ``job.params`` has larger parameters too."""

NO_TIME = frozenset({"cancel", "shutdown", "lost"})
"""Reasons for an end that a user or the platform waits for: uploads that fail then are not tried again."""

ORDERLY = frozenset({"finished", "stopped", "canceled", "timed_out"})

log = logging.getLogger(__name__)


def run_suite(
    request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest,
    *, expiry_grace_seconds: float = EXPIRY_GRACE_SECONDS,
) -> SuiteEnd:  # fmt: skip
    """Run a suite with the runner that it is for, to its end, a stop, a cancel or its time-out.

    ``on_event`` is called from this thread, in order, as things happen; while it runs nothing is read, so it should return
    quickly. If it raises, the suite is killed and the error goes to the caller. Whatever the suite itself does ends as a
    ``SuiteEnd``.

    Raises:
        OSError: a folder is missing, or no process can be started.
    """
    if request.config.get("extraHeaders") and not request.base_url:
        message = (
            "config.extraHeaders are not sent: they are sent to the origin of the job's url, and the job has no url"
        )
        on_event(JobLog("ERROR", message))
    run = playwright_run.run_suite if detect_runner(request.folder) == "playwright-test" else pytest_run.run_suite
    return run(request, on_event, stop, expiry_grace_seconds)


def run_claim(
    worker: Worker, claim: Claim, folder: Path, shutdown: ShutdownSignal, hosting: Hosting | None = None,
    run_suite: RunSuite = run_suite,
) -> None:  # fmt: skip
    """Run what was claimed, keep its results, and end the claim, or hand it back if the worker is to shut down.

    Raises:
        FenceLost: another worker has the lane by now, or the run is over; nothing more was written.
        Unavailable: the rows could not be written; the lane is left to whoever gets its message next.
    """
    hosting = hosting or Hosting()
    hosting.make_folder(folder)
    fields = {"jobId": claim.job.id, "run": claim.job.run, "lane": claim.lane}
    with LeaseKeeper(worker.claims, worker.keep, claim, shutdown) as lease:
        session = _RunSession(worker, claim, folder, lease, hosting, run_suite)
        ending = session.run()
    if isinstance(ending, Outcome):
        worker.claims.end(claim, ending, lease.ran_ms)
        log.info("ended", extra=fields | {"status": ending.status})
        return
    # First what the lane has to tell: once nobody holds a case any more, the owner asks no lane for anything.
    if session.hands_back:
        worker.claims.release(claim, lease.ran_ms, ending)
    else:
        worker.claims.leave(claim, ending)
    if claim.lane:
        session.suite.give_back()
    log.info("handed back" if session.hands_back else "left the lane", extra=fields)


class WholeSuite:
    """The suite of a job of one lane: its work list is in memory, and the process that collects it has all of it at once."""

    spent: str | None = None

    def __init__(self, run: RunSuite) -> None:
        self._run = run

    def run(self, request: SuiteRequest, recording: Recording, stop: StopRequest) -> SuiteEnd:
        """Run it to its end. Raises as ``run_suite``."""
        return self._run(request, recording.take, stop)

    def recorded(self, ids: Collection[str]) -> None:
        """Outcomes of these cases have been written."""

    def give_back(self) -> None:
        """Nobody else runs what is left."""

    def conclude(self, end: SuiteEnd) -> SuiteEnd:
        """Return the end of the suite over all lanes. To be called after the recording was closed. Raises as the stores."""
        return end


@dataclass
class _RunSession:
    """One claim at work. ``hands_back``: it is to go to another worker."""

    worker: Worker
    claim: Claim
    folder: Path
    lease: LeaseKeeper
    hosting: Hosting
    run_suite: RunSuite
    redactor: Redactor = field(default_factory=lambda: Redactor({}))
    hands_back: bool = False
    early_end: SuiteEnd | None = None
    """End of a suite that was asked to end, or whose time was over, before its bundle was unpacked."""

    def __post_init__(self) -> None:
        self.job = self.claim.job
        self.suite: WholeSuite | LaneSuite = WholeSuite(self._run)

    def run(self) -> Outcome | LaneEnd | None:
        """Return the outcome of a run that is to end, from its owner; or what another lane has to tell its owner."""
        if self.claim.ending is not None:
            return add_report(self.worker, self.claim, self.claim.ending)
        try:
            self._fetch_bundle()
        except NotPrepared as early:
            self.early_end = early.end
        except BundleUnusable as error:
            if self.claim.lane:
                log.exception("a lane has no bundle", extra={"jobId": self.job.id})
                return None  # its owner finds the same, and says so
            failure = Failure.of(FailureCategory.INVALID_INPUT, str(error))
            return add_report(
                self.worker, self.claim, Outcome(status=JobStatus.FAILED, fence=self.job.fence, failure=failure)
            )
        recording, end = self._run_to_its_end()
        if self.lease.reason == "lost":
            raise FenceLost(f"the lease on lane {self.claim.lane} of job {self.job.id} was lost")
        self.hands_back = self.lease.reason == "shutdown"
        if self.claim.lane:
            left = (recording.interrupted, recording.interrupted_missing, recording.interrupted_spooled)
            return build_lane_end(end, self.suite.spent, *left)
        kept = KeptBlobs(self.worker.artifacts, self.job, self.redactor)
        own_page = OwnPage(self.folder, kept, self.hosting.isolation)
        if self.hands_back:
            own_page.keep(recording.all_results)
            return None
        end = self.suite.conclude(end)
        meta = ReportMeta(
            job_id=self.job.id, title=self.job.label or self.job.id,
            started_at=to_text(self.job.started_at or self.began), base_url=self.job.url,
            duration_ms=(time.monotonic() - self.clock_began) * 1_000,
        )  # fmt: skip
        return self._conclude(recording, end, meta, own_page)

    def _fetch_bundle(self) -> None:
        """Unpack the bundle. Raises BundleUnusable; and NotPrepared if the suite is to end before that is done."""
        until = time.monotonic() + (self.job.timeout_ms - self.lease.ran_ms) / 1_000

        def check_end() -> None:
            if end := asked_to_end(self.lease, until):
                raise end

        artifacts, isolation = self.worker.artifacts, self.hosting.isolation
        bundle_id = self.job.bundle_id or ""
        fetch_bundle(artifacts, self.job.project, bundle_id, self.folder / "bundle", isolation, check_end)

    def _run_to_its_end(self) -> tuple[Recording, SuiteEnd]:
        """Run the suite, and close what has recorded it."""
        worker, job, claim = self.worker, self.job, self.claim
        secrets = worker.secrets(job.project)
        self.redactor = make_redactor(secrets)
        # Other lanes need the outcomes of earlier attempts alone: what this one has an outcome for is not on the work list.
        has_earlier = job.attempt > job.fresh_since if claim.lane else job.fence > 1
        known = worker.jobs.tests(job.project, job.id) if has_earlier else ()
        # A try that is to begin anew knows nothing of what the tries before it found.
        stored = [test for test in known if test.attempt >= job.fresh_since]
        outcomes = () if claim.lane else ((test.id, test.outcome, test.attempt) for test in stored)
        done = find_settled(outcomes, job.attempt, job.fresh_since)
        self.began, self.clock_began = worker.clock(), time.monotonic()
        request = replace(self._request(done), secrets=secrets)
        self.suite = self._suite_of(request, known)
        recording = Recording(
            worker.jobs, worker.logs, self._uploads(), worker.clock, claim, stored,
            note_error=lambda: worker.claims.note_error(claim), redactor=self.redactor,
            quarantine=worker.quarantine(job.project), on_recorded=self.suite.recorded, on_error=self.lease.abandon,
        )  # fmt: skip
        try:
            end = self.suite.run(request, recording, self.lease)
            if claim.lane and end.reason not in ORDERLY:
                said = end.errors[0].message.splitlines()[0] if end.errors and end.errors[0].message else end.reason
                recording.take(JobLog("INFO", f"lane {claim.lane} left: {said}"))
        finally:
            recording.close()
        return recording, end

    def _suite_of(self, request: SuiteRequest, known: Sequence[StoredTest]) -> WholeSuite | LaneSuite:
        """Return the suite as this lane runs it. Only where there are several lanes is anything leased from a table."""
        worker, job = self.worker, self.job
        if job.lanes == 1:
            return WholeSuite(self._run)
        leases = CaseLeases(worker.share, job, self.claim.holder, batches=LaneSuite.runs_batches(request))
        if self.claim.lane:
            return LaneSuite(self._run, leases, on_batch=self._keep_blob)
        return OwnerSuite(self._run, leases, worker.share, job, self.lease, worker.history, known)

    def _run(self, request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest) -> SuiteEnd:
        """Run the suite, in its own environment, and without its secrets in what it reports."""
        if self.early_end is not None:
            return self.early_end
        provision = Provision(self.job.project, self.worker.artifacts, self.worker.dependencies)
        redaction = SuiteRedaction(self.redactor)

        def hear(event: Event) -> None:
            on_event(redaction(event))

        try:
            with prepare_request(provision, redaction.request(request), hear, stop) as prepared:
                end = self.run_suite(prepared, hear, stop)
        except NotPrepared as error:
            end = error.end
        return redaction(end)

    def _request(self, done: frozenset[str]) -> SuiteRequest:
        """Return what the job asks of its suite, of which ``done`` need not run again. Makes the folder for evidence, and
        gives it to the tests.
        """
        job, detail, isolation = self.job, self.claim.detail, self.hosting.isolation
        folder, output = self.folder / "bundle", self.folder / "output"
        output.mkdir()
        isolation.lend(output)
        environment = {"WAINWRIGHT_JOB_ID": job.id, "WAINWRIGHT_ATTEMPT": str(job.attempt)}
        params = json.dumps(detail.params)
        if len(params) <= MAX_VARIABLE:
            environment["WAINWRIGHT_PARAMS"] = params
        chosen = {name: value for name in ("trace", "screenshot", "video") if (value := detail.config.get(name))}
        browser = detail.config.get("browser") or ()
        browsers = (browser,) if isinstance(browser, str) else tuple(browser)
        facts = {"id": job.id, "label": job.label, "url": job.url, "params": detail.params, "attempt": job.attempt}
        facts["previous"] = self._previous_results()
        return SuiteRequest(
            folder=folder, output=output, base_url=job.url, deselect=done, env=environment, job=facts,
            browsers=browsers, config=detail.config, timeout_ms=max(job.timeout_ms - self.lease.ran_ms, 1),
            isolation=isolation, spares=self.hosting.spares, test_retries=detail.config.get("testRetries"), **chosen,
        )  # fmt: skip

    def _previous_results(self) -> dict[str, dict[str, Any]]:
        """Results of the jobs that this one depended on, as far as they are still there."""
        views = (self.worker.jobs.view(self.job.project, job_id) for job_id in self.job.depends_on)
        return {view.job.id: view.detail.results or {} for view in views if view is not None}

    def _keep_blob(self, output: Path, recording: Recording) -> None:
        """Leave what a batch's part of its runner's own report is made from to the job's owner."""
        taken = UntrustedFiles(output).take(output / BLOB)
        if taken is not None:
            recording.settle()  # it is of what was recorded, by where that was put
            kept = KeptBlobs(self.worker.artifacts, self.job, self.redactor)
            kept.keep(taken[0], self.folder / "bundle", recording.all_results)

    def _uploads(self) -> UploadArtifacts:
        return self.worker.uploads(lambda: self.lease.reason in NO_TIME)

    def _conclude(self, recording: Recording, end: SuiteEnd, meta: ReportMeta, own_page: OwnPage) -> Outcome:
        """Keep the results, write the report, and return what the run came to."""
        worker, job, detail = self.worker, self.job, self.claim.detail
        known, results = recording.recorded, recording.all_results
        if recording.results.stored != detail.results:  # also when the run failed; not where nothing was handed back
            detail = detail.model_copy(update={"results": recording.results.stored})
            worker.jobs.set_detail(job, detail)
        ending = Ending.of(end, recording.cases, known.missing, recording.interrupted)
        uploads = self._uploads()  # it may wait for the bucket once more, however long the attachments have waited
        if known.spooled:  # S3 may be well again by now
            uploads.upload_spooled(f"{report_prefix(job.project, job.id, days=job.report_days)}data/")
        page = own_page.of(results, ending, meta)
        report = write_report(uploads, job, results, ending, meta, known.spooled, page)
        by_outcome = {
            outcome: [test_id for test_id, each in known.outcomes.items() if each is outcome] for outcome in TestOutcome
        }
        outcome = decide_outcome(
            end, [known.results[test_id][-1] for test_id in by_outcome[TestOutcome.FAILED]], recording.tally,
            fence=job.fence, report=report, timeout_ms=job.timeout_ms, flaky=by_outcome[TestOutcome.FLAKY],
            mismatch=check_results(detail.output_schema, recording.results),
        )  # fmt: skip
        if outcome.failure is not None and outcome.failure.test_id is None:  # a test's failure is in the log already
            errors = [f"{error.file}: {error.message}" if error.file else error.message for error in end.errors]
            log_errors(worker, job, errors or [outcome.failure.to_line()])
        if report.missing_count:
            kept_where = f"kept on the disk of the worker {job.worker}, unless the disk is full"
            log_errors(worker, job, [f"{report.describe_missing()}; {kept_where}"])
            worker.claims.note_error(self.claim)
        if outcome.status is not JobStatus.STOPPED:  # else when it has been resumed, and has ended
            add_to_history(worker.history, job, known, worker.clock())
        return outcome
