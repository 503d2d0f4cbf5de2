"""Reports of jobs that came to rest without one."""

from tests.support.builders import a_caller, completed
from tests.support.system import NO_WAIT, System
from wainwright.contracts.messages import ExecutionError, WorkMessage
from wainwright.domain.jobs import LEASE, Job
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.ports import ReceivedWork

TIMED_OUT = ExecutionError(error="States.Timeout")
REPORT = ReportRef(fence=1, complete=False, viewer="1")


def timed_out(system: System) -> Job:
    """A job that a worker had, and that came to rest without any."""
    job = system.claimed().job
    system.finish(job.project, job.id, job.run, TIMED_OUT)
    return system.job(job)


def asked(system: System) -> ReceivedWork:
    """The message that asks for a report; that of the run is over and deleted."""
    system.pass_time(LEASE.total_seconds())
    while (work := system.queue.receive(NO_WAIT)) is not None:
        if work.message.report_only:
            return work
        assert system.run_job.claim(work, "w2") is None
    raise AssertionError("nothing asks for a report")


def test_a_run_that_ends_without_a_worker_asks_for_its_report_and_for_a_worker(system: System) -> None:
    job = timed_out(system)

    assert (job.status, job.report, job.due_at) == (JobStatus.FAILED, None, None)
    assert asked(system).message == WorkMessage(
        project=job.project, job_id=job.id, run=1, fence=1, report_only=True
    )  # fmt: skip
    assert 1 in system.wakeups.workers
    launched = len(system.launcher.launched)
    for worker in system.workers.list():
        system.workers.remove(worker.id)
    system.dispatch(max(system.wakeups.workers))
    assert len(system.launcher.launched) == launched + 1


def test_what_had_ended_counts_though_no_outcome_says_so(system: System) -> None:
    claim = system.claimed()
    system.jobs.record(claim.job, tests=(), events=(), tally=Tally(total=3, passed=1, failed=1))

    system.finish(claim.job.project, claim.job.id, 1, TIMED_OUT)

    assert system.job(claim.job).tests == Tally(total=3, passed=1, failed=1)


def test_the_report_is_noted_and_nothing_else_changes(system: System) -> None:
    job = timed_out(system)
    work = asked(system)
    view = system.late_reports.take(work)
    assert view is not None

    system.late_reports.keep(work, REPORT)

    after = system.job(job)
    assert (after.report, after.owes_report, after.status_sequence) == (REPORT, False, job.status_sequence)
    assert (after.status, after.completed_at, after.expires_at) == (job.status, job.completed_at, job.expires_at)
    system.pass_time(LEASE.total_seconds())
    while (left := system.queue.receive(NO_WAIT)) is not None:
        assert not left.message.report_only


def test_what_is_asked_for_twice_is_written_once(system: System) -> None:
    job = timed_out(system)
    work = asked(system)
    system.late_reports.keep(work, REPORT)
    system.end.ask_for_report(job)  # as it was before

    assert system.late_reports.take(asked(system)) is None
    assert system.queue.empty


def test_a_job_that_was_tried_again_owes_nothing(system: System) -> None:
    job = timed_out(system)
    system.control.retry(a_caller(), job.id, only_failed=True)

    assert system.late_reports.take(asked(system)) is None


def test_a_job_that_is_gone_owes_nothing(system: System) -> None:
    job = timed_out(system)
    system.jobs.delete(job)

    assert system.late_reports.take(asked(system)) is None


def test_nothing_is_asked_for_where_the_report_is_there_or_nobody_had_the_job(system: System) -> None:
    claim = system.claimed()
    system.run_job.end(claim, completed())
    system.finish(claim.job.project, claim.job.id, 1)
    canceled = system.submitted()
    system.control.cancel(a_caller(), canceled.id)

    assert system.queue.empty
    assert set(system.wakeups.workers) == {0}


def test_an_outcome_whose_report_could_not_be_written_is_asked_for(system: System) -> None:
    claim = system.claimed()
    system.run_job.end(claim, completed().model_copy(update={"report": None}))
    system.finish(claim.job.project, claim.job.id, 1)

    assert asked(system).message.report_only
