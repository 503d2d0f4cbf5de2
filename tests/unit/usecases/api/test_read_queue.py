"""The queue at a glance."""

from datetime import timedelta

from tests.unit.usecases.api.desk import CALLER, PROJECT, Desk
from wainwright.domain.capacity import Limits
from wainwright.domain.states import JobStatus
from wainwright.usecases.read_queue import MOST_WAITING

TEN = timedelta(minutes=10)


def test_shows_counters_limits_and_who_waits_in_starting_order(desk: Desk) -> None:
    late, first = desk.submitted(), desk.submitted(priority=5)
    desk.submitted(dependsOn=late.id)
    desk.running(priority=9)

    answer = desk.queue(CALLER, long_running=TEN)

    assert (answer.queued, answer.running, answer.limits) == (3, 1, desk.limits)
    assert [job.id for job in answer.waiting] == [first.id, late.id]


def test_names_what_has_run_for_long_the_longest_first(desk: Desk) -> None:
    first = desk.running()
    desk.clock.advance(timedelta(minutes=1))
    second = desk.running()
    desk.clock.advance(TEN)
    desk.running()

    assert [job.id for job in desk.queue(CALLER, long_running=TEN).long_running] == [first.id, second.id]
    assert len(desk.queue(CALLER, long_running=timedelta(0)).long_running) == 3


def test_shows_the_five_latest_failures_by_their_last_change(desk: Desk) -> None:
    failed = [desk.ended(JobStatus.FAILED) for _ in range(7)]
    desk.ended()
    desk.clock.advance(timedelta(seconds=1))
    desk.jobs.write(failed[2], failed[2].set_label("looked at", desk.clock()))

    shown = [job.id for job in desk.queue(CALLER, long_running=TEN).recent_failures]

    assert shown == [failed[number].id for number in (2, 6, 5, 4, 3)]


def test_reads_no_more_of_a_long_line_than_it_shows(desk: Desk) -> None:
    desk.jobs.set_limits(PROJECT, Limits(queued=100))
    for _ in range(MOST_WAITING + 5):
        desk.submitted()

    answer = desk.queue(CALLER, long_running=TEN)

    assert (answer.queued, len(answer.waiting)) == (MOST_WAITING + 5, MOST_WAITING)
