"""The worker's loop, as far as it looks after what could not be uploaded."""

from pathlib import Path

import pytest

from tests.support.builders import PROJECT, SCRIPT, failed
from tests.support.outages import REASON
from tests.support.system import System
from tests.unit.worker.suites import failing, worker
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.names import report_key
from wainwright.domain.capacity import Limits
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.settings import WorkerSettings
from wainwright.usecases.upload_spooled import UploadSpooled
from wainwright.worker.loop.agent import Agent
from wainwright.worker.run.shutdown import ShutdownSignal
from wainwright.worker.runners.suite import SuiteEnd
from wainwright.worker.sandbox.hosting import Hosting
from wainwright.worker.sandbox.isolation import Isolation

ENVIRONMENT = {
    "WAINWRIGHT_STAGE": "test",
    "WAINWRIGHT_TABLE": "table",
    "WAINWRIGHT_BUCKET": "bucket",
    "WAINWRIGHT_WORK_QUEUE_URL": "https://sqs/work",
    "WAINWRIGHT_WORKER_ID": "w1",
    "WAINWRIGHT_IDLE_SECONDS": "0.05",
}


@pytest.fixture
def shutdown() -> ShutdownSignal:
    return ShutdownSignal()


@pytest.fixture
def agent(system: System, tmp_path: Path, shutdown: ShutdownSignal) -> Agent:
    """A worker that leaves when nothing waits. Its suites fail, as tests do."""
    settings = WorkerSettings.read(ENVIRONMENT | {"WAINWRIGHT_WORK_DIR": str(tmp_path)})
    settings.home.mkdir()
    return Agent(worker(system), settings, shutdown, settings.home, run_suite=failing)


@pytest.fixture
def left(system: System) -> Job:
    """A job that failed, and whose report lies on this worker's disk."""
    claim = system.claimed()
    report = ReportRef(fence=1, complete=True, viewer="1.65").with_missing(["index.html"], REASON)
    system.claims.end(claim, failed().model_copy(update={"report": report}))
    system.finish(PROJECT, claim.job.id, claim.job.run)
    system.spool.put(report_key(PROJECT, claim.job.id, fence=1, path="index.html"), b"<html>", "text/html")
    return system.job(claim.job)


def whole(system: System, job: Job) -> bool:
    report = system.job(job).report
    assert report is not None
    return report.is_intact


def test_what_a_suite_left_anywhere_is_removed_when_its_job_has_ended(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleared: list[bool] = []
    settings = WorkerSettings.read(ENVIRONMENT | {"WAINWRIGHT_WORK_DIR": str(tmp_path)})
    settings.home.mkdir()
    job = system.admitted()

    def clear_shared(_isolation: Isolation) -> None:
        cleared.append(system.job(job).outcome is not None)
        system.finish(PROJECT, job.id, job.run)

    monkeypatch.setattr(Isolation, "clear_shared", clear_shared)
    Agent(worker(system), settings, ShutdownSignal(), settings.home, Hosting(), failing).run()

    assert cleared == [True]


def test_a_worker_uploads_what_it_could_not_once_its_job_has_its_outcome(
    system: System, agent: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = system.admitted()
    monkeypatch.setattr(UploadSpooled, "run_last", lambda _rounds: None)

    def refuses(_key: str) -> bool:
        if system.job(job).is_in_work:
            return True
        system.finish(PROJECT, job.id, job.run)  # or the worker would wait for what still counts as running
        return False

    system.artifacts.refuses = refuses

    agent.run()

    assert whole(system, job)
    assert system.spool.objects == {}
    assert system.job(job).status is JobStatus.FAILED


def test_an_idle_worker_uploads_what_others_left(
    system: System, agent: Agent, left: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(UploadSpooled, "run_last", lambda _rounds: None)
    agent.run()

    assert whole(system, left)


def test_a_worker_that_is_to_shut_down_tries_once_more(
    system: System, agent: Agent, left: Job, shutdown: ShutdownSignal
) -> None:
    shutdown.request()

    agent.run()

    assert whole(system, left)


def test_a_worker_that_cannot_upload_leaves_all_the_same(system: System, agent: Agent, left: Job) -> None:
    system.artifacts.refuse_all()

    agent.run()

    assert "w1" not in {row.id for row in system.workers.list()}
    assert not whole(system, left)
    assert system.spool.objects


def test_a_worker_that_fails_in_a_lane_leaves_its_cases_to_the_others(tmp_path: Path) -> None:
    system, shutdown = System(limits=Limits(running=4, queued=4)), ShutdownSignal()
    job = system.claimed(CreateJob(script=SCRIPT, parallelism=2), worker="owner").job
    system.share.invite(job)

    def fail(*_: object) -> SuiteEnd:
        shutdown.request()
        raise RuntimeError("the disk is full")

    settings = WorkerSettings.read(ENVIRONMENT | {"WAINWRIGHT_WORK_DIR": str(tmp_path)})
    settings.home.mkdir()
    Agent(worker(system), settings, shutdown, settings.home, run_suite=fail).run()

    [lane] = system.lists.lanes(job)
    assert (lane.worker, lane.left, lane.end) == ("w1", True, None)
    assert system.job(job).outcome is None
