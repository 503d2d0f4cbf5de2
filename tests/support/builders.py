"""Values that tests start from. Each builder takes what the test is about and chooses the rest."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime
from typing import Any

from wainwright.contracts.scopes import Scope
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import CHECK_AFTER, Job, Outcome, RunBy
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.ports.job_store import JobStore
from wainwright.usecases.caller import Caller

START = datetime(2026, 11, 22, 2, 42, 45, 123_000, tzinfo=UTC)
PROJECT = "shop"
SCRIPT = "def test_nothing():\n    pass\n"

_numbers = itertools.count(1)


def job_id(number: int) -> str:
    """A job's id that sorts by its number."""
    return str(uuid.UUID(int=number))


def a_job(**fields: Any) -> Job:
    """A job as it is submitted: pending, in the waiting line, looked after a minute later."""
    now = fields.get("created_at", START)
    defaults: dict[str, Any] = {
        "project": PROJECT,
        "id": job_id(next(_numbers)),
        "run_by": RunBy(id="k1", name="a key"),
        "timeout_ms": 60_000,
        "bundle_id": "0" * 64,
        "created_at": now,
        "updated_at": now,
        "due_at": now + CHECK_AFTER,
    }
    return Job(**(defaults | fields))


def a_running_job(store: JobStore, **fields: Any) -> Job:
    """A job in a store, and in the hands of the worker ``w1``."""
    job = store.write(None, a_job(**fields))
    job = store.write(job, job.admit(START))
    return store.write(job, job.claim("w1", START))


def a_caller(project: str = PROJECT, scope: Scope = Scope.RUN) -> Caller:
    """Somebody with a key."""
    return Caller(project=project, key_id="k1", name="a key", scope=scope)


def failed(category: FailureCategory = FailureCategory.ASSERTION, *, fence: int = 1) -> Outcome:
    """An outcome with one failure."""
    failure = Failure.of(category, "expected 1, got 2", test_id="test_cart.py::test_total")
    return Outcome(status=JobStatus.FAILED, fence=fence, failure=failure, tests=Tally(total=2, passed=1, failed=1))


def completed(*, fence: int = 1) -> Outcome:
    """An outcome without a failure."""
    report = ReportRef(fence=fence, complete=True, viewer="1.2.3")
    return Outcome(status=JobStatus.COMPLETED, fence=fence, tests=Tally(total=2, passed=2), report=report)
