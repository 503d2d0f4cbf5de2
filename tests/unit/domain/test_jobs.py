"""The steps that may be taken with a job."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import START, a_job, completed, failed, job_id
from wainwright.domain.errors import TransitionRefused
from wainwright.domain.failures import FailureCategory
from wainwright.domain.jobs import CHECK_AFTER, LEASE, MAX_PRIORITY, REPORT_AFTER, Job, Outcome
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally

LATER = START + timedelta(seconds=10)
SECOND = timedelta(seconds=1)


def running(**fields: object) -> Job:
    return a_job(**fields).admit(START).claim("w1", START)


class TestAdmission:
    def test_begins_a_new_run_that_holds_the_jobs_lanes(self) -> None:
        job = a_job(lanes=3).admit(LATER)

        assert (job.run, job.admitted_at, job.held_lanes, job.waiting) == (1, LATER, 3, False)
        assert (job.status, job.status_sequence) == (JobStatus.PENDING, 1)
        assert job.due_at == LATER + CHECK_AFTER

    def test_forgets_the_losses_of_the_run_before(self) -> None:
        job = running().claim("w2", LATER)
        assert job.losses == 1

        assert job.restart(LATER).admit(LATER).losses == 0

    def test_is_refused_to_a_job_that_has_ended(self) -> None:
        with pytest.raises(TransitionRefused):
            running().finish(completed(), LATER).admit(LATER)


class TestClaims:
    def test_takes_the_run_under_a_new_fence_and_a_lease(self) -> None:
        job = a_job().admit(START).claim("w1", LATER)

        assert (job.status, job.worker, job.fence, job.losses) == (JobStatus.RUNNING, "w1", 1, 0)
        assert (job.lease_until, job.due_at) == (LATER + LEASE, LATER + LEASE + CHECK_AFTER)
        assert job.started_at == LATER

    def test_counts_a_loss_for_a_worker_that_did_not_release(self) -> None:
        job = running().claim("w2", LATER)

        assert (job.worker, job.fence, job.losses, job.started_at) == ("w2", 2, 1, START)

    def test_counts_no_loss_for_a_worker_that_released(self) -> None:
        job = running().release(LATER, 5_000)
        assert (job.worker, job.lease_until, job.ran_ms, job.due_at) == (None, None, 5_000, LATER + CHECK_AFTER)

        assert job.claim("w2", LATER).losses == 0

    @pytest.mark.parametrize("ask", [Job.cancel, Job.stop])
    def test_leaves_what_was_asked_of_a_run_in_force(self, ask: Callable[[Job, datetime], Job]) -> None:
        asked = ask(running(), LATER)

        assert asked.claim("w2", LATER + LEASE).status is asked.status

    def test_is_open_once_the_lease_has_ended(self) -> None:
        job = running()

        assert not job.can_be_claimed(START + LEASE - timedelta(milliseconds=1))
        assert job.can_be_claimed(START + LEASE)
        assert job.release(LATER, 1).can_be_claimed(LATER)

    def test_renewing_moves_lease_and_deadline(self) -> None:
        job = running().renew(LATER, 9_000)

        assert (job.lease_until, job.due_at) == (LATER + LEASE, LATER + LEASE + CHECK_AFTER)
        assert (job.ran_ms, job.fence) == (9_000, 1)


class TestTheEnd:
    def test_a_completed_run_completes_the_job_and_lets_go_of_everything(self) -> None:
        job = running().record_outcome(completed(), LATER).finish(completed(), LATER)

        assert (job.status, job.is_final, job.completed_at, job.failure) == (JobStatus.COMPLETED, True, LATER, None)
        assert (job.due_at, job.admitted_at, job.worker, job.lease_until, job.outcome) == (None,) * 5
        assert job.report == completed().report
        assert job.tests.passed == 2
        assert not job.has_errors

    def test_a_failed_run_fails_the_job_with_its_failure(self) -> None:
        job = running().finish(failed(), LATER)

        assert job.status is JobStatus.FAILED
        assert job.failure == failed().failure
        assert job.has_errors
        assert job.tests.failed == 1

    def test_an_end_without_a_tally_leaves_the_one_there_is(self) -> None:
        job = running(tests=Tally(total=4, passed=3)).finish(Outcome(status=JobStatus.FAILED, fence=1), LATER)

        assert job.tests == Tally(total=4, passed=3)
        assert job.failure is not None
        assert job.failure.category is FailureCategory.INFRASTRUCTURE

    def test_a_failure_that_may_be_tried_again_goes_back_to_the_line_after_its_delay(self) -> None:
        job = running(retry=RetryPolicy(max_attempts=2, delay_ms=90_000)).renew(START, 5_000).finish(failed(), LATER)

        assert (job.status, job.attempt, job.waiting, job.held_lanes) == (JobStatus.PENDING, 2, True, 0)
        assert job.not_before == LATER + timedelta(seconds=90)
        assert job.due_at == LATER + timedelta(seconds=90) + CHECK_AFTER
        assert job.ran_ms == 0  # each try has its own timeout
        assert job.failure is not None

    def test_the_last_try_fails_the_job(self) -> None:
        job = running(retry=RetryPolicy(max_attempts=2), attempt=2).finish(failed(), LATER)

        assert (job.status, job.attempt) == (JobStatus.FAILED, 2)

    @pytest.mark.parametrize("status", [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED])
    def test_whatever_came_of_it_a_canceled_run_is_canceled(self, status: JobStatus) -> None:
        outcome = Outcome(status=status, fence=1, tests=Tally(total=2, passed=2), report=completed().report)
        job = running(retry=RetryPolicy(max_attempts=5)).cancel(LATER).finish(outcome, LATER)

        assert job.status is JobStatus.CANCELED
        assert job.failure is not None
        assert job.failure.category is FailureCategory.CANCELED_BY_USER
        assert (job.tests.passed, job.report) == (2, completed().report)

    def test_a_stopped_run_rests_without_a_failure(self) -> None:
        job = running().stop(LATER).finish(Outcome(status=JobStatus.STOPPED, fence=1), LATER)

        assert (job.status, job.is_final, job.failure) == (JobStatus.STOPPED, False, None)
        assert job.due_at == LATER + REPORT_AFTER, "it has no report yet"

    def test_a_run_that_was_asked_to_stop_may_complete_or_fail_first_but_is_not_tried_again(self) -> None:
        stopping = running(retry=RetryPolicy(max_attempts=5)).stop(LATER)

        assert stopping.finish(completed(), LATER).status is JobStatus.COMPLETED
        assert stopping.finish(failed(), LATER).status is JobStatus.FAILED

    def test_a_run_that_nobody_took_fails(self) -> None:
        assert a_job().admit(START).finish(failed(FailureCategory.INFRASTRUCTURE), LATER).status is JobStatus.FAILED

    def test_an_outcome_ends_the_lease_and_is_kept_for_finish(self) -> None:
        job = running().record_outcome(failed(), LATER)

        assert (job.outcome, job.worker, job.lease_until) == (failed(), None, None)
        assert (job.status, job.held_lanes, job.has_errors) == (JobStatus.RUNNING, 1, True)
        assert job.due_at == LATER + CHECK_AFTER


class TestControl:
    def test_canceling_ends_what_no_worker_has(self) -> None:
        for job in (a_job(), a_job().admit(START), running().stop(START).finish(_stopped(), START)):
            canceled = job.cancel(LATER)
            assert (canceled.status, canceled.held_lanes) == (JobStatus.CANCELED, 0)
            assert (canceled.due_at is not None) == canceled.owes_report

    def test_canceling_tells_the_worker_that_has_it(self) -> None:
        for job in (running(), running().stop(LATER), running().cancel(START)):
            canceling = job.cancel(LATER)
            assert (canceling.status, canceling.held_lanes) == (JobStatus.CANCELING, 1)
            assert canceling.due_at is not None

    def test_asking_twice_is_no_step(self) -> None:
        once = running().cancel(LATER)

        assert once.cancel(LATER).status_sequence == once.status_sequence

    @pytest.mark.parametrize("ask", [Job.cancel, Job.stop])
    def test_what_has_ended_cannot_be_ended(self, ask: Callable[[Job, datetime], Job]) -> None:
        for ended in (running().finish(completed(), LATER), running().finish(failed(), LATER), a_job().cancel(LATER)):
            if ended.status is JobStatus.CANCELED and ask is Job.cancel:
                continue
            with pytest.raises(TransitionRefused):
                ask(ended, LATER)

    def test_stopping_ends_what_no_worker_has_and_tells_the_one_that_has_it(self) -> None:
        assert a_job().stop(LATER).status is JobStatus.STOPPED
        assert a_job().admit(START).stop(LATER).held_lanes == 0
        assert running().stop(LATER).status is JobStatus.STOPPING

    def test_what_is_being_canceled_cannot_be_stopped(self) -> None:
        with pytest.raises(TransitionRefused):
            running().cancel(LATER).stop(LATER)

    def test_a_stopped_job_is_resumed_in_the_same_attempt(self) -> None:
        stopped = running().renew(START, 4_000).stop(START).finish(_stopped(), START)
        job = stopped.resume(LATER)

        assert (job.status, job.waiting, job.attempt, job.ran_ms) == (JobStatus.PENDING, True, 1, 4_000)
        assert (job.completed_at, job.failure) == (None, None)
        assert job.due_at == LATER + CHECK_AFTER

    def test_a_failed_job_is_retried_in_a_new_attempt(self) -> None:
        job = running().renew(START, 4_000).finish(failed(), START).try_again(LATER, only_failed=True)

        assert (job.status, job.attempt, job.ran_ms, job.failure) == (JobStatus.PENDING, 2, 0, None)

    def test_nothing_else_goes_back_to_the_line(self) -> None:
        for ended in (running().finish(completed(), LATER), a_job().cancel(LATER)):
            with pytest.raises(TransitionRefused):
                ended.resume(LATER)
            with pytest.raises(TransitionRefused):
                ended.try_again(LATER, only_failed=True)


class TestLostRuns:
    def test_the_same_attempt_goes_back_to_the_line(self) -> None:
        job = running(retry=RetryPolicy(max_attempts=1)).renew(START, 4_000).restart(LATER)

        assert (job.status, job.waiting, job.attempt, job.not_before) == (JobStatus.PENDING, True, 1, None)
        assert (job.worker, job.held_lanes, job.ran_ms) == (None, 0, 4_000)
        assert job.due_at == LATER + CHECK_AFTER

    def test_a_run_that_nobody_took_goes_back_without_a_change_of_status(self) -> None:
        job = a_job().admit(START).restart(LATER)

        assert (job.waiting, job.status_sequence, job.held_lanes) == (True, 1, 0)

    def test_looking_again_later_changes_nothing_else(self) -> None:
        job = running()

        assert job.touch(LATER) == job.model_copy(update={"due_at": LATER + CHECK_AFTER})


class TestTimes:
    def test_waiting_time_grows_until_the_start(self) -> None:
        assert a_job().waiting_ms(LATER) == 10_000
        assert a_job().admit(START).claim("w", START + SECOND).waiting_ms(LATER) == 1_000
        assert a_job().cancel(START + 2 * SECOND).waiting_ms(LATER) == 2_000

    def test_duration_grows_until_the_end(self) -> None:
        assert a_job().duration_ms(LATER) is None
        assert running().duration_ms(LATER) == 10_000
        assert running().finish(completed(), START + SECOND).duration_ms(LATER) == 1_000


_JOBS = st.builds(
    lambda low, priority, milliseconds, number: a_job(
        low_priority=low, priority=priority, created_at=START + timedelta(milliseconds=milliseconds), id=job_id(number)
    ),
    low=st.booleans(),
    priority=st.integers(-MAX_PRIORITY, MAX_PRIORITY),
    milliseconds=st.integers(0, 10_000) | st.integers(0, 3_000_000_000_000),
    number=st.integers(0, 10),
)


@given(one=_JOBS, other=_JOBS)
def test_text_order_of_places_in_the_line_is_starting_order(one: Job, other: Job) -> None:
    def order(job: Job) -> tuple[bool, int, object, str]:
        return job.low_priority, -job.priority, job.created_at, job.id

    assert (one.line_position < other.line_position) == (order(one) < order(other))
    assert (one.line_position == other.line_position) == (order(one) == order(other))


def _stopped() -> Outcome:
    return Outcome(status=JobStatus.STOPPED, fence=1)
