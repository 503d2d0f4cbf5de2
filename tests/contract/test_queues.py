"""Every WorkQueue and every WakeUps, in memory and on AWS."""

from datetime import timedelta

import pytest

from tests.contract.conftest import Queues
from tests.support.builders import PROJECT, job_id
from wainwright.contracts.messages import WorkMessage
from wainwright.domain.jobs import LEASE
from wainwright.ports.queues import ReceivedWork

NO_WAIT = timedelta(0)
SECOND = timedelta(seconds=1)


def message(number: int = 1) -> WorkMessage:
    return WorkMessage(project=PROJECT, job_id=job_id(number), run=1, task_token="token-" + "ä" * number)


def received(queues: Queues) -> ReceivedWork:
    work = queues.work.receive(NO_WAIT)
    assert work is not None
    return work


def test_an_empty_queue_gives_nothing(queues: Queues) -> None:
    assert queues.work.receive(NO_WAIT) is None


def test_gives_a_message_as_it_was_sent(queues: Queues) -> None:
    queues.put(message())

    work = received(queues)

    assert (work.message, work.received) == (message(), 1)
    assert work.receipt


def test_a_message_in_hand_is_given_to_no_one_else(queues: Queues) -> None:
    queues.put(message())
    received(queues)
    queues.pass_time(LEASE - SECOND)

    assert queues.work.receive(NO_WAIT) is None


def test_a_message_whose_holder_is_silent_comes_again_and_counts(queues: Queues) -> None:
    queues.put(message())
    received(queues)
    queues.pass_time(LEASE + SECOND)

    assert (again := received(queues)).message == message()
    assert again.received == 2


def test_a_message_is_held_for_as_long_as_was_said_last(queues: Queues) -> None:
    queues.put(message())
    work = received(queues)
    for _ in range(3):
        queues.pass_time(timedelta(seconds=20))
        queues.work.extend(work.receipt, LEASE)

    queues.pass_time(LEASE - SECOND)
    assert queues.work.receive(NO_WAIT) is None
    queues.pass_time(2 * SECOND)
    assert received(queues).message == message()


def test_a_message_given_back_comes_again_at_once(queues: Queues) -> None:
    queues.put(message())
    queues.work.extend(received(queues).receipt, NO_WAIT)

    assert received(queues).received == 2


def test_a_deleted_message_never_comes_again(queues: Queues) -> None:
    queues.put(message())
    queues.work.delete(received(queues).receipt)
    queues.pass_time(timedelta(minutes=5))

    assert queues.work.receive(NO_WAIT) is None


def test_who_lost_a_message_may_neither_keep_nor_hurry_it(queues: Queues) -> None:
    queues.put(message())
    old = received(queues)
    queues.pass_time(LEASE + SECOND)
    new = received(queues)
    assert new.receipt != old.receipt

    queues.work.delete(new.receipt)
    queues.work.extend(old.receipt, NO_WAIT)
    queues.work.extend(new.receipt, NO_WAIT)
    queues.work.delete(old.receipt)

    assert queues.work.receive(NO_WAIT) is None


def test_messages_are_held_apart(queues: Queues) -> None:
    queues.put(message(1))
    queues.put(message(2))
    first, second = received(queues), received(queues)
    assert {first.message, second.message} == {message(1), message(2)}

    queues.work.delete(first.receipt)
    queues.work.extend(second.receipt, NO_WAIT)

    assert received(queues).message == second.message


def test_a_wake_up_arrives_at_once(queues: Queues) -> None:
    queues.wakeups.send(PROJECT)
    queues.wakeups.send("other")

    assert sorted(queues.woken()) == ["other", PROJECT]


@pytest.mark.parametrize("delay", [timedelta(seconds=10), timedelta(milliseconds=1_500), timedelta(milliseconds=1)])
def test_a_delayed_wake_up_never_arrives_early(queues: Queues, delay: timedelta) -> None:
    queues.wakeups.send(PROJECT, delay=delay)

    queues.pass_time(delay - timedelta(milliseconds=1))
    assert queues.woken() == []
    queues.pass_time(SECOND)
    assert queues.woken() == [PROJECT]


def test_takes_the_longest_delay(queues: Queues) -> None:
    queues.wakeups.send(PROJECT, delay=timedelta(seconds=900))

    queues.pass_time(timedelta(seconds=899))
    assert queues.woken() == []
    queues.pass_time(2 * SECOND)
    assert queues.woken() == [PROJECT]
