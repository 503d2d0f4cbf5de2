"""One lane's suite: fed one case at a time where its runner can be fed, else run in batches. Only the runner is made up."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.builders import SCRIPT
from tests.support.stop import Stop
from tests.support.system import System
from wainwright.adapters.no_spool import NoSpool
from wainwright.contracts.http.jobs import CreateJob
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import FenceLost
from wainwright.domain.jobs import LEASE, Job
from wainwright.domain.lanes import OWNER
from wainwright.domain.work_list import WorkList
from wainwright.usecases.hold_claim import Claim
from wainwright.usecases.upload_artifacts import UploadArtifacts, UploadPolicy
from wainwright.worker.evidence.recording import Recording
from wainwright.worker.run.case_leases import CaseLeases
from wainwright.worker.run.lane_suite import LaneSuite
from wainwright.worker.runners.suite import (
    Collected,
    Event,
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
def claim(system: System) -> Claim:
    return system.claimed(CreateJob(script=SCRIPT, parallelism=2))


@pytest.fixture
def job(claim: Claim) -> Job:
    return claim.job


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


class Runner:
    """Runs what it is asked for at once, and keeps the requests."""

    def __init__(self, breaks_at: str | None = None) -> None:
        self.requests: list[SuiteRequest] = []
        self.ran: list[str] = []
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
            self.ran.append(test_id)
            on_event(TestEnded(result(test_id)))
        return SuiteEnd("stopped" if stop.mode == "stop" else "finished", exit_code=0)

    def _fed(self, request: SuiteRequest) -> Iterator[str]:
        assert request.feed is not None
        while (taken := request.feed.take()) != "over":
            if not isinstance(taken, str):
                yield from taken


class Lane:
    """The owner's lane of a job, with a recording of its own. ``cases`` replace those that it collects."""

    def __init__(
        self, system: System, claim: Claim, runner: Runner, *, batches: bool, cases: Sequence[str] | None = None
    ) -> None:
        self.collected: list[Collected] = []
        self.batches: list[tuple[Path, bool]] = []
        self._system, self._claim, self._cases = system, claim, cases
        self._leases = CaseLeases(system.share, claim.job, OWNER, batches=batches)
        self.suite = LaneSuite(runner, self._leases, self._open, self._batch_ended)

    def _batch_ended(self, output: Path, _recording: Recording) -> None:
        self.batches.append((output, self._system.share.is_finished(self._claim.job)))

    def _open(self, event: Collected) -> None:
        self.collected.append(event)
        cases = self._cases or [each.id for each in event.tests]
        self._leases.open(self._system.share.open(self._claim.job, [(each, "shop.spec.ts") for each in cases], {}))

    def run(self, asked: SuiteRequest, stop: StopRequest | None = None) -> SuiteEnd:
        """Run the suite to its end."""
        system = self._system
        uploads = UploadArtifacts(system.artifacts, NoSpool(), UploadPolicy(), lambda: False)
        recording = Recording(
            system.jobs, system.logs, uploads, system.clock, self._claim, [], note_error=lambda: None,
            on_recorded=self.suite.recorded,
        )  # fmt: skip
        try:
            return self.suite.run(asked, recording, stop or Stop())
        finally:
            recording.close()


def test_a_suite_of_pytest_is_fed_and_runs_each_case_once(system: System, claim: Claim, tmp_path: Path) -> None:
    runner = Runner()
    lane = Lane(system, claim, runner, batches=False)

    end = lane.run(request(tmp_path, "test_a.py"))

    assert (end.reason, tuple(runner.ran)) == ("finished", CASES)
    assert len(runner.requests) == len(lane.collected) == 1
    assert system.share.is_finished(claim.job)


def test_a_suite_that_cannot_be_fed_is_collected_once_and_run_in_batches_that_grow_small(
    system: System, claim: Claim, tmp_path: Path
) -> None:
    runner = Runner()
    lane = Lane(system, claim, runner, batches=True)

    end = lane.run(request(tmp_path, "playwright.config.ts"))

    assert (end.reason, tuple(runner.ran)) == ("finished", CASES)
    first, *batches = runner.requests
    assert first.collect_only
    assert not any(batch.collect_only for batch in batches)
    sizes = [len(batch.select or ()) for batch in batches]
    assert sum(sizes) == len(CASES)
    assert sizes == sorted(sizes, reverse=True)
    assert (sizes[0], sizes[-1]) == (5, 1)
    assert len(lane.collected) == 1
    assert len({batch.output for batch in runner.requests}) == len(runner.requests)
    assert len({batch.compiled for batch in runner.requests}) == 1
    assert first.compiled is not None
    assert first.compiled.is_dir()
    assert system.share.is_finished(claim.job)


def test_a_batch_whose_process_dies_ends_the_lane_which_keeps_the_case_that_ran(
    system: System, claim: Claim, tmp_path: Path
) -> None:
    lane = Lane(system, claim, Runner(breaks_at=CASES[2]), batches=True)

    end = lane.run(request(tmp_path, "playwright.config.ts"))

    assert (end.reason, end.signal, lane.suite.spent) == ("crashed", 11, CASES[2])
    lane.suite.give_back()
    work = system.lists.read(claim.job)
    assert work is not None
    assert [CASES[at] for at in work.waiting()] == list(CASES[3:])
    assert work.held == {}


def test_what_a_batch_left_can_be_kept_before_anybody_learns_that_it_is_done(
    system: System, claim: Claim, tmp_path: Path
) -> None:
    runner = Runner()
    lane = Lane(system, claim, runner, batches=True)

    lane.run(request(tmp_path, "playwright.config.ts"))

    assert lane.batches == [(batch.output, False) for batch in runner.requests if not batch.collect_only]
    assert system.share.is_finished(claim.job)


def test_between_batches_a_stop_is_heeded(system: System, claim: Claim, tmp_path: Path) -> None:
    stop = Stop()
    runner = Runner()
    lane = Lane(system, claim, runner, batches=True)
    stop.stop()

    end = lane.run(request(tmp_path, "playwright.config.ts"), stop)

    assert (end.reason, runner.ran) == ("stopped", [])


def test_a_lane_is_given_nothing_that_it_did_not_collect(system: System, claim: Claim, tmp_path: Path) -> None:
    lane = Lane(system, claim, Runner(), batches=False, cases=["other.spec.ts › x"])

    end = lane.run(request(tmp_path, "test_a.py"))

    assert end.reason == "interrupted"
    assert "other.spec.ts › x" in end.errors[0].message


def test_a_lane_whose_run_has_another_owner_takes_nothing_more(system: System, claim: Claim, tmp_path: Path) -> None:
    class Displaced(Runner):
        """After the first case the run goes to somebody else."""

        def _fed(self, request: SuiteRequest) -> Iterator[str]:
            for number, test_id in enumerate(super()._fed(request)):
                yield test_id
                if number == 0:
                    system.pass_time(LEASE.total_seconds())
                    job = system.job(claim.job)
                    new = system.jobs.write(job, job.claim("w9", system.clock()))
                    system.share.open(new, [("x", "x.py")], {})

    lane = Lane(system, claim, Displaced(), batches=False)

    with pytest.raises(FenceLost):
        lane.run(request(tmp_path, "test_a.py"))


def test_what_waits_behind_a_running_case_is_given_back_when_another_lane_idles(
    system: System, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wainwright.worker.run.case_leases.EVEN_SECONDS", 0.02)
    order = system.share.open(job, [(f"t{number}", "one.py") for number in range(40)], {})
    leases = CaseLeases(system.share, job, OWNER)
    leases.open(order)
    with leases:
        assert _next(leases) == "t0"  # of a lease of two, behind which the next one waits as well
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


def _next(leases: CaseLeases) -> str:
    while isinstance(taken := leases.take(), str):
        assert taken == "wait"
    return taken[0]
