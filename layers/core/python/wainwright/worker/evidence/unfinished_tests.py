"""Which tests of a run have no outcome, as rows tell once the worker that had it is lost."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job
from wainwright.domain.tests import RunningTest
from wainwright.ports.job_store import StoredTest
from wainwright.ports.work_lists import WorkListStore
from wainwright.worker.evidence.running_tests import unnamed
from wainwright.worker.runners.suite import TestCase, TestError, TestResult


@dataclass(frozen=True)
class Unended:
    """Tests without an outcome whose names are known; ``interrupted`` are those among them that had begun."""

    not_run: tuple[TestCase, ...]
    interrupted: tuple[TestResult, ...]


def known_unended(
    lists: WorkListStore, job: Job, rows: Iterable[StoredTest], running: Sequence[RunningTest], why: str
) -> Unended:
    """From what was noted as running, and in a job of several lanes from its work list.

    A lane runs what it holds in that order: the first case of it without an outcome had begun, or was just about to.
    """
    ended = {row.id for row in rows if row.attempt == job.attempt}
    begun = [each for each in running if each.id not in ended]
    if job.lanes == 1:
        cases = tuple(TestCase(each.id, each.file, each.line, each.title) for each in begun)
        return Unended(
            cases, tuple(_interrupted(case, each.since, why) for case, each in zip(cases, begun, strict=True))
        )
    last = lists.last(job)
    if last is None:
        return Unended((), ())
    work, order = last
    cases = tuple(unnamed(test_id) for test_id in order.ids if test_id not in ended)
    first = {_first(tuple(order.ids[at] for at in held), ended) for held in work.held.values()} - {None}
    since = job.started_at or job.created_at
    return Unended(cases, tuple(_interrupted(case, since, why) for case in cases if case.id in first))


def _first(ids: Sequence[str], ended: Collection[str]) -> str | None:
    return next((test_id for test_id in ids if test_id not in ended), None)


def _interrupted(case: TestCase, since: datetime, why: str) -> TestResult:
    """What it left went with the worker."""
    return TestResult(
        case.id, case.file, case.line, case.title, "failed", 0.0, to_text(since), path=case.path,
        errors=(TestError(f"This test had begun, and has no outcome: {why}"),),
    )  # fmt: skip
