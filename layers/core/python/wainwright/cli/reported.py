"""How the tests of a job ended, as its report tells: the events of a job are gone after a day."""

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from wainwright.cli.progress import Seen
from wainwright.client import Client, TestUpdate, UnexpectedAnswer

RESULTS = "results.json"


def reported(client: Client, job_id: str) -> Seen:
    """The tests with an outcome, in the order of the report.

    Raises:
        ClientError: the file cannot be had, or is not what a report has.
    """
    with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
        content = client.report_file(job_id, RESULTS, Path(directory, RESULTS)).read_bytes()
    try:
        tests = [_update(test) for test in json.loads(content)["tests"]]
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UnexpectedAnswer(
            f"the report's {RESULTS} is not readable: {type(error).__name__}",
            advice="The report may come from a newer Wainwright: update this one.",
        ) from error
    return Seen(tests={test.id: test for test in tests})


def _update(test: dict[str, Any]) -> TestUpdate:
    return TestUpdate(
        id=test["id"], title=test["title"], file=test["file"], line=test["line"], outcome=test["outcome"],
        duration_ms=test["durationMs"], attempt=test["attempts"],
        errors=_only(test["errors"], ("message", "file", "line")), attachments=_only(test["attachments"], ("name", "href")),
    )  # fmt: skip


def _only(found: Iterable[dict[str, Any]], names: Iterable[str]) -> Any:
    """What a report of a later version adds is left out."""
    return [{name: each.get(name) for name in names} for each in found]
