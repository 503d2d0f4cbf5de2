"""Updates in every JobStore: the row is read, changed and written, and read anew where another was first."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.builders import PROJECT, START, a_job, job_id
from wainwright.domain.errors import FenceLost, Unavailable
from wainwright.domain.jobs import Job
from wainwright.ports.job_store import JobStore
from wainwright.ports.updates import BASE_SECONDS, MAX_SECONDS, TRIES, jittered_delay


def count_up(job: Job) -> Job:
    return job.set_priority(START, priority=job.priority + 1)


def write_first(store: JobStore, job: Job) -> None:
    """Somebody else writes between the read and the write of an update."""
    current = store.get(job.project, job.id)
    assert current is not None
    store.write(current, current.note_error(START))


def test_writes_what_the_step_makes_of_the_row(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(priority=1))

    updated = jobs.update(PROJECT, job.id, count_up)

    assert updated is not None
    assert (updated.priority, updated.version) == (2, job.version + 1)
    assert jobs.get(PROJECT, job.id) == updated


def test_takes_the_step_again_where_another_writer_was_first(jobs: JobStore) -> None:
    job = jobs.write(None, a_job(priority=1))
    seen: list[Job] = []

    def step(found: Job) -> Job:
        if not seen:
            write_first(jobs, found)
        seen.append(found)
        return count_up(found)

    updated = jobs.update(PROJECT, job.id, step)

    assert [each.has_errors for each in seen] == [False, True]
    assert updated is not None
    assert (updated.priority, updated.has_errors) == (2, True)


def test_writes_nothing_where_the_step_changes_nothing(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())

    assert jobs.update(PROJECT, job.id, lambda found: found) == job
    assert jobs.get(PROJECT, job.id) == job


def test_updates_no_job_that_is_not_there(jobs: JobStore) -> None:
    assert jobs.update(PROJECT, job_id(1), count_up) is None


def test_a_step_ends_the_update_by_an_error(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())

    def step(_job: Job) -> Job:
        raise FenceLost("another has it")

    with pytest.raises(FenceLost):
        jobs.update(PROJECT, job.id, step)

    assert jobs.get(PROJECT, job.id) == job


@pytest.mark.usefixtures("no_pauses")
def test_gives_up_where_another_writer_is_always_first(jobs: JobStore) -> None:
    job = jobs.write(None, a_job())
    taken = 0

    def step(found: Job) -> Job:
        nonlocal taken
        taken += 1
        write_first(jobs, found)
        return count_up(found)

    with pytest.raises(Unavailable, match="others always wrote first"):
        jobs.update(PROJECT, job.id, step)

    assert taken == TRIES


def test_loses_no_update_of_many_at_once(threaded_jobs: JobStore) -> None:
    job = threaded_jobs.write(None, a_job(priority=0))

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: threaded_jobs.update(PROJECT, job.id, count_up), range(12)))

    assert sorted(each.priority for each in done if each) == list(range(1, 13))


def test_waits_longer_each_time_within_bounds_and_with_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    leasts: set[float] = set()

    def longest(least: float, most: float) -> float:
        leasts.add(least)
        return most

    monkeypatch.setattr("random.uniform", longest)

    delays = [jittered_delay(number) for number in range(TRIES)]

    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (BASE_SECONDS, MAX_SECONDS)
    assert leasts == {0}
