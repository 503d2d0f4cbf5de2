"""From the end of a suite to the outcome of its run: the one map from a runner's words to failure categories."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import Outcome
from wainwright.domain.lanes import LaneEnd
from wainwright.domain.reports import ReportRef
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally
from wainwright.worker.runners.suite import SuiteEnd, TestResult

MAX_FLAKY = 10
"""Flaky tests that an outcome names: the statistics count them."""

TESTS_FAILED = 1
"""The exit code by which both runners say that tests failed, whether or not that counts."""

MAX_LANE_BYTES = 200_000
"""Of a lane's row, which has room for some hundred KB: for evidence of tests that were ended by force."""

MAX_NAMED = 100
"""Files and tests that a lane's row names as missing or spooled."""

_C = FailureCategory

_BY_ERROR_KIND: Mapping[str, FailureCategory] = {
    "crash": _C.INFRASTRUCTURE,
    "canceled": _C.CANCELED_BY_USER,
    "other": _C.SCRIPT_ERROR,
}
"""Kinds that have no category of the same name."""

_BY_REASON: Mapping[str, FailureCategory] = {
    "no_tests": _C.SCRIPT_ERROR,
    "collection_error": _C.SCRIPT_ERROR,
    "dependencies_failed": _C.SCRIPT_ERROR,
    "usage_error": _C.SCRIPT_ERROR,
    "interrupted": _C.SCRIPT_ERROR,
    "crashed": _C.SCRIPT_ERROR,
    "browser_missing": _C.INFRASTRUCTURE,
    "browser_not_in_suite": _C.INVALID_INPUT,
    "runner_missing": _C.INFRASTRUCTURE,
    "timed_out": _C.JOB_TIMEOUT,
    "out_of_memory": _C.OUT_OF_MEMORY,
    "bound_exceeded": _C.SCRIPT_ERROR,
}


def decide_outcome(
    end: SuiteEnd, failed: Sequence[TestResult], tally: Tally, *, fence: int, report: ReportRef, timeout_ms: int,
    flaky: Sequence[str] = (), mismatch: Failure | None = None,
) -> Outcome:  # fmt: skip
    """Return the outcome of a run.

    ``failed`` are the last attempts of the tests that failed, in the order in which they ran; ``flaky`` the ids of those that
    passed only when they were run again; ``mismatch`` is a failure of results that do not have the declared form, which
    counts where nothing else failed.
    """
    status, failure = _status_and_failure(end, failed, tally, report, timeout_ms)
    if status is JobStatus.COMPLETED and mismatch is not None:
        status, failure = JobStatus.FAILED, mismatch
    return Outcome(
        status=status, fence=fence, failure=failure, tests=tally, report=report, flaky_tests=tuple(flaky[:MAX_FLAKY])
    )


def _status_and_failure(
    end: SuiteEnd, failed: Sequence[TestResult], tally: Tally, report: ReportRef, timeout_ms: int
) -> tuple[JobStatus, Failure | None]:
    if end.reason == "stopped":
        return JobStatus.STOPPED, None
    if end.reason == "canceled":
        return JobStatus.CANCELED, None
    # Each test has an outcome from before: pytest itself takes that for an error.
    nothing_left = end.collected == 0 and end.deselected > 0
    if end.reason != "finished":
        return JobStatus.FAILED, Failure.of(_category(end), _reason_line(end, timeout_ms))
    if failed:
        return JobStatus.FAILED, _first_failure(failed, tally, end.oom_kills)
    if tally.total == 0:
        return JobStatus.FAILED, Failure.of(_C.SCRIPT_ERROR, "no test was run")
    if end.unfinished or tally.ended < tally.total:
        return JobStatus.FAILED, Failure.of(_C.SCRIPT_ERROR, f"{tally.total - tally.ended} tests did not run")
    only_quarantined = tally.quarantined > 0 and end.exit_code == TESTS_FAILED
    if end.exit_code not in (0, None) and not nothing_left and not only_quarantined:
        return JobStatus.FAILED, Failure.of(
            _C.SCRIPT_ERROR, f"the test process ended with exit code {end.exit_code}: {_said(end)}"
        )
    if not report.complete:
        return JobStatus.FAILED, Failure.of(
            _C.INFRASTRUCTURE, "all tests passed, but the report is not complete; it names the missing files"
        )
    if report.missing_count:
        return JobStatus.FAILED, Failure.of(_C.INFRASTRUCTURE, f"all tests passed, but {report.describe_missing()}")
    return JobStatus.COMPLETED, None


def _category(end: SuiteEnd) -> FailureCategory:
    if end.reason == "out_of_memory" and end.oom_kills == 0:
        return _C.SCRIPT_ERROR  # somebody killed it, but not the kernel for want of memory
    return _BY_REASON[end.reason]


def _first_failure(failed: Sequence[TestResult], tally: Tally, oom_kills: int | None) -> Failure:
    first = failed[0]
    error = first.errors[0] if first.errors else None
    category = _BY_ERROR_KIND.get(error.kind) or FailureCategory(error.kind) if error else _C.SCRIPT_ERROR
    if error and error.kind == "crash" and oom_kills:
        category = _C.OUT_OF_MEMORY  # the kernel takes the largest process, which may be a page's
    message = (error.message if error else "failed without saying why").strip().splitlines()
    more = f"{tally.failed} of {tally.total} tests failed; the first: " if tally.failed > 1 else ""
    return Failure.of(category, f"{more}{first.id}: {message[0] if message else ''}", test_id=first.id)


def _reason_line(end: SuiteEnd, timeout_ms: int) -> str:
    if end.reason == "timed_out":
        return f"the job exceeded its timeout of {timeout_ms} ms"
    if end.reason == "no_tests":
        return "no tests were found in the suite"
    if end.errors:
        return _said(end)
    if end.reason == "out_of_memory":
        counted = (
            "the kernel killed it because memory ran out"
            if end.oom_kills
            else "it was killed, perhaps because memory ran out"
        )
        return f"the test process died: {counted}"
    if end.reason == "crashed":
        by = f"signal {end.signal}" if end.signal else f"exit code {end.exit_code}"
        return f"the test process died ({by}): {_tail(end)}"
    return f"the suite ended as {end.reason.replace('_', ' ')}: {_tail(end)}"


def _said(end: SuiteEnd) -> str:
    """The first error outside the tests, with its place; else the last line that was printed."""
    if not end.errors:
        return _tail(end)
    error = end.errors[0]
    where = f"{error.file}:{error.line}: " if error.file and error.line else f"{error.file}: " if error.file else ""
    return f"{where}{error.message.strip()}"


def _tail(end: SuiteEnd) -> str:
    lines = end.stderr.strip().splitlines()
    return lines[-1][:500] if lines else "it printed no error"


def build_lane_end(
    end: SuiteEnd, spent: str | None, interrupted: Sequence[TestResult] = (), missing: Sequence[str] = (),
    spooled: Sequence[str] = (),
) -> LaneEnd | None:  # fmt: skip
    """Return the end of a lane for the run's owner; None if that has no need of it.

    ``spent`` is the test whose process died; the rest is evidence of tests that were ended by force. A test that is too long
    for the lane's row loses its steps and its output, and what is too much is only named.
    """
    if spent is None and not interrupted:
        return None
    bodies: list[dict[str, Any]] = []
    missing = list(missing)
    room = MAX_LANE_BYTES
    for result in interrupted:
        short = replace(result, steps=(), stdout="", stderr="")
        fits = next((body for body in (result.to_json(), short.to_json()) if len(json.dumps(body)) <= room), None)
        if fits is None:
            missing.append(f"{result.id}: its evidence is not in the report, because the lane's record is full")
        else:
            bodies.append(fits)
            room -= len(json.dumps(fits))
    return LaneEnd(
        reason=end.reason, message=end.errors[0].message[:2_000] if end.errors else "", test_id=spent,
        exit_code=end.exit_code, signal=end.signal, oom_kills=end.oom_kills, interrupted=tuple(bodies),
        missing=tuple(missing[:MAX_NAMED]), spooled=tuple(spooled[:MAX_NAMED]),
    )  # fmt: skip
