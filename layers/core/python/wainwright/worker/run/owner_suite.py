"""The owner's suite of a run with several lanes: it opens the work list, runs cases as other lanes do, and merges all lanes."""

import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from wainwright.domain.errors import WainwrightError
from wainwright.domain.jobs import Job
from wainwright.domain.lanes import OWNER, LaneEnd, LaneRecord
from wainwright.domain.work_list import WorkOrder
from wainwright.ports.job_store import StoredTest
from wainwright.ports.test_history import TestHistory
from wainwright.usecases.share_work import ShareWork
from wainwright.worker.evidence.record_history import read_durations
from wainwright.worker.evidence.recording import Recording
from wainwright.worker.run.case_leases import LOST_SECONDS, CaseLeases
from wainwright.worker.run.lane_suite import BROKEN, LaneSuite, RunSuite
from wainwright.worker.run.lease import LeaseKeeper
from wainwright.worker.runners.suite import Collected, StopRequest, SuiteEnd, SuiteError, SuiteRequest, TestResult
from wainwright.worker.runners.supervised_run import EXPIRY_GRACE_SECONDS

LOOK_SECONDS = 0.25

CANCEL_GRACE_SECONDS = 10.0
"""For other lanes to notice a cancel, which they do within two seconds, and to write what they have."""

EXPIRY_WAIT_SECONDS = EXPIRY_GRACE_SECONDS + 5.0
"""For other lanes whose time has run out as well: to end the running test, and to write its evidence."""


class OwnerSuite(LaneSuite):
    """Waits in the end for lanes that are at work, and for none that never came."""

    def __init__(
        self, run: RunSuite, leases: CaseLeases, share: ShareWork, job: Job, lease: LeaseKeeper, history: TestHistory,
        known: Sequence[StoredTest],
    ) -> None:  # fmt: skip
        super().__init__(run, leases, self._open)
        self._share = share
        self._job = job
        self._lease = lease
        self._history = history
        self._known = known
        self._settled: Collection[str] = ()
        self._order: WorkOrder | None = None

    def run(self, request: SuiteRequest, recording: Recording, stop: StopRequest) -> SuiteEnd:
        """Run it to its end. The recording knows what other lanes have recorded only after :meth:`conclude`."""
        self._share.invite(self._job)
        self._settled = request.deselect
        try:
            end = super().run(request, recording, stop)
        except Exception:
            # Whoever ends the run now: nothing is to be written after its end.
            with suppress(WainwrightError):
                self._share.dismiss_all(self._job)
            raise
        if self._lease.reason not in ("lost", "shutdown"):
            recording.settle()
            self.give_back()
            self._wait(end)
        return end

    def _open(self, event: Collected) -> None:
        """Open the work list. First the owner's count of all cases has to be written, to which the others add."""
        event = _without(self._settled, event)
        self._recording.take(event)
        self._recording.settle()
        cases = [(case.id, case.file) for case in event.tests]
        durations = {**read_durations(self._history, self._job, cases), **_last_durations(self._known)}
        self._order = self._share.open(self._job, cases, durations)
        self._leases.open(self._order)

    def _wait(self, end: SuiteEnd) -> None:
        """Wait for lanes that are at work, as long as there is a reason to."""
        if self._order is None:
            return
        began = looked = time.monotonic()
        while not self._share.is_finished(self._job) and self._share.live_lanes(self._job):
            waited = time.monotonic() - began
            if self._lease.reason in ("lost", "shutdown"):
                return
            if self._lease.mode == "cancel" and waited > CANCEL_GRACE_SECONDS:
                return
            if end.reason == "timed_out" and waited > EXPIRY_WAIT_SECONDS:
                return
            if time.monotonic() - looked > LOST_SECONDS:
                looked = time.monotonic()
                self._share.bring_back(self._job, self._order, OWNER)
            time.sleep(LOOK_SECONDS)

    def conclude(self, end: SuiteEnd) -> SuiteEnd:
        """End all lanes, take what they have recorded into the recording, and return the end of the suite over all of them."""
        job = self._job
        lanes = self._share.dismiss_all(job)
        rows = [row for row in self._share.jobs.tests(job.project, job.id) if row.attempt >= job.fresh_since]
        self._recording.read_again(rows)
        ended = {row.id for row in rows if row.attempt == job.attempt}
        self._take_interrupted(lanes, ended)
        if self._order is None:
            return end
        end = replace(end, unfinished=tuple(each for each in self._order.ids if each not in ended))
        if end.reason not in ("finished", "stopped"):
            return end
        if self._lease.mode != "run" and end.unfinished:
            return replace(end, reason="stopped" if self._lease.mode == "stop" else "canceled")
        broken = next((lane.end for lane in lanes if lane.end is not None and lane.end.reason in BROKEN), None)
        return replace(end, reason="finished") if broken is None else _broken_in(end, broken)

    def _take_interrupted(self, lanes: Sequence[LaneRecord], ended: Collection[str]) -> None:
        """Take evidence of tests that were ended by force in other lanes; name those of a lane that has not told of any."""
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
                    f"{case}: lane {silent[token].lane} was running it and did not answer in time; its evidence is missing"
                )

    def _ids(self, positions: Collection[int]) -> list[str]:
        return [self._order.ids[at] for at in positions] if self._order else []


def _last_durations(rows: Sequence[StoredTest]) -> dict[str, float]:
    """Milliseconds by test id, as tests took when they last ran in this job: better known than from the project's history."""
    last = {row.id: row.body["attempts"][-1] for row in rows if row.body["attempts"]}
    return {test_id: float(attempt["durationMs"]) for test_id, attempt in last.items()}


def _without(settled: Collection[str], event: Collected) -> Collected:
    """Return what was collected without the tests that have an outcome, should the runner have listed those as well."""
    cases = tuple(case for case in event.tests if case.id not in settled)
    passed_over = {case.id: None for case in event.tests if case.id in settled} | dict.fromkeys(event.deselected)
    return Collected(cases, tuple(passed_over))


def _broken_in(end: SuiteEnd, lane: LaneEnd) -> SuiteEnd:
    """Return the end of a suite whose test process died in another lane."""
    error = SuiteError(f"{lane.test_id}: {lane.message}" if lane.test_id else lane.message)
    return replace(
        end, reason="out_of_memory" if lane.reason == "out_of_memory" else "crashed", errors=(*end.errors, error),
        exit_code=lane.exit_code, signal=lane.signal, oom_kills=lane.oom_kills,
    )  # fmt: skip
