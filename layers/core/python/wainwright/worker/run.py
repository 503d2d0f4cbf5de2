"""One claimed run, from its bundle to its outcome."""

import json
import logging
import time
from pathlib import Path

from wainwright.domain.errors import FenceLost
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Outcome
from wainwright.domain.results import settled
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import TestOutcome
from wainwright.usecases.run_job import Claim
from wainwright.wiring import Worker
from wainwright.worker.endings import outcome_of
from wainwright.worker.going import Going
from wainwright.worker.holding import Holding
from wainwright.worker.recording import Recording
from wainwright.worker.report.model import Ending, ReportMeta
from wainwright.worker.reporting import Reporting
from wainwright.worker.runtimes.model import SuiteRequest
from wainwright.worker.runtimes.pytest_runtime import run_suite
from wainwright.worker.unpack import BundleUnusable, fetch_bundle

log = logging.getLogger(__name__)


def run_claim(worker: Worker, claim: Claim, folder: Path, going: Going) -> None:
    """Run what was claimed, keep what it yields, and end the run, or hand it back if the worker is told to go.

    Raises:
        FenceLost: another worker has the run by now; nothing more was written.
        Unavailable: the rows could not be written; the run is left to whoever gets its message next.
    """
    folder.mkdir(parents=True)
    with Holding(worker.run_job, worker.keep, claim, going) as holding:
        outcome = _work(worker, claim, folder, holding)
    if outcome is None:
        worker.run_job.release(claim, holding.ran_ms)
        log.info("handed back", extra={"jobId": claim.job.id, "run": claim.job.run})
    else:
        worker.run_job.end(claim, outcome, holding.ran_ms)
        log.info("ended", extra={"jobId": claim.job.id, "run": claim.job.run, "status": outcome.status})


def _work(worker: Worker, claim: Claim, folder: Path, holding: Holding) -> Outcome | None:
    """The run's outcome, or None when it is to be handed back."""
    job = claim.job
    try:
        fetch_bundle(worker.artifacts, job.project, job.bundle_id or "", folder / "bundle")
    except BundleUnusable as error:
        failure = Failure.of(FailureCategory.INVALID_INPUT, str(error))
        return Outcome(status=JobStatus.FAILED, fence=job.fence, failure=failure)
    stored = worker.jobs.tests(job.project, job.id)
    recording = Recording(worker.jobs, worker.artifacts, worker.clock, claim, stored)
    began = worker.clock()
    clock_began = time.monotonic()
    done = settled(((test.id, test.outcome, test.attempt) for test in stored), job.attempt)
    try:
        end = run_suite(_request(claim, folder, done, holding), recording.take, holding)
    finally:
        recording.close()
    if holding.reason == "lost":
        raise FenceLost(f"the lease on job {job.id} ran out")
    if holding.reason == "going":
        return None
    known = recording.recorded
    results = [result for attempts in known.results.values() for result in attempts]
    meta = ReportMeta(
        job_id=job.id,
        title=job.label or job.id,
        started_at=to_text(job.started_at or began),
        duration_ms=(time.monotonic() - clock_began) * 1_000,
        base_url=job.url,
    )
    report = Reporting(worker.artifacts).write(job, results, Ending.of(end, recording.cases, known.missing), meta)
    failed = [
        known.results[test_id][-1] for test_id, outcome in known.outcomes.items() if outcome is TestOutcome.FAILED
    ]
    return outcome_of(end, failed, recording.tally, fence=job.fence, report=report, timeout_ms=job.timeout_ms)


def _request(claim: Claim, folder: Path, done: frozenset[str], holding: Holding) -> SuiteRequest:
    job, config = claim.job, claim.detail.config
    output = folder / "output"
    output.mkdir()
    environment = {
        "WAINWRIGHT_JOB_ID": job.id,
        "WAINWRIGHT_ATTEMPT": str(job.attempt),
        "WAINWRIGHT_PARAMS": json.dumps(claim.detail.params),
    }
    chosen = {name: config[name] for name in ("browser", "trace", "screenshot", "video") if config.get(name)}
    return SuiteRequest(
        folder=folder / "bundle", output=output, base_url=job.url, deselect=done, env=environment,
        timeout_ms=max(job.timeout_ms - holding.ran_ms, 1), **chosen,
    )  # fmt: skip
