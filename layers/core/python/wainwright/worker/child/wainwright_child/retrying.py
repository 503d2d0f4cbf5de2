"""Running a test that failed again at once, where the job asks for it.

Each attempt is a whole run of the test, in fixtures of its own: what wider fixtures hold after a failure may be what broke it,
so all of them are torn down before the next attempt. Only the last attempt counts for pytest, its exit code and `--maxfail`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from _pytest.runner import runtestprotocol


def run_with_retries(
    item: pytest.Item, following: pytest.Item | None, runs_again: Callable[[], bool], on_error: Callable[[str], None]
) -> None:
    """Run the protocol of one test. `runs_again` is asked after each attempt; `on_error` is told of errors between two."""
    hook = item.ihook
    attempt = 0
    while True:
        attempt += 1
        setattr(item, "execution_count", attempt)  # noqa: B010 - by the name that others use; a type checker minds it
        hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, log=False, nextitem=following)
        again = runs_again()
        if again:
            if problem := _tear_down_all(item.session):
                on_error(f"{item.nodeid}: before it was run again: {problem}")
            _forget_instance(item)
        else:
            for report in reports:
                hook.pytest_runtest_logreport(report=report)
        hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if not again:
            return


def _forget_instance(item: pytest.Item) -> None:
    """The next attempt gets an object of the test's class of its own: pytest keeps one for all runs of an item."""
    if getattr(item, "_instance", None) is not None:
        state: Any = item
        del state._instance  # noqa: SLF001 - there is no public way
        state._obj = None  # noqa: SLF001 - the method bound to that object


def _tear_down_all(session: pytest.Session) -> str | None:
    """End all fixtures, by the method of the class: the instance's is told what comes next. Returns an error in one line."""
    state: Any = session._setupstate  # noqa: SLF001 - there is no public way
    teardown = type(state).teardown_exact
    call = pytest.CallInfo.from_call(lambda: teardown(state, None), when="teardown", reraise=pytest.exit.Exception)
    return None if call.excinfo is None else call.excinfo.exconly().splitlines()[0]
