"""The owner's side of a run with several lanes: it makes the work list, works on it as the others do, and brings it together."""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from wainwright.domain.errors import WainwrightError
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import LaneEnd, LaneRecord
from wainwright.domain.work_list import WorkOrder
from wainwright.ports.job_store import StoredTest
from wainwright.ports.test_history import TestHistory
from wainwright.usecases.share_work import OWNER, ShareWork
from wainwright.worker.evidence.record_history import expected_durations
from wainwright.worker.evidence.recording import Recording
from wainwright.worker.evidence.redact_events import RunSuite
from wainwright.worker.loop.lease import Holding
from wainwright.worker.run.lane_suite import BROKEN, LaneSuite
from wainwright.worker.run.pulling import LOST_SECONDS, Pulling
from wainwright.worker.runners.suite import Collected, SuiteEnd, SuiteError, SuiteRequest, TestResult
from wainwright.worker.runners.supervised_run import EXPIRY_GRACE_SECONDS

LOOK_SECONDS = 0.25

CANCEL_GRACE_SECONDS = 10.0
"""For other lanes to notice a cancel, which they do within two seconds, and to write what they have."""

EXPIRY_WAIT_SECONDS = EXPIRY_GRACE_SECONDS + 5.0
"""For other lanes whose time has run out as well: to end the running test, and to write its evidence."""


class Sharing:
    """Runs a job's suite in lanes, of which the owner's is one; waits for none that never came."""

    def __init__(
        self, share: ShareWork, job: Job, recording: Recording, holding: Holding, history: TestHistory
    ) -> None:
        self._share = share
        self._history = history
        self._job = job
        self._recording = recording
        self._holding = holding
        self._order: WorkOrder | None = None
        self._durations: Mapping[str, float] = {}

    def run(self, run: RunSuite, request: SuiteRequest, durations: Mapping[str, float]) -> SuiteEnd:
        """Run the suite to its end. What lanes have recorded is known to the recording only after :meth:`conclude`.

        ``durations`` are milliseconds by test id, better known than from the history of the project's tests.

        Raises:
            FenceLost: the run has another owner. Further as ``run_suite``.
        """
        self._durations = durations
        self._share.invite(self._job)
        pulling = Pulling(self._share, self._job, OWNER, batches=LaneSuite.runs_batches(request))
        suite = LaneSuite(
            run, pulling, self._recording.take, lambda event: self._open(pulling, _without(request.deselect, event))
        )
        self._recording.on_recorded = pulling.recorded
        try:
            with pulling:
                end = suite.run(request, self._holding, collects=True)
        except Exception:
            # Whoever ends the run now: nothing is to be written after its end.
            with suppress(WainwrightError):
                self._share.dismiss_all(self._job)
            raise
        if self._holding.reason not in ("lost", "shutdown"):
            self._recording.settle()
            pulling.leave(suite.running if end.reason in BROKEN else None)
            self._wait(end)
        return end

    def _open(self, pulling: Pulling, event: Collected) -> None:
        """The cases are known: what the owner counts first, the others add to, so that has to be written first."""
        self._recording.take(event)
        self._recording.settle()
        cases = [(case.id, case.file) for case in event.tests]
        durations = {**expected_durations(self._history, self._job, cases), **self._durations}
        self._order = self._share.open(self._job, cases, durations)
        pulling.open(self._order)

    def _wait(self, end: SuiteEnd) -> None:
        """Wait for lanes that are at work, as long as there is a reason to."""
        if self._order is None:
            return
        began = looked = time.monotonic()
        while not self._share.is_finished(self._job) and self._share.live_lanes(self._job):
            waited = time.monotonic() - began
            if self._holding.reason in ("lost", "shutdown"):
                return
            if self._holding.mode == "cancel" and waited > CANCEL_GRACE_SECONDS:
                return
            if end.reason == "timed_out" and waited > EXPIRY_WAIT_SECONDS:
                return
            if time.monotonic() - looked > LOST_SECONDS:
                looked = time.monotonic()
                self._share.bring_back(self._job, self._order, OWNER)
            time.sleep(LOOK_SECONDS)

    def conclude(self, end: SuiteEnd) -> SuiteEnd:
        """End all lanes, take what they have recorded into the recording, and say how the suite ended over all of them.

        To be called after the recording was closed. Raises as the stores.
        """
        job = self._job
        lanes = self._share.dismiss_all(job)
        rows = [row for row in self._share.jobs.tests(job.project, job.id) if row.attempt >= job.fresh_since]
        self._recording.read_again(rows)
        ended = {row.id for row in rows if row.attempt == job.attempt}
        self._take_remains(lanes, ended)
        if self._order is None:
            return end
        end = replace(end, unfinished=tuple(each for each in self._order.ids if each not in ended))
        if end.reason not in ("finished", "stopped"):
            return end
        if self._holding.mode != "run" and end.unfinished:
            return replace(end, reason="stopped" if self._holding.mode == "stop" else "canceled")
        broken = next((lane.end for lane in lanes if lane.end is not None and lane.end.reason in BROKEN), None)
        return replace(end, reason="finished") if broken is None else _broken_in(end, broken)

    def _take_remains(self, lanes: Sequence[LaneRecord], ended: Collection[str]) -> None:
        """What tests left that were ended by force in other lanes; of a lane that has not told, what it held."""
        recording = self._recording
        for lane in lanes:
            if lane.end is not None:
                recording.interrupted += map(TestResult.from_json, lane.end.interrupted)
                recording.recorded.missing.extend(lane.end.missing)
                recording.recorded.spooled.update(lane.end.spooled)
        silent = {lane.token: lane for lane in lanes if not lane.left}
        work = self._share.lists.read(self._job) if silent and self._order else None
        for token, held in (work.held if work else {}).items():
            case = next((each for each in self._ids(held) if each not in ended), None)
            if token in silent and case is not None:
                recording.recorded.missing.append(
                    f"{case}: lane {silent[token].lane} had it, and did not answer in time; what it left is missing"
                )

    def _ids(self, positions: Collection[int]) -> list[str]:
        return [self._order.ids[at] for at in positions] if self._order else []


def durations_of(rows: Sequence[StoredTest]) -> dict[str, float]:
    """How long tests took when they last ran in this job: milliseconds by id."""
    last = {row.id: row.body["attempts"][-1] for row in rows if row.body["attempts"]}
    return {test_id: float(attempt["durationMs"]) for test_id, attempt in last.items()}


def _without(settled: Collection[str], event: Collected) -> Collected:
    """What was collected, but for what has an outcome, should the runtime have listed that as well."""
    cases = tuple(case for case in event.tests if case.id not in settled)
    passed_over = {case.id: None for case in event.tests if case.id in settled} | dict.fromkeys(event.deselected)
    return Collected(cases, tuple(passed_over))


def _broken_in(end: SuiteEnd, lane: LaneEnd) -> SuiteEnd:
    """The end of a suite whose test process died in another lane."""
    error = SuiteError(f"{lane.test_id}: {lane.message}" if lane.test_id else lane.message)
    return replace(
        end, reason="out_of_memory" if lane.reason == "out_of_memory" else "crashed", errors=(*end.errors, error),
        exit_code=lane.exit_code, signal=lane.signal, oom_kills=lane.oom_kills,
    )  # fmt: skip
