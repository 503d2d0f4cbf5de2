"""Failures of a test or a file: the message, the place in the suite, and the kind of failure."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .control import TimeIsUp
from .cuts import cut_middle

CRASHES = ("Page crashed", "Target crashed")
"""Playwright's words for a page that is gone."""
MAX_MESSAGE = 4_000
MAX_STACK = 20_000
MAX_ERRORS = 20


def describe_errors(
    item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport, *, crashed: bool
) -> list[dict[str, Any]]:
    """The errors of one phase of a test; none if it did not fail. ``crashed``: the browser has, or a page of the test."""
    if not report.failed:
        return []
    stack = cut_middle(report.longreprtext, MAX_STACK)
    if call.excinfo is None:  # a strict expected failure that passed, or a failure that a plugin added
        message = cut_middle((report.longreprtext.strip().splitlines() or ["failed"])[0], MAX_MESSAGE)
        file, line = find_definition(item)
        return [{"message": message, "stack": stack, "file": file, "line": line, "kind": "other", "phase": report.when}]
    found = []
    for error in list(flatten(call.excinfo.value))[:MAX_ERRORS]:
        # Soft assertions are collected without having been raised, so they have no traceback of their own.
        info = call.excinfo if error.__traceback__ is None else pytest.ExceptionInfo.from_exception(error)
        message = (
            "".join(traceback.format_exception_only(error)) if info is call.excinfo else info.exconly(tryshort=True)
        )
        file, line = find_place(info, item.config.rootpath) or find_definition(item)
        kind = error.kind if isinstance(error, TimeIsUp) else classify(error, crashed=crashed)
        if kind == "crash":
            message = f"The page or its browser has crashed: {message}"
        message = cut_middle(message.strip(), MAX_MESSAGE)
        found.append(
            {"message": message, "stack": stack, "file": file, "line": line, "kind": kind, "phase": report.when}
        )
        stack = ""  # the groups' common traceback once, not once an error
    return found


def flatten(error: BaseException) -> Iterator[BaseException]:
    """The error itself, or what an exception group holds (soft assertions, several finalizers)."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from flatten(inner)
    else:
        yield error


def classify(error: BaseException, *, crashed: bool = False) -> str:
    """assertion, test_timeout, navigation, crash or script_error."""
    name, module, message = type(error).__name__, type(error).__module__, str(error)
    if isinstance(error, pytest.fail.Exception):
        # pytest-timeout fails a test with "Timeout (>5.0s) from pytest-timeout."
        return "test_timeout" if message.startswith("Timeout") else "assertion"
    if any(words in message for words in CRASHES):
        return "crash"
    if isinstance(error, AssertionError):
        return "assertion"
    if module.startswith("playwright."):
        if crashed:
            return "crash"
        if "net::ERR_" in message or "NS_ERROR_" in message or "Could not connect to" in message:
            return "navigation"
        if name == "TimeoutError":
            return "test_timeout"
    return "script_error"


def find_place(info: pytest.ExceptionInfo[BaseException], folder: Path) -> tuple[str, int] | None:
    """Return file and line of the innermost call of the suite itself in a traceback."""
    for entry in reversed(list(info.traceback)):
        if is_within(Path(entry.path), folder):
            return make_relative(entry.path, folder), entry.lineno + 1
    return None


def find_definition(item: pytest.Item) -> tuple[str, int]:
    """Return the file and line at which a test is defined."""
    path, line, _ = item.reportinfo()
    return make_relative(path, item.config.rootpath), (line or 0) + 1


def is_within(path: Path, folder: Path) -> bool:
    """Return True if a file belongs to the suite, an environment unpacked within it excepted."""
    return path.is_relative_to(folder) and "site-packages" not in path.parts


def make_relative(path: str | os.PathLike[str], folder: Path) -> str:
    """Return a path relative to the folder where it lies in it, with forward slashes."""
    path = Path(os.path.abspath(path))  # noqa: PTH100 - links are kept as the suite has them
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def describe_collection_error(
    node: pytest.Item | pytest.Collector,
    excinfo: pytest.ExceptionInfo[BaseException] | None,
    report: pytest.CollectReport,
) -> dict[str, Any]:
    """Return the place and the reason of a file that could not be loaded."""
    stack = cut_middle(str(report.longrepr or ""), MAX_STACK)
    file: str | None = make_relative(node.path, node.config.rootpath)
    if excinfo is None:
        return {"message": (stack.strip().splitlines() or ["failed"])[-1], "file": file, "stack": stack}
    error = excinfo.value
    if isinstance(error, pytest.Collector.CollectError) and error.__cause__ is not None:
        error = error.__cause__
    return describe_import_error(error, file, stack, node.config.rootpath)


def describe_conftest_error(error: BaseException, folder: Path) -> dict[str, Any] | None:
    """Return the error of pytest's ConftestImportFailure, told by its shape: the conftest's path and the cause; else None."""
    path, cause = getattr(error, "path", None), getattr(error, "cause", None)
    if not isinstance(path, Path) or not isinstance(cause, BaseException):
        return None
    return describe_import_error(cause, make_relative(path, folder), "", folder)


def describe_import_error(error: BaseException, file: str | None, stack: str, folder: Path) -> dict[str, Any]:
    """Return the error at import: a syntax error names its own place, any other the innermost line of the suite."""
    message, line = f"{type(error).__name__}: {error}", None
    if isinstance(error, SyntaxError):
        message, line = f"{type(error).__name__}: {error.msg}", error.lineno
        file = make_relative(error.filename, folder) if error.filename else file
    elif error.__traceback__ is not None:
        file, line = find_place(pytest.ExceptionInfo.from_exception(error), folder) or (file, None)
    return {"message": cut_middle(message, MAX_MESSAGE), "file": file, "line": line, "stack": stack}
