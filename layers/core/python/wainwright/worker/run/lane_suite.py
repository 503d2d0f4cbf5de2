"""The suite of one lane of several: it runs what the work list gives it, fed case by case or in batches."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from wainwright.worker.evidence.recording import Recording
from wainwright.worker.run.case_leases import CaseLeases
from wainwright.worker.run.lane_servers import LaneServers
from wainwright.worker.runners.detect_runner import detect_runner
from wainwright.worker.runners.suite import (
    Collected,
    Event,
    StopRequest,
    SuiteEnd,
    SuiteError,
    SuiteRequest,
    Take,
    TestEnded,
    TestStarted,
)

RunSuite = Callable[[SuiteRequest, Callable[[Event], None], StopRequest], SuiteEnd]
"""Runs a suite to its end."""

BROKEN = frozenset({"crashed", "out_of_memory", "bound_exceeded"})
"""Ends of a test process after which the case that ran is not run again: it might end every lane in turn."""


class OtherCases(Exception):
    """A lane has collected other test cases than the owner did."""


class LaneSuite:
    """The suite of one lane of several. ``spent`` is the case whose process died, once that has ended the lane.

    ``on_collected`` is called once with what was collected, by a lane that has to; that is not recorded here, nor is what
    batches collect. ``on_batch`` is called after each batch, before anybody can learn that it is done, with the output folder
    of its runner.
    """

    spent: str | None = None
    _recording: Recording

    def __init__(
        self,
        run: RunSuite,
        leases: CaseLeases,
        on_collected: Callable[[Collected], None] | None = None,
        on_batch: Callable[[Path, Recording], None] = lambda _output, _recording: None,
    ) -> None:
        self._run = run
        self._leases = leases
        self._on_collected = on_collected
        self._on_batch = on_batch
        self._collected: frozenset[str] | None = None
        self._running: str | None = None

    @staticmethod
    def runs_batches(request: SuiteRequest) -> bool:
        """True if the suite's runner cannot be fed, so that each lease is a process of its own."""
        return detect_runner(request.folder) != "pytest"

    def recorded(self, ids: Collection[str]) -> None:
        """Let go of these cases, whose outcomes have been written."""
        self._leases.recorded(ids)

    def give_back(self) -> None:
        """Give back the cases without an outcome to the other lanes."""
        self._leases.give_back(self.spent)

    def conclude(self, end: SuiteEnd) -> SuiteEnd:
        """Return the end of the suite over all lanes. To be called after the recording was closed. Raises as the stores."""
        return end

    def run(self, request: SuiteRequest, recording: Recording, stop: StopRequest) -> SuiteEnd:
        """Run it until there is no more to run. A runner of batches collects first, if this lane has to at all.

        Raises:
            FenceLost: the run has another owner. Further as ``run_suite``.
        """
        self._recording = recording
        try:
            with self._leases:
                if self.runs_batches(request):
                    end = self._run_batches(request, stop)
                else:
                    end = self._run(replace(request, feed=self), self._hear, stop)
        except OtherCases as error:
            message = f"it did not collect {error}. Give parameters stable ids."
            return SuiteEnd("interrupted", errors=(SuiteError(message),))
        self.spent = self._running if end.reason in BROKEN else None
        return end

    def _run_batches(self, request: SuiteRequest, stop: StopRequest) -> SuiteEnd:
        request = replace(request, compiled=_part(request, "compiled").output)
        if self._on_collected is not None:
            end = self._run(replace(_part(request, "collected"), collect_only=True), self._hear, stop)
            if end.reason != "finished":
                return end
        self._collected = self._collected or frozenset()  # of batches, none is of all cases
        with LaneServers(str((request.job or {}).get("id")), stop) as servers:
            request = replace(request, servers=servers)
            began, number, code, dropped = time.monotonic(), 0, 0, 0
            while cases := self._leases.take_batch(stop):
                number += 1
                left = request.timeout_ms and max(request.timeout_ms - int((time.monotonic() - began) * 1_000), 1)
                batch = replace(_part(request, f"batch-{number}"), select=frozenset(cases), timeout_ms=left)
                end = self._run(batch, self._hear, stop)
                servers.let_go()
                self._on_batch(batch.output, self._recording)
                code, dropped = code or end.exit_code or 0, dropped + end.dropped
                if end.reason != "finished" or end.unfinished:
                    return replace(end, exit_code=code if end.signal is None else None, dropped=dropped)
        reason = {"run": "finished", "stop": "stopped", "cancel": "canceled"}[stop.mode]
        return SuiteEnd(reason, exit_code=code, dropped=dropped)  # type: ignore[arg-type]  # these are three of its reasons

    def _hear(self, event: Event) -> None:
        match event:
            case Collected():
                if self._collected is None:
                    self._collected = frozenset(case.id for case in event.tests)
                    if self._on_collected is not None:
                        self._on_collected(event)
                return
            case TestStarted():
                self._running = event.id
            case TestEnded():
                self._running = None
        self._recording.take(event)

    def take(self) -> Take:
        taken = self._leases.take()
        if not isinstance(taken, str) and self._collected is not None:
            unknown = [each for each in taken if each not in self._collected]
            if unknown:
                raise OtherCases(unknown[0])
        return taken


def _part(request: SuiteRequest, name: str) -> SuiteRequest:
    """The same with an output folder of its own, since a runner takes its folder to be empty."""
    folder = request.output.parent / name
    folder.mkdir()
    request.isolation.let_through(folder)
    output = folder / "output"
    output.mkdir()
    request.isolation.lend(output)
    return replace(request, output=output)
