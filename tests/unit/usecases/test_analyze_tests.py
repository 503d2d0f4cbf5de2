"""Tests that are flaky, fail or take long."""

import pytest

from tests.support.builders import START, a_caller, a_running_job
from tests.support.memory.history_store import MemoryQuarantineStore, MemoryTestHistory
from tests.support.memory.job_store import MemoryJobStore
from tests.support.memory.services import MemoryClock
from wainwright.domain.test_history import Sample
from wainwright.domain.tests import TestOutcome
from wainwright.usecases import analyze_tests
from wainwright.usecases.analyze_tests import AnalyzeTests, TestQuery


@pytest.fixture
def history() -> MemoryTestHistory:
    jobs = MemoryJobStore()
    history = MemoryTestHistory(jobs)
    for number in range(4):
        samples = {f"test_{number}.py": {f"{number}-{each}": Sample(TestOutcome.PASSED, 100 * number) for each in "ab"}}
        history.note(a_running_job(jobs), samples, now=START)
    return history


@pytest.fixture
def analyze(history: MemoryTestHistory) -> AnalyzeTests:
    return AnalyzeTests(history, MemoryQuarantineStore(), MemoryClock(START))


@pytest.mark.parametrize(("most", "tests", "truncated"), [(3, 6, True), (4, 8, False), (5, 8, False)])
def test_each_page_says_where_not_all_files_were_looked_at(
    analyze: AnalyzeTests, monkeypatch: pytest.MonkeyPatch, most: int, tests: int, truncated: bool
) -> None:
    monkeypatch.setattr(analyze_tests, "MOST_FILES", most)
    found, start = [], 0
    while True:
        page = analyze(a_caller(), TestQuery(sort_by="duration", start=start, limit=3))
        assert page.truncated is truncated
        found += [test.id for test in page.tests]
        if page.following is None:
            break
        start = page.following

    assert len(set(found)) == len(found) == tests


def test_reads_no_more_files_than_it_looks_at_and_one(
    analyze: AnalyzeTests, history: MemoryTestHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyze_tests, "MOST_FILES", 2)
    asked: list[int] = []
    read = history.all

    def reading(project: str, *, most: int) -> object:
        asked.append(most)
        return read(project, most=most)

    monkeypatch.setattr(history, "all", reading)
    analyze(a_caller(), TestQuery())

    assert asked == [3]


def test_of_a_file_that_is_named_all_is_looked_at(analyze: AnalyzeTests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyze_tests, "MOST_FILES", 1)

    page = analyze(a_caller(), TestQuery(file="test_3.py"))

    assert ([test.id for test in page.tests], page.truncated) == (["3-a", "3-b"], False)
