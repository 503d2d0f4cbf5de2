"""The suite of one lane: it runs what the work list gives it, in a runtime that can be fed or in one that runs batches."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wainwright.worker.evidence.redact_events import RunSuite
from wainwright.worker.run.lane_servers import LaneServers
from wainwright.worker.run.pulling import Pulling
from wainwright.worker.runners.detect_runner import runner_of
from wainwright.worker.runners.suite import (
    Collected,
    Event,
    StopRequest,
    SuiteEnd,
    SuiteRequest,
    Take,
    TestEnded,
    TestStarted,
)

BROKEN = frozenset({"crashed", "out_of_memory", "bound_exceeded"})
"""Ends of a test process after which the case that ran is not run again: it might end every lane in turn."""


class OtherCases(Exception):
    """A lane has collected other test cases than the owner did."""


class LaneSuite:
    """Runs a suite as one lane, and knows which test runs.

    ``on_collected`` is called once with what was collected; it is not passed to ``on_event``, nor are batches' own. ``on_batch``
    is called after each batch, before anybody can learn that it is done, with the output folder of its runtime.
    """

    def __init__(
        self,
        run: RunSuite,
        pulling: Pulling,
        on_event: Callable[[Event], None],
        on_collected: Callable[[Collected], None],
        on_batch: Callable[[Path], None] = lambda _output: None,
    ) -> None:
        self._run = run
        self._pulling = pulling
        self._on_event = on_event
        self._on_collected = on_collected
        self._on_batch = on_batch
        self._collected: frozenset[str] | None = None
        self.running: str | None = None

    @staticmethod
    def runs_batches(request: SuiteRequest) -> bool:
        """Whether the suite's runtime cannot be fed, so that each lease is a process of its own."""
        return runner_of(request.folder) != "pytest"

    def run(self, request: SuiteRequest, stop: StopRequest, *, collects: bool) -> SuiteEnd:
        """Run it until there is no more to run. A runtime of batches ``collects`` first, if that is to be done at all.

        Raises:
            OtherCases: it was given a case that it did not collect. Further as ``run_suite`` and :meth:`Pulling.take`.
        """
        if not self.runs_batches(request):
            return self._run(replace(request, feed=self), self._heard, stop)
        request = replace(request, compiled=_part(request, "compiled").output)
        if collects:
            end = self._run(replace(_part(request, "collected"), collect_only=True), self._heard, stop)
            if end.reason != "finished":
                return end
        self._collected = self._collected or frozenset()  # of batches, none is of all cases
        with LaneServers(str((request.job or {}).get("id")), stop) as servers:
            return self._batches(replace(request, servers=servers), stop, servers)

    def _batches(self, request: SuiteRequest, stop: StopRequest, servers: LaneServers) -> SuiteEnd:
        began, number, code, dropped = time.monotonic(), 0, 0, 0
        while cases := self._pulling.take_batch(stop):
            number += 1
            left = request.timeout_ms and max(request.timeout_ms - int((time.monotonic() - began) * 1_000), 1)
            batch = replace(_part(request, f"batch-{number}"), select=frozenset(cases), timeout_ms=left)
            end = self._run(batch, self._heard, stop)
            servers.let_go()
            self._on_batch(batch.output)
            code, dropped = code or end.exit_code or 0, dropped + end.dropped
            if end.reason != "finished" or end.unfinished:
                return replace(end, exit_code=code if end.signal is None else None, dropped=dropped)
        reason = {"run": "finished", "stop": "stopped", "cancel": "canceled"}[stop.mode]
        return SuiteEnd(reason, exit_code=code, dropped=dropped)  # type: ignore[arg-type]  # these are three of its reasons

    def _heard(self, event: Event) -> None:
        match event:
            case Collected():
                if self._collected is None:
                    self._collected = frozenset(case.id for case in event.tests)
                    self._on_collected(event)
                return
            case TestStarted():
                self.running = event.id
            case TestEnded():
                self.running = None
        self._on_event(event)

    def take(self) -> Take:
        """See :meth:`CaseFeed.take`."""
        taken = self._pulling.take()
        if not isinstance(taken, str) and self._collected is not None:
            unknown = [each for each in taken if each not in self._collected]
            if unknown:
                raise OtherCases(unknown[0])
        return taken


def _part(request: SuiteRequest, name: str) -> SuiteRequest:
    """The same with an output folder of its own, since a runtime takes its folder to be empty."""
    folder = request.output.parent / name
    folder.mkdir()
    request.isolation.let_through(folder)
    output = folder / "output"
    output.mkdir()
    request.isolation.lend(output)
    return replace(request, output=output)
