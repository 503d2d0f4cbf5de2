"""Runs a suite with the runner that it is for."""

from __future__ import annotations

from collections.abc import Callable

from wainwright.worker.runners.detect_runner import runner_of
from wainwright.worker.runners.playwright_test import playwright_run
from wainwright.worker.runners.pytest import pytest_run
from wainwright.worker.runners.suite import Event, JobLog, StopRequest, SuiteEnd, SuiteRequest
from wainwright.worker.runners.supervised_run import EXPIRY_GRACE_SECONDS


def run_suite(
    request: SuiteRequest,
    on_event: Callable[[Event], None],
    stop: StopRequest,
    *,
    expiry_grace_seconds: float = EXPIRY_GRACE_SECONDS,
) -> SuiteEnd:
    """Run the suite to its end, a stop, a cancel or its time-out.

    `on_event` is called from this thread, in order, as things happen; while it runs nothing is read, so it should
    return quickly. If it raises, the suite is killed and the error goes to the caller. Raises OSError if a folder is
    missing or no process can be started; whatever the suite itself does ends as a `SuiteEnd`.
    """
    if request.config.get("extraHeaders") and not request.base_url:
        message = "config.extraHeaders are not sent: they go to the origin of the job's url, and it has no url"
        on_event(JobLog("ERROR", message))
    run = playwright_run.run_suite if runner_of(request.folder) == "playwright-test" else pytest_run.run_suite
    return run(request, on_event, stop, expiry_grace_seconds=expiry_grace_seconds)
