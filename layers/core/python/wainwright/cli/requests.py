"""From options of the command line to requests of the API, with faults named by the option they came from."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wainwright.cli.errors import UsageProblem
from wainwright.domain.job_config import Viewport
from wainwright.domain.retry import RetryPolicy

UNKNOWN_BUNDLE = "0" * 64
"""Stands for a bundle that is not packed yet, so that the rest of a request can be checked before."""

_OPTIONS = {
    "url": "--base-url", "max_attempts": "--retry", "width": "--viewport", "height": "--viewport", "viewport": "--viewport",
    "extra_headers": "--header",
}  # fmt: skip


@contextmanager
def faults_by_option() -> Iterator[None]:
    """Name the first fault of a request by the option that it came from. Raises UsageProblem if there is a fault."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        names = [str(part) for part in first["loc"] if isinstance(part, str)]
        option = next((_OPTIONS[name] for name in reversed(names) if name in _OPTIONS), None)
        if option is None and names:
            option = f"--{names[-1].replace('_', '-')}"
        message = first["msg"].removeprefix("Value error, ")
        raise UsageProblem(f"{option}: {message}" if option else message, advice="See --help.") from error


def parameters(given: Sequence[str] | None) -> dict[str, Any]:
    """Return ``name=value`` as a mapping. A value that is JSON is read as such, anything else is text.

    Raises:
        UsageProblem: one has no name or no equals sign.
    """
    found = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageProblem(f"--param {text}: this is not name=value", advice="Write --param currency=EUR.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def json_file(file: Path | None, option: str) -> dict[str, Any] | None:
    """Return the JSON object in a file. Raises UsageProblem if it cannot be read, or is no JSON object."""
    if file is None:
        return None
    try:
        value = json.loads(text_file(file, option))
    except ValueError as error:
        raise UsageProblem(f"{option}: {file} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageProblem(f"{option}: {file} does not hold a JSON object")
    return value


def retry_policy(tries: int | None) -> RetryPolicy | None:
    """Return the policy of so many tries in all."""
    return None if tries is None else RetryPolicy(max_attempts=tries)


def parse_viewport(text: str | None) -> Viewport | None:
    """Return the size that ``WIDTHxHEIGHT`` means."""
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not width.isdigit() or not height.isdigit():
        raise UsageProblem(f"--viewport {text}: this is not a size", advice="Write --viewport 1280x720.")
    return Viewport(width=int(width), height=int(height))


def parse_headers(lines: Sequence[str] | None) -> dict[str, str] | None:
    """Return ``Name: value`` lines as a mapping."""
    headers = {}
    for line in lines or ():
        name, colon, value = line.partition(":")
        if not colon:
            raise UsageProblem(f"--header {line}: this is not a header", advice="Write --header 'Name: value'.")
        headers[name.strip()] = value.strip()
    return headers or None


def text_file(file: Path, option: str) -> str:
    """Return the text of a file."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageProblem(f"{option}: {file} cannot be read: {error}") from error
