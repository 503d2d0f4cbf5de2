"""What tests of runs share: the system in memory, and a worker whose suites are the test's own."""

from pathlib import Path

import pytest

from tests.support.outages import FakePace
from tests.support.system import System
from tests.unit.worker.suites import Perform, Suite, worker
from wainwright.domain.jobs import Job
from wainwright.usecases.hold_claim import Claim
from wainwright.worker.run.run_session import run_claim
from wainwright.worker.run.shutdown import ShutdownSignal


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    monkeypatch.setattr(
        "wainwright.worker.evidence.write_report.trace_viewer_files", lambda *_: []
    )  # megabytes that few tests look at
    return System()


@pytest.fixture
def pace() -> FakePace:
    return FakePace()


@pytest.fixture
def perform(system: System, pace: FakePace, tmp_path: Path) -> Perform:
    """Run a claim with a suite of the test's own; gives the job as it is then."""

    def perform(claim: Claim, suite: Suite, shutdown: ShutdownSignal | None = None) -> Job:
        folder = tmp_path / f"run-{claim.job.id}-{claim.name}"
        run_claim(worker(system, pace=pace), claim, folder, shutdown or ShutdownSignal(), run_suite=suite)
        return system.job(claim.job)

    return perform
