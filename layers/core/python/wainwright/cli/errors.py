"""Exit codes, and errors in one line."""

import os
import sys
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from wainwright.domain.errors import WainwrightError

DEBUG_VARIABLE = "WAINWRIGHT_DEBUG"

LOCAL_EXTRA = "Run `pip install 'wainwright[local]'`."
"""Advice where a package of the local system is missing."""


class ExitCode(IntEnum):
    """Exit codes of all commands."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    PLATFORM = 3
    TIMED_OUT = 5
    INTERRUPTED = 130


class UsageProblem(WainwrightError):
    """The command was given something it cannot work with."""


class PlatformProblem(WainwrightError):
    """Something that the command needs is not there or does not work."""


class OneLineErrors(TyperGroup):
    """A group of commands whose errors are one line on standard error, and whose exit codes are :class:`ExitCode`."""

    def main(self, *args: Any, **named: Any) -> Any:
        """Run the command; leave with its exit code, which it returns if it is not 0."""
        try:
            code = super().main(*args, **named | {"standalone_mode": False})
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE) == "1":
                raise
            code, line = explain(error)
            sys.stderr.write(f"error: {line}\n")
        sys.exit(code if isinstance(code, int) else ExitCode.PASSED)


def explain(error: Exception) -> tuple[int, str]:
    """Return the exit code of an error, and the line that tells what happened and what to do about it."""
    if isinstance(error, typer.Abort):
        return ExitCode.INTERRUPTED, "stopped."
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        advice = f"See `{context.command_path} --help`." if context is not None else ""
        return ExitCode.USAGE, one_line(error.format_message(), advice)
    if isinstance(error, WainwrightError):
        return _code(error), one_line(error.message, error.advice)
    kind = type(error).__name__
    if isinstance(error, OSError) or kind == "LocalError":  # by name: no other command has to import the local system
        return ExitCode.PLATFORM, one_line(str(error))
    advice = f"Set {DEBUG_VARIABLE}=1 to see where, and report it."
    return ExitCode.PLATFORM, one_line(f"unexpected error: {kind}: {error}", advice)


def _code(error: WainwrightError) -> ExitCode:
    from wainwright.client import ApiError, ClientError, InvalidEndpoint, WaitTimeout

    if isinstance(error, WaitTimeout):
        return ExitCode.TIMED_OUT
    if isinstance(error, InvalidEndpoint):
        return ExitCode.USAGE
    if isinstance(error, ApiError):
        platform = error.status >= 500 or error.status in (401, 403, 429)
        return ExitCode.PLATFORM if platform else ExitCode.USAGE
    return ExitCode.PLATFORM if isinstance(error, ClientError | PlatformProblem) else ExitCode.USAGE


def one_line(message: str, advice: str = "") -> str:
    """Return what happened and what to do, as sentences on one line, free of control characters."""
    from wainwright.cli.terminal import clean

    sentences = [" ".join(clean(part).split()) for part in (message, advice) if part.strip()]
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in sentences)
