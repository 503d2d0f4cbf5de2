"""How a command ends: exit codes, and what is said of an error in one line."""

import os
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import typer
from typer.core import TyperGroup

from wainwright.domain.errors import WainwrightError

DEBUG_VARIABLE = "WAINWRIGHT_DEBUG"

LOCAL_EXTRA = "Run `pip install 'wainwright[local]'`."
"""What to do where a package of the local system is missing."""


class ExitCode(IntEnum):
    """What the exit code of a command tells."""

    PASSED = 0
    FAILED = 1
    USAGE = 2
    PLATFORM = 3
    TIMED_OUT = 5
    INTERRUPTED = 130


class UsageProblem(WainwrightError):
    """The command was given something it cannot work with."""


class PlatformProblem(WainwrightError):
    """What the command needs is not there or does not work."""


class OneLineErrors(TyperGroup):
    """A group of commands whose errors are one line on standard error, and whose exit codes are :class:`ExitCode`."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command; leave with its exit code."""
        try:
            code = super().main(
                args, prog_name, complete_var, standalone_mode=False, windows_expand_args=windows_expand_args, **extra
            )
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE) == "1":
                raise
            code, line = explain(error)
            sys.stderr.write(f"error: {line}\n")
        sys.exit(code if isinstance(code, int) else ExitCode.PASSED)


def explain(error: Exception) -> tuple[int, str]:
    """The exit code of an error, and the line that tells what happened and what to do about it."""
    if isinstance(error, typer.Abort):
        return ExitCode.INTERRUPTED, "stopped."
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        advice = f"See `{context.command_path} --help`." if context is not None else ""
        return ExitCode.USAGE, one_line(error.format_message(), advice)
    if isinstance(error, WainwrightError):
        return _code(error), one_line(error.message, error.advice)
    if type(error).__name__ == "LocalError":  # known by name, so that no other command has to import the local system
        return ExitCode.PLATFORM, one_line(str(error))
    if isinstance(error, OSError):
        return ExitCode.PLATFORM, one_line(str(error))
    kind = type(error).__name__
    return ExitCode.PLATFORM, one_line(
        f"this should not have happened: {kind}: {error}", f"Set {DEBUG_VARIABLE}=1 to see where, and report it."
    )


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
    """What happened and what to do, as sentences on one line, free of control characters."""
    from wainwright.cli.terminal import clean

    sentences = [" ".join(clean(part).split()) for part in (message, advice) if part.strip()]
    return " ".join(part if part.endswith((".", "!", "?")) else f"{part}." for part in sentences)
