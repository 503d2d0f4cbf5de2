"""A helper's lane of a run that another worker owns: from its bundle to the last case that it was given."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from wainwright.domain.errors import FenceLost
from wainwright.domain.lanes import LaneEnd
from wainwright.usecases.run_lane import LaneClaim
from wainwright.wiring.workers import Worker
from wainwright.worker.evidence.recording import Recording
from wainwright.worker.evidence.redact_events import redactor_of
from wainwright.worker.evidence.report.kept_blobs import KeptBlobs
from wainwright.worker.loop.lease import Holding
from wainwright.worker.loop.shutdown import ShutdownSignal
from wainwright.worker.run.lane_suite import BROKEN, LaneSuite, OtherCases
from wainwright.worker.run.pulling import Pulling
from wainwright.worker.run.run_claim import NO_TIME, request_of, suite_runner
from wainwright.worker.run.unpack_bundle import BundleUnusable, fetch_bundle
from wainwright.worker.runners.playwright_test.playwright_run import BLOB
from wainwright.worker.runners.suite import JobLog, SuiteEnd
from wainwright.worker.sandbox.hosting import Hosting
from wainwright.worker.sandbox.untrusted_files import UntrustedFiles

_ORDERLY = frozenset({"finished", "stopped", "canceled", "timed_out"})

MOST_BYTES = 200_000
"""Of a lane's row, which has room for some hundred KB: for what its tests left that were ended by force."""

MOST_NAMED = 100
"""Files and tests that a lane's row names as missing or spooled."""

log = logging.getLogger(__name__)


def run_lane(
    worker: Worker, claim: LaneClaim, folder: Path, shutdown: ShutdownSignal, hosting: Hosting | None = None
) -> None:
    """Work on the run's list until there is nothing left, the run is to end, or the worker is told to go.

    Raises:
        FenceLost: the run is over or has another owner, or the lane was dismissed; nothing more was written.
        Unavailable: the rows could not be written; the lane's lease runs out.
    """
    hosting = hosting or Hosting()
    hosting.make_folder(folder)
    with Holding(worker.lanes, worker.keep, claim, shutdown) as holding:
        end, give_back = _work(worker, claim, folder, holding, hosting)
        if holding.reason == "lost":
            raise FenceLost(f"lane {claim.lane.lane} of job {claim.job.id} was lost")
    # First what the lane has to tell: once nobody holds a case any more, the owner asks no lane for anything.
    worker.lanes.leave(claim, end, returns=holding.reason == "shutdown")
    give_back()
    log.info("left the lane", extra={"jobId": claim.job.id, "run": claim.job.run, "lane": claim.lane.lane})


def _work(
    worker: Worker, claim: LaneClaim, folder: Path, holding: Holding, hosting: Hosting
) -> tuple[LaneEnd | None, Callable[[], None]]:
    """How the lane ended, where that is to be told; and what gives back the cases that it has not run."""
    job = claim.job
    try:
        fetch_bundle(worker.artifacts, job.project, job.bundle_id or "", folder / "bundle")
    except BundleUnusable:
        log.exception("a lane has no bundle", extra={"jobId": job.id})
        return None, _nothing  # its owner finds the same, and says so
    secrets = worker.secrets(job.project)
    redactor = redactor_of(secrets)
    # What ran in an earlier attempt and is on the list again: its outcomes belong together.
    stored = worker.jobs.tests(job.project, job.id) if job.attempt > job.fresh_since else []
    recording = Recording(
        worker.jobs, worker.logs, worker.uploads(lambda: holding.reason in NO_TIME), worker.clock, claim,
        [test for test in stored if test.attempt >= job.fresh_since],
        note_error=lambda: worker.lanes.note_error(claim), redactor=redactor, lane=claim.lane,
        quarantine=worker.quarantine(job.project),
    )  # fmt: skip
    request = replace(request_of(worker, claim, folder, frozenset(), holding, hosting), secrets=secrets)
    pulling = Pulling(worker.share, job, claim.lane.token, batches=LaneSuite.runs_batches(request))
    kept = KeptBlobs(worker.artifacts, job, redactor)
    suite = LaneSuite(
        suite_runner(worker, job, redactor), pulling, recording.take, lambda _event: None,
        on_batch=lambda output: _keep_blob(output, recording, kept, folder / "bundle"),
    )  # fmt: skip
    recording.on_recorded, recording.on_error = pulling.recorded, holding.abandon
    end: SuiteEnd | None = None
    try:
        with pulling:
            end = suite.run(request, holding, collects=False)
    except OtherCases as error:
        message = f"lane {claim.lane.lane} left: it did not collect {error}. Give parameters ids that stay the same."
        recording.take(JobLog("INFO", message))
    finally:
        if end is not None and end.reason not in _ORDERLY:
            said = end.errors[0].message.splitlines()[0] if end.errors and end.errors[0].message else end.reason
            recording.take(JobLog("INFO", f"lane {claim.lane.lane} left: {said}"))
        recording.close()
    if holding.reason == "lost":
        return None, _nothing
    broken = suite.running if end is not None and end.reason in BROKEN else None
    told = _told(end, broken, recording) if end and (broken or recording.interrupted) else None
    return told, lambda: pulling.leave(broken)


def _nothing() -> None:
    """A lane that holds no case has none to give back."""


def _keep_blob(output: Path, recording: Recording, kept: KeptBlobs, suite: Path) -> None:
    """Leave what a batch's part of its runner's own report is made from to the job's owner."""
    taken = UntrustedFiles(output).take(output / BLOB)
    if taken is not None:
        recording.settle()  # it is of what was recorded, by where that was put
        kept.keep(taken[0], suite, recording.all_results)


def _told(end: SuiteEnd, test_id: str | None, recording: Recording) -> LaneEnd:
    """What the lane's row has room for: of each test without the steps, if need be, and of what is too much its name."""
    left: list[dict[str, Any]] = []
    missing = list(recording.interrupted_missing)
    room = MOST_BYTES
    for result in recording.interrupted:
        short = replace(result, steps=(), stdout="", stderr="")
        fits = next((body for body in (result.to_json(), short.to_json()) if len(json.dumps(body)) <= room), None)
        if fits is None:
            missing.append(f"{result.id}: what it left is not in the report, as the lane had no room to tell of it")
        else:
            left.append(fits)
            room -= len(json.dumps(fits))
    return LaneEnd(
        reason=end.reason, message=end.errors[0].message[:2_000] if end.errors else "", test_id=test_id,
        exit_code=end.exit_code, signal=end.signal, oom_kills=end.oom_kills, interrupted=tuple(left),
        missing=tuple(missing[:MOST_NAMED]), spooled=tuple(recording.interrupted_spooled[:MOST_NAMED]),
    )  # fmt: skip
