"""Every TestHistory and every QuarantineStore, in memory and on AWS."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.support.builders import PROJECT, START, a_running_job
from tests.support.memory.history_store import MemoryQuarantineStore, MemoryTestHistory
from tests.support.memory.job_store import MemoryJobStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.test_history_store import DynamoQuarantineStore, DynamoTestHistory
from wainwright.domain.jobs import Job
from wainwright.domain.quarantine import Quarantine
from wainwright.domain.test_history import KEPT, Sample
from wainwright.domain.tests import TestOutcome
from wainwright.ports.job_store import JobStore
from wainwright.ports.quarantine import QuarantineStore
from wainwright.ports.test_history import TestHistory

FILE = "test_cart.py"
ONE, TWO = f"{FILE}::test_one", f"{FILE}::test_two"


@dataclass(frozen=True)
class Histories:
    """An implementation of TestHistory, with the jobs that it belongs to."""

    jobs: JobStore
    history: TestHistory


@pytest.fixture(params=["memory_histories", "dynamodb_histories"])
def histories(request: pytest.FixtureRequest) -> Histories:
    found: Histories = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["memory_histories", "threaded_dynamodb_histories"])
def threaded_histories(request: pytest.FixtureRequest) -> Histories:
    found: Histories = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def memory_histories(memory_jobs: MemoryJobStore) -> Histories:
    return Histories(memory_jobs, MemoryTestHistory(memory_jobs))


@pytest.fixture
def dynamodb_histories(dynamodb_jobs: DynamoJobStore, table: str, aws_clients: Clients) -> Histories:
    return Histories(dynamodb_jobs, DynamoTestHistory(aws_clients.dynamodb, table))


@pytest.fixture
def threaded_dynamodb_histories(
    threaded_dynamodb_jobs: DynamoJobStore, safe_table: str, aws_clients: Clients
) -> Histories:
    return Histories(threaded_dynamodb_jobs, DynamoTestHistory(aws_clients.dynamodb, safe_table))


@pytest.fixture
def history(histories: Histories) -> TestHistory:
    return histories.history


@pytest.fixture
def running(histories: Histories) -> Job:
    return a_running_job(histories.jobs)


@pytest.fixture(params=["memory_quarantine", "dynamodb_quarantine"])
def quarantine(request: pytest.FixtureRequest) -> QuarantineStore:
    store: QuarantineStore = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def memory_quarantine() -> MemoryQuarantineStore:
    return MemoryQuarantineStore()


@pytest.fixture
def dynamodb_quarantine(table: str, aws_clients: Clients) -> DynamoQuarantineStore:
    return DynamoQuarantineStore(aws_clients.dynamodb, table)


def passed(milliseconds: float = 100.0) -> Sample:
    return Sample(TestOutcome.PASSED, milliseconds)


def entry(test_id: str, reason: str = "flickers") -> Quarantine:
    return Quarantine(test_id=test_id, until=START.date(), reason=reason, added_at=START, by="a key")


def test_a_project_without_history_has_none(history: TestHistory) -> None:
    assert history.files(PROJECT, [FILE]) == {}
    assert history.all(PROJECT, most=10) == {}


def test_adds_up_the_jobs_of_a_file(history: TestHistory, running: Job) -> None:
    history.note(running, {FILE: {ONE: passed(100), TWO: Sample(TestOutcome.FLAKY, 10)}}, now=START)
    history.note(running, {FILE: {ONE: Sample(TestOutcome.FAILED, 200)}}, now=START + timedelta(hours=1))

    tests = history.files(PROJECT, [FILE, "test_other.py"])[FILE]
    assert (tests[ONE].runs, tests[ONE].failed, tests[ONE].last, tests[ONE].expected_ms) == (2, 1, "PF", 130.0)
    assert tests[ONE].last_run_at == START + timedelta(hours=1)
    assert (tests[TWO].runs, tests[TWO].flaky, tests[TWO].last) == (1, 1, "K")


def test_lists_all_files_of_a_project_up_to_the_most(histories: Histories, history: TestHistory, running: Job) -> None:
    long = "tests/" + "ü" * 1_500 + ".py"
    history.note(running, {FILE: {ONE: passed()}, long: {f"{long}::test": passed()}}, now=START)
    history.note(a_running_job(histories.jobs, project="another"), {FILE: {ONE: passed()}}, now=START)

    assert set(history.all(PROJECT, most=10)) == {FILE, long}
    assert len(history.all(PROJECT, most=1)) == 1


def test_forgets_tests_that_did_not_run_for_long(history: TestHistory, running: Job) -> None:
    history.note(running, {FILE: {ONE: passed()}}, now=START)
    history.note(running, {FILE: {TWO: passed()}}, now=START + KEPT)

    assert set(history.files(PROJECT, [FILE])[FILE]) == {TWO}


def test_of_jobs_that_end_at_the_same_time_none_is_lost(threaded_histories: Histories) -> None:
    running, history = a_running_job(threaded_histories.jobs), threaded_histories.history
    with ThreadPoolExecutor(4) as pool:
        ends = [pool.submit(history.note, running, {FILE: {ONE: passed()}}, now=START) for _ in range(8)]
        for end in ends:
            end.result()

    assert history.files(PROJECT, [FILE])[FILE][ONE].runs == 8


def test_a_row_without_room_for_all_keeps_the_newest(dynamodb_histories: Histories) -> None:
    running, history = a_running_job(dynamodb_histories.jobs), dynamodb_histories.history
    noise = random.Random(1)  # noqa: S311 - no secret
    old = {"".join(noise.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=900)): passed() for _ in range(900)}
    history.note(running, {FILE: old}, now=START)
    history.note(running, {FILE: {ONE: passed()}}, now=START + timedelta(hours=1))

    kept = history.files(PROJECT, [FILE])[FILE]
    assert ONE in kept
    assert 100 < len(kept) < 900


def test_keeps_lists_and_removes_quarantines_by_project(quarantine: QuarantineStore) -> None:
    quarantine.put(PROJECT, entry(TWO))
    quarantine.put(PROJECT, entry(ONE))
    quarantine.put(PROJECT, entry(ONE, "another reason"))
    quarantine.put("another", entry(TWO))

    assert list(quarantine.list(PROJECT)) == [entry(ONE, "another reason"), entry(TWO)]
    assert quarantine.remove(PROJECT, TWO)
    assert not quarantine.remove(PROJECT, TWO)
    assert [each.test_id for each in quarantine.list(PROJECT)] == [ONE]
    assert [each.test_id for each in quarantine.list("another")] == [TWO]
