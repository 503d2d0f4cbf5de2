"""Reports of jobs that came to rest without one."""

from tests.support.builders import a_caller, completed
from tests.support.system import NO_WAIT, System
from wainwright.contracts.messages import ExecutionError, WorkMessage
from wainwright.domain.jobs import LEASE, REPORT_AFTER, REPORT_RETRY_WINDOW, Job, Outcome
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.ports.queues import ReceivedWork

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
        assert system.claims.claim(work, "w2") is None
    raise AssertionError("nothing asks for a report")


def test_a_run_that_ends_without_a_worker_asks_for_its_report_and_for_a_worker(system: System) -> None:
    job = timed_out(system)

    assert (job.status, job.report, job.due_at) == (JobStatus.FAILED, None, system.clock() + REPORT_AFTER)
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
    assert (after.report, after.owes_report, after.due_at) == (REPORT, False, None)
    assert after.status_sequence == job.status_sequence
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
    system.claims.end(claim, completed())
    system.finish(claim.job.project, claim.job.id, 1)
    canceled = system.submitted()
    system.control.cancel(a_caller(), canceled.id)

    assert system.queue.empty
    assert set(system.wakeups.workers) == {0}


def test_an_outcome_whose_report_could_not_be_written_is_asked_for(system: System) -> None:
    claim = system.claimed()
    system.claims.end(claim, completed().model_copy(update={"report": None}))
    system.finish(claim.job.project, claim.job.id, 1)

    assert asked(system).message.report_only


# Where the message is lost


def lose_all_messages(system: System) -> int:
    """Empty the queue; how many messages asked for reports."""
    asking = 0
    system.pass_time(LEASE.total_seconds())
    while (work := system.queue.receive(NO_WAIT)) is not None:
        asking += work.message.report_only
        system.queue.delete(work.receipt)
    return asking


def test_a_report_whose_message_was_lost_is_asked_for_by_the_sweep(system: System) -> None:
    job = timed_out(system)
    assert lose_all_messages(system) == 1
    system.sweep()
    assert system.queue.empty, "its message may still be there"

    system.pass_time(REPORT_AFTER.total_seconds())
    launches = system.wakeups.workers.count(1)
    assert system.sweep() == 1

    assert system.wakeups.workers.count(1) == launches + 1
    work = asked(system)
    assert (work.message.job_id, work.message.fence) == (job.id, 1)
    system.late_reports.keep(work, REPORT)
    system.pass_time(2 * REPORT_RETRY_WINDOW.total_seconds())
    assert system.sweep() == 0
    assert system.queue.empty


def test_a_report_is_asked_for_though_the_ending_was_written_and_no_message_sent(system: System) -> None:
    job = system.claimed().job
    timeout = Outcome(status=JobStatus.FAILED, fence=job.fence)
    system.jobs.write(job, job.finish(timeout, system.clock()))  # and there the writer was killed
    lose_all_messages(system)

    system.pass_time(REPORT_AFTER.total_seconds())
    system.sweep()

    assert asked(system).message.job_id == job.id


def test_a_report_that_nobody_can_write_is_asked_for_more_and_more_rarely_and_then_no_more(system: System) -> None:
    job = timed_out(system)
    lose_all_messages(system)
    asked_at = []
    for minute in range(3 * 24 * 60):
        system.pass_time(60)
        if system.sweep():
            asked_at.append(minute)
            while (work := system.queue.receive(NO_WAIT)) is not None:
                system.queue.delete(work.receipt)

    assert 6 <= len(asked_at) <= 10
    assert asked_at[-1] > REPORT_RETRY_WINDOW.total_seconds() / 60
    assert (system.job(job).due_at, system.job(job).owes_report) == (None, True)


def test_after_a_restart_that_lost_the_queue_reports_are_asked_for_at_once(system: System) -> None:
    job = timed_out(system)
    lose_all_messages(system)

    system.sweep(everything=True)

    assert asked(system).message.job_id == job.id


def test_what_is_deleted_is_not_asked_for(system: System) -> None:
    job = timed_out(system)
    lose_all_messages(system)
    system.control.delete(a_caller(), job.id)

    system.pass_time(REPORT_AFTER.total_seconds())
    assert system.sweep() == 0
    assert system.queue.empty


def test_a_job_that_was_tried_again_is_looked_after_as_any_other(system: System) -> None:
    job = timed_out(system)
    lose_all_messages(system)
    system.control.retry(a_caller(), job.id, only_failed=True)
    assert system.job(job).waiting

    system.pass_time(REPORT_AFTER.total_seconds())
    system.sweep()

    assert system.job(job).waiting
    assert system.queue.empty
