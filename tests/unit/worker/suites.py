"""Suites that are made up, and the worker that runs them."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.memory.secrets import MemorySecretStore
from tests.support.outages import FakePace
from tests.support.system import System
from wainwright.domain.jobs import Job, Outcome
from wainwright.usecases.keep_worker import KeepWorker
from wainwright.usecases.read_quarantine import ReadQuarantine
from wainwright.usecases.read_secrets import ReadSecrets
from wainwright.wiring.workers import Worker
from wainwright.worker.runners.suite import (
    Attachment,
    Collected,
    Event,
    StopRequest,
    SuiteEnd,
    SuiteRequest,
    TestCase,
    TestEnded,
    TestError,
    TestResult,
)

Tell = Callable[[Event], None]
Suite = Callable[[SuiteRequest, Tell, StopRequest], SuiteEnd]
Perform = Callable[..., Job]


def worker(system: System, name: str = "w1", pace: FakePace | None = None) -> Worker:
    """A worker of the system; pauses between its uploads take no time."""
    keep = KeepWorker(name, system.workers, system.jobs, system.queue, system.clock)
    return Worker(
        claims=system.claims, keep=keep, jobs=system.jobs, logs=system.logs, artifacts=system.artifacts,
        queue=system.queue, clock=system.clock, spool=system.spool, pace=(pace or FakePace()).pace,
        secrets=ReadSecrets(MemorySecretStore(), system.clock), lists=system.lists,
        quarantine=ReadQuarantine(system.quarantine, system.clock), history=system.history,
    )  # fmt: skip


def ended(request: SuiteRequest, name: str, *, passes: bool = True) -> TestEnded:
    """A test that ended and left a trace."""
    trace = request.output / f"{name}.zip"
    trace.write_bytes(b"PK")
    errors = () if passes else (TestError("expected 1\ngot 2", kind="assertion"),)
    return TestEnded(
        TestResult(
            f"test_script.py::{name}", "test_script.py", 1, name, "passed" if passes else "failed", 5.0,
            "2026-11-22T02:42:45.000Z", errors=errors,
            attachments=(Attachment("trace", "application/zip", trace, size_bytes=2),),
        )
    )  # fmt: skip


def collected(*names: str) -> Collected:
    """These tests were found."""
    return Collected(tuple(TestCase(f"test_script.py::{name}", "test_script.py", 1, name) for name in names))


def passing(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
    """Two tests, which pass."""
    tell(collected("one", "two"))
    tell(ended(request, "one"))
    tell(ended(request, "two"))
    return SuiteEnd("finished", exit_code=0, collected=2)


def failing(request: SuiteRequest, tell: Tell, _stop: StopRequest) -> SuiteEnd:
    """Two tests, of which the second fails."""
    tell(collected("one", "two"))
    tell(ended(request, "one"))
    tell(ended(request, "two", passes=False))
    return SuiteEnd("finished", exit_code=1, collected=2)


def outcome_of(job: Job) -> Outcome:
    """What its worker made of the run."""
    assert job.outcome is not None
    return job.outcome
