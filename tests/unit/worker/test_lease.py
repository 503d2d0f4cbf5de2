"""Keeping a lease: renewing, heeding, and noticing a loss. The clock is the test's; nothing waits."""

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.builders import PROJECT, a_caller
from tests.support.system import NO_WAIT, System
from wainwright.domain.jobs import LEASE
from wainwright.domain.workers import SEEN_DEADLINE, WorkerState
from wainwright.usecases.hold_claim import Claim
from wainwright.usecases.keep_worker import KeepWorker
from wainwright.worker.run.lease import LOOK_SECONDS, RENEW_SECONDS, LeaseKeeper
from wainwright.worker.run.shutdown import ShutdownSignal


@dataclass
class Held:
    """A claim whose lease is kept while the test lets time pass, which takes none."""

    system: System
    claim: Claim
    shutdown: ShutdownSignal = field(default_factory=ShutdownSignal)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.lease = self._keeper(lambda _seconds: True)

    def _keeper(self, wait: Callable[[float], bool]) -> LeaseKeeper:
        keep = KeepWorker("w1", self.system.workers, self.system.jobs, self.system.queue, self.system.clock)
        return LeaseKeeper(
            self.system.claims, keep, self.claim, self.shutdown, monotonic=lambda: self.seconds, wait=wait
        )

    def hold(self, seconds: float, at: dict[float, Callable[[], object]] | None = None) -> None:
        """Keep it for so long; ``at`` says what happens meanwhile, by seconds from the beginning."""
        events = dict(at or {})

        def wait(duration: float) -> bool:
            self.seconds += duration
            self.system.pass_time(duration)
            for moment in [moment for moment in events if moment <= self.seconds]:
                events.pop(moment)()
            return self.seconds > seconds

        self.lease = self._keeper(wait)
        with self.lease:
            pass


@pytest.fixture
def system() -> System:
    return System()


@pytest.fixture
def held(system: System) -> Held:
    return Held(system, system.claimed())


def _unreachable(*_: Any, **__: Any) -> None:
    raise ConnectionError("no route")


def test_keeps_lease_and_message_for_as_long_as_it_takes(system: System, held: Held) -> None:
    held.hold(300)

    job = system.job(held.claim.job)
    assert job.lease_until is not None
    assert job.lease_until > system.clock()
    assert (job.fence, job.losses, job.worker) == (1, 0, "w1")
    assert system.queue.receive(NO_WAIT) is None
    assert (held.lease.reason, held.lease.mode) == (None, "run")


def test_renews_well_before_the_lease_ends(system: System, held: Held) -> None:
    renewed: list[float] = []
    original = system.claims.renew

    def renew(claim: Claim, ran_ms: int) -> Any:
        renewed.append(held.seconds)
        return original(claim, ran_ms)

    object.__setattr__(system.claims, "renew", renew)

    held.hold(60)

    gaps = [later - earlier for earlier, later in zip([0.0, *renewed], renewed, strict=False)]
    assert max(gaps) <= RENEW_SECONDS + LOOK_SECONDS < LEASE.total_seconds() / 2


def test_tells_the_running_time_that_earlier_claims_had_included(system: System, held: Held) -> None:
    held.hold(21)
    system.claims.release(held.claim, held.lease.ran_ms)

    second = Held(system, system.next_claim("w2"))

    assert held.lease.ran_ms == 22_000
    assert second.claim.job.ran_ms == 22_000
    assert second.lease.ran_ms >= 22_000


def test_says_that_its_worker_is_busy(system: System, held: Held) -> None:
    held.hold(120)

    (row,) = [row for row in system.workers.list() if row.id == "w1"]
    assert row.state is WorkerState.BUSY
    assert system.clock() < row.due_at <= system.clock() + SEEN_DEADLINE


def test_hears_of_a_cancel_within_one_look(system: System, held: Held) -> None:
    heard: list[str] = []

    def listen() -> None:
        heard.append(held.lease.mode)

    held.hold(8, at={3.0: lambda: system.control.cancel(a_caller(), held.claim.job.id), 3.0 + 2 * LOOK_SECONDS: listen})

    assert heard == ["cancel"]
    assert held.lease.reason == "cancel"


def test_hears_of_a_stop_and_a_cancel_outranks_it(system: System, held: Held) -> None:
    def stop() -> None:
        job = system.job(held.claim.job)
        system.jobs.write(job, job.stop(system.clock()))

    heard: list[object] = []
    held.hold(
        6,
        at={
            2.0: stop,
            4.0: lambda: heard.append((held.lease.reason, held.lease.mode)),
            4.1: lambda: system.control.cancel(a_caller(), held.claim.job.id),
        },
    )

    assert heard == [("stop", "stop")]
    assert (held.lease.reason, held.lease.mode) == ("cancel", "cancel")


def test_a_shutdown_ends_the_suite_at_once(held: Held) -> None:
    held.shutdown.request()

    assert (held.lease.reason, held.lease.mode) == ("shutdown", "cancel")


def test_a_shutdown_does_not_undo_a_cancel(system: System, held: Held) -> None:
    held.hold(5, at={2.0: lambda: system.control.cancel(a_caller(), held.claim.job.id)})
    held.shutdown.request()

    assert held.lease.reason == "cancel"


def test_stops_at_once_when_another_worker_has_the_run(system: System, held: Held) -> None:
    def displace() -> None:
        job = system.job(held.claim.job)
        system.jobs.write(job, job.claim("w2", system.clock()))

    held.hold(1_000, at={4.0: displace})

    assert held.seconds <= 4.0 + 2 * LOOK_SECONDS
    assert (held.lease.reason, held.lease.mode) == ("lost", "cancel")


def test_stops_when_the_run_was_ended_by_somebody_else(system: System, held: Held) -> None:
    held.hold(1_000, at={4.0: lambda: system.finish(PROJECT, held.claim.job.id, 1)})

    assert held.lease.reason == "lost"


def test_goes_on_through_a_fault_that_is_shorter_than_the_lease(
    system: System, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = system.jobs.get
    held.hold(
        60,
        at={
            5.0: lambda: monkeypatch.setattr(system.jobs, "get", _unreachable),
            25.0: lambda: monkeypatch.setattr(system.jobs, "get", get),
        },
    )

    assert held.lease.reason is None
    lease_until = system.job(held.claim.job).lease_until
    assert lease_until is not None
    assert lease_until > system.clock()


def test_gives_the_run_up_when_it_could_not_renew_for_a_lease(
    system: System, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    held.hold(1_000, at={5.0: lambda: monkeypatch.setattr(system.jobs, "get", _unreachable)})

    assert held.lease.reason == "lost"
    assert LEASE.total_seconds() < held.seconds <= LEASE.total_seconds() + RENEW_SECONDS


def test_a_fault_of_the_workers_own_row_is_no_fault_of_the_run(
    system: System, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system.workers, "put", _unreachable)

    held.hold(60)

    assert held.lease.reason is None


def test_its_thread_ends_with_it(system: System) -> None:
    claim = system.claimed()
    keep = KeepWorker("w1", system.workers, system.jobs, system.queue, system.clock)

    with LeaseKeeper(system.claims, keep, claim, ShutdownSignal()):
        assert "lease" in {thread.name for thread in threading.enumerate()}

    assert "lease" not in {thread.name for thread in threading.enumerate()}


HOLDING = """
import re, sys, time
sys.path[:] = {path!r}
from datetime import timedelta
from tests.support.system import System
from wainwright.usecases.keep_worker import KeepWorker
from wainwright.worker.run import lease
from wainwright.worker.run.shutdown import ShutdownSignal
lease.LEASE, lease.LOOK_SECONDS = timedelta(seconds=1), 0.05
system = System()
claim = system.claimed()
keep = KeepWorker("w1", system.workers, system.jobs, system.queue, system.clock)
with lease.LeaseKeeper(system.claims, keep, claim, ShutdownSignal()):
    {work}
"""

HANG_IN_A_CALL = "object.__setattr__(system.claims, 'read_command', lambda _claim: time.sleep(600)); time.sleep(600)"


@pytest.mark.parametrize(
    ("work", "code"),
    [
        ("re.match('(a+)+$', 'a' * 60 + '!')", 1),
        (HANG_IN_A_CALL, 1),
        ("time.sleep(2)", 0),
    ],
    ids=["holds the lock", "hangs in a call", "is well"],
)
def test_a_worker_exits_when_its_lease_cannot_be_renewed(work: str, code: int) -> None:
    program = HOLDING.format(path=sys.path, work=work)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert ran.returncode == code, ran.stderr
