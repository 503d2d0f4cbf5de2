"""One lane's suite: fed one case at a time where its runtime can be fed, else run in batches. Only the runtime is made up."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builders import SCRIPT
from tests.support.system import System
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import FenceLost
from wainwright.domain.jobs import LEASE, Job
from wainwright.domain.work_list import WorkList
from wainwright.usecases.share_work import OWNER
from wainwright.worker.run.lane_suite import LaneSuite, OtherCases
from wainwright.worker.run.pulling import Pulling
from wainwright.worker.runners.suite import (
    Collected,
    Event,
    Stop,
    StopRequest,
    SuiteEnd,
    SuiteRequest,
    TestCase,
    TestEnded,
    TestResult,
    TestStarted,
)

CASES = tuple(f"shop.spec.ts › {number:02d}" for number in range(20))


@pytest.fixture
def system() -> System:
    return System(limits=Limits(running=4, queued=4))


@pytest.fixture
def job(system: System) -> Job:
    return system.claimed(CreateJob(script=SCRIPT, parallelism=2)).job


def request(folder: Path, *files: str) -> SuiteRequest:
    for name in ("bundle", "output"):
        (folder / name).mkdir()
    for file in files:
        (folder / "bundle" / file).touch()
    return SuiteRequest(folder / "bundle", folder / "output", timeout_ms=60_000)


def case(test_id: str) -> TestCase:
    return TestCase(test_id, "shop.spec.ts", 1, test_id)


def result(test_id: str) -> TestResult:
    return TestResult(test_id, "shop.spec.ts", 1, test_id, "passed", 1.0, "2026-11-22T02:42:45.000Z")


class Runtime:
    """Runs what it is asked for at once, and keeps the requests."""

    def __init__(self, breaks_at: str | None = None) -> None:
        self.requests: list[SuiteRequest] = []
        self._breaks_at = breaks_at

    def __call__(self, request: SuiteRequest, on_event: Callable[[Event], None], stop: StopRequest) -> SuiteEnd:
        """Report the cases of the request, or of the feed, one by one."""
        self.requests.append(request)
        chosen = [each for each in CASES if request.select is None or each in request.select]
        on_event(Collected(tuple(map(case, chosen))))
        if request.collect_only:
            return SuiteEnd("finished", exit_code=0)
        for test_id in self._fed(request) if request.feed else chosen:
            on_event(TestStarted(test_id))
            if test_id == self._breaks_at:
                return SuiteEnd("crashed", signal=11)
            on_event(TestEnded(result(test_id)))
        return SuiteEnd("stopped" if stop.mode == "stop" else "finished", exit_code=0)

    def _fed(self, request: SuiteRequest) -> Iterator[str]:
        assert request.feed is not None
        while (taken := request.feed.take()) != "over":
            if not isinstance(taken, str):
                yield from taken


class Lane:
    """The owner's lane of a job, whose outcomes count as recorded when they are told."""

    def __init__(self, system: System, job: Job, runtime: Runtime, *, batches: bool) -> None:
        self.ran: list[str] = []
        self.collected: list[Collected] = []
        self._share, self._job = system.share, job
        self.pulling = Pulling(system.share, job, OWNER, batches=batches)
        self.suite = LaneSuite(runtime, self.pulling, self._heard, self._open, self._batch_ended)
        self.batches: list[tuple[Path, bool]] = []

    def _heard(self, event: Event) -> None:
        if isinstance(event, TestEnded):
            self.ran.append(event.result.id)
            self.pulling.recorded([event.result.id])

    def _batch_ended(self, output: Path) -> None:
        self.batches.append((output, self._share.is_finished(self._job)))

    def _open(self, event: Collected) -> None:
        self.collected.append(event)
        self.pulling.open(self._share.open(self._job, [(each.id, each.file) for each in event.tests], {}))

    def run(self, asked: SuiteRequest, stop: StopRequest | None = None) -> SuiteEnd:
        """Run the suite to its end."""
        with self.pulling:
            return self.suite.run(asked, stop or Stop(), collects=True)


def test_a_suite_of_pytest_is_fed_and_runs_each_case_once(system: System, job: Job, tmp_path: Path) -> None:
    runtime = Runtime()
    lane = Lane(system, job, runtime, batches=False)

    end = lane.run(request(tmp_path, "test_a.py"))

    assert (end.reason, tuple(lane.ran)) == ("finished", CASES)
    assert len(runtime.requests) == len(lane.collected) == 1
    assert system.share.is_finished(job)


def test_a_suite_that_cannot_be_fed_is_collected_once_and_run_in_batches_that_grow_small(
    system: System, job: Job, tmp_path: Path
) -> None:
    runtime = Runtime()
    lane = Lane(system, job, runtime, batches=True)

    end = lane.run(request(tmp_path, "playwright.config.ts"))

    assert (end.reason, tuple(lane.ran)) == ("finished", CASES)
    first, *batches = runtime.requests
    assert first.collect_only
    assert not any(batch.collect_only for batch in batches)
    sizes = [len(batch.select or ()) for batch in batches]
    assert sum(sizes) == len(CASES)
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (5, 1)
    assert len(lane.collected) == 1
    assert len({batch.output for batch in runtime.requests}) == len(runtime.requests)
    assert len({batch.compiled for batch in runtime.requests}) == 1
    assert first.compiled is not None
    assert first.compiled.is_dir()
    assert system.share.is_finished(job)


def test_a_batch_whose_process_dies_ends_the_lane_which_keeps_the_case_that_ran(
    system: System, job: Job, tmp_path: Path
) -> None:
    lane = Lane(system, job, Runtime(breaks_at=CASES[2]), batches=True)

    end = lane.run(request(tmp_path, "playwright.config.ts"))

    assert (end.reason, end.signal, lane.suite.running) == ("crashed", 11, CASES[2])
    lane.pulling.leave(lane.suite.running)
    work = system.lists.read(job)
    assert work is not None
    assert [CASES[at] for at in work.waiting()] == list(CASES[3:])
    assert work.held == {}


def test_what_a_batch_left_can_be_kept_before_anybody_learns_that_it_is_done(
    system: System, job: Job, tmp_path: Path
) -> None:
    runtime = Runtime()
    lane = Lane(system, job, runtime, batches=True)

    lane.run(request(tmp_path, "playwright.config.ts"))

    assert lane.batches == [(batch.output, False) for batch in runtime.requests if not batch.collect_only]
    assert system.share.is_finished(job)


def test_between_batches_a_stop_is_heeded(system: System, job: Job, tmp_path: Path) -> None:
    stop = Stop()
    lane = Lane(system, job, Runtime(), batches=True)
    stop.stop()

    end = lane.run(request(tmp_path, "playwright.config.ts"), stop)

    assert (end.reason, lane.ran) == ("stopped", [])


def test_a_lane_is_given_nothing_that_it_did_not_collect(system: System, job: Job, tmp_path: Path) -> None:
    lane = Lane(system, job, Runtime(), batches=False)
    lane.suite = LaneSuite(
        Runtime(), lane.pulling, lane._heard,
        lambda event: lane._open(replace(event, tests=(case("other.spec.ts › x"),))),
    )  # fmt: skip

    with pytest.raises(OtherCases, match="other"):
        lane.run(request(tmp_path, "test_a.py"))


def test_a_lane_whose_run_has_another_owner_takes_nothing_more(system: System, job: Job, tmp_path: Path) -> None:
    class Displaced(Runtime):
        """After the first case the run goes to somebody else."""

        def _fed(self, request: SuiteRequest) -> Iterator[str]:
            for number, test_id in enumerate(super()._fed(request)):
                yield test_id
                if number == 0:
                    system.pass_time(LEASE.total_seconds())
                    new = system.jobs.write(system.job(job), system.job(job).claim("w9", system.clock()))
                    system.share.open(new, [("x", "x.py")], {})

    lane = Lane(system, job, Displaced(), batches=False)

    with pytest.raises(FenceLost):
        lane.run(request(tmp_path, "test_a.py"))


def test_what_waits_behind_a_running_case_is_given_back_when_another_lane_idles(
    system: System, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wainwright.worker.run.pulling.EVEN_SECONDS", 0.02)
    order = system.share.open(job, [(f"t{number}", "one.py") for number in range(40)], {})
    pulling = Pulling(system.share, job, OWNER)
    pulling.open(order)
    with pulling:
        assert _next(pulling) == "t0"  # of a lease of two, behind which the next one waits as well
        system.share.lease(job, "lane", order, lambda _work, _order: 40, (), ())
        system.share.give_back(job, "lane", ())  # that lane has run all the rest, and idles
        held = _until(lambda: len((system.lists.read(job) or WorkList(fence=1, lanes=1, total=0)).held[OWNER]) == 1)
    work = system.lists.read(job)

    assert held
    assert work is not None
    assert work.held == {OWNER: (0,)}
    assert 1 in work.returned


def _until(look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not (found := look()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def _next(pulling: Pulling) -> str:
    while isinstance(taken := pulling.take(), str):
        assert taken == "wait"
    return taken[0]
