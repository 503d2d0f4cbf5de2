"""History of a project's tests: their outcomes and durations, for later jobs.

It helps to order work and to find flaky tests, and no job's outcome rests on it: a store that does not answer is logged.
"""

import logging
from collections.abc import Iterable
from datetime import datetime

from wainwright.domain.errors import FenceLost
from wainwright.domain.jobs import Job
from wainwright.domain.test_history import Sample
from wainwright.ports.test_history import TestHistory
from wainwright.worker.evidence.recorded_tests import Recorded

log = logging.getLogger(__name__)


def add_to_history(history: TestHistory, job: Job, known: Recorded, now: datetime) -> None:
    """Add what this attempt at a job has found to the history of its project's tests. Raises FenceLost as the store."""
    samples: dict[str, dict[str, Sample]] = {}
    for test_id, outcome in known.outcomes.items():
        if known.attempts.get(test_id) == job.attempt:
            last = known.results[test_id][-1]
            samples.setdefault(last.file, {})[test_id] = Sample(outcome, last.duration_ms)
    try:
        history.note(job, samples, now=now)
    except FenceLost:
        raise
    except Exception:
        log.exception("could not add to the history of tests", extra={"jobId": job.id})


def read_durations(history: TestHistory, job: Job, cases: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Return the expected milliseconds by test id, of the cases, given as (id, file), that ran before."""
    ids: dict[str, set[str]] = {}
    for test_id, file in cases:
        ids.setdefault(file, set()).add(test_id)
    try:
        files = history.files(job.project, list(ids))
    except Exception:
        log.exception("could not read the history of tests", extra={"jobId": job.id})
        return {}
    return {
        test_id: stats.expected_ms
        for file, tests in files.items()
        for test_id, stats in tests.items()
        if test_id in ids[file] and stats.expected_ms is not None
    }
