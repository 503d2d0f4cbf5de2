"""Blobs of Playwright Test, from which its own report is made, trimmed to the attempts that were recorded."""

from __future__ import annotations

import base64
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wainwright.worker.runners.suite import TestResult
from wainwright.worker.sandbox.untrusted_zips import ZipUnusable, open_zip, read_member

EVENTS = "report.jsonl"
MAX_EVENTS_BYTES = 512 * 1024 * 1024
"""Uncompressed, of one blob: some 2 MB for a hundred tests."""
MARK = b"wainwright-evidence:"
"""Begins the stub of a file in a blob; `stubs.cjs` writes it."""
_KEPT = re.compile(r"(?:^|/)data/[^/]*?-(?P<token>[0-9a-f]{6}-\d{5})-(?P<index>\d{3}|log)[.-]")
_NAME = re.compile(r"[0-9a-f]{6}-\d{5}")


class BlobUnusable(Exception):
    """A blob is not what Playwright Test writes."""


NOT_A_BLOB = (BlobUnusable, AttributeError, KeyError, TypeError, ValueError, RecursionError)
"""Raised by reading a blob into which a suite has written something else."""


def find_links(results: Iterable[TestResult]) -> dict[str, str]:
    """Return links to files in the report, by the names under which the runner's process kept them."""
    found = {}
    for result in results:
        for attachment in result.attachments:
            if attachment.href and (kept := _KEPT.search(attachment.href)):
                found[f"{kept['token']}-{kept['index']}"] = attachment.href
    return found


def find_attempts(results: Sequence[TestResult]) -> dict[str, str] | None:
    """Return test ids by the names of their attempts; None if one has no name, or a test has attempts of several runs."""
    names = name_attempts(results)
    if len(names) != len(results):
        return None
    runs: dict[str, set[str]] = {}
    for name, test_id in names.items():
        runs.setdefault(test_id, set()).add(get_run(name))
    return names if all(len(each) == 1 for each in runs.values()) else None


def name_attempts(results: Iterable[TestResult]) -> dict[str, str]:
    """Return test ids by the names of their attempts, of those that have one: the name is that of the log."""
    names = {}
    for result in results:
        log = next((item.href for item in result.attachments if item.name == "log" and item.href), None)
        if log and (kept := _KEPT.search(log)):
            names[kept["token"]] = result.id
    return names


def get_run(name: str) -> str:
    """Return the name of an attempt's run: the first six hexadecimal digits of its own."""
    return name.partition("-")[0]


def read_runs(blob: Path) -> set[str]:
    """Return the names of the runs of which a blob has attempts: one, or none. Raises BlobUnusable."""
    return {get_run(name) for name in _recorded(_read(blob), None).values()}


def trim_blob(
    blob: Path, target: Path, attempts: Mapping[str, str] | None, moved: tuple[str, str] | None = None
) -> set[str]:
    """Write a blob with recorded attempts (of the given names, or None: of any) alone, and return their names. With `moved`, two
    folders, paths in the first one become paths in the second. Raises BlobUnusable."""
    messages = _read(blob)
    results = _recorded(messages, attempts)
    tests = {
        message["params"]["testId"]
        for message in messages
        if message["method"] == "onTestBegin" and message["params"]["result"]["id"] in results
    }
    kept = [each for message in messages if (each := _kept(message, results, tests))]
    if tests:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(EVENTS, "".join(f"{_line(message, moved)}\n" for message in kept))
    return set(results.values())


def _line(message: dict[str, Any], moved: tuple[str, str] | None) -> str:
    line = json.dumps(message)
    if moved is None:
        return line
    old, new = (json.dumps(folder)[1:-1] for folder in moved)
    return line.replace(old, new)


def read_root(blob: Path) -> str:
    """Return the folder that locations in a blob are relative to. Raises BlobUnusable."""
    for message in _read(blob):
        if message["method"] == "onConfigure":
            return str(message["params"]["config"]["rootDir"])
    raise BlobUnusable(f"{blob.name} has no configuration")


def _read(blob: Path) -> list[dict[str, Any]]:
    try:
        with open_zip(blob) as archive:
            messages = [json.loads(line) for line in read_member(archive, EVENTS, MAX_EVENTS_BYTES).splitlines()]
    except (OSError, ZipUnusable) as error:
        raise BlobUnusable(f"{blob.name} cannot be read: {error}") from error
    if not all(isinstance(each, dict) and isinstance(each.get("params", {}), dict) for each in messages):
        raise BlobUnusable(f"{blob.name} has unexpected contents")
    return messages


def _recorded(messages: Iterable[dict[str, Any]], attempts: Mapping[str, str] | None) -> dict[str, str]:
    """Return the names of attempts by the ids of results; the name is in the stub of the attempt's log."""
    found: dict[str, str] = {}
    for message in messages:
        params = message.get("params", {})
        result = params.get("result", {})
        if message["method"] == "onAttach":
            found |= _named(params.get("resultId"), params.get("attachments"), attempts)
        elif message["method"] == "onTestEnd":
            found |= _named(result.get("id"), result.get("attachments"), attempts)
    return found


def _named(result_id: Any, attachments: Any, attempts: Mapping[str, str] | None) -> dict[str, str]:
    for attachment in attachments or ():
        if attachment.get("name") == "log" and attachment.get("base64"):
            body = base64.b64decode(attachment["base64"])
            name = body.removeprefix(MARK).decode("ascii", "replace").removesuffix("-log")
            known = _NAME.fullmatch(name) if attempts is None else name in attempts
            if body.startswith(MARK) and known:
                return {result_id: name}
    return {}


def _kept(message: dict[str, Any], results: Mapping[str, str], tests: set[str]) -> dict[str, Any] | None:
    """Return a message without the tests that have no recorded attempt; None if it is of one of those."""
    params = message.get("params", {})
    if message["method"] == "onStdIO":
        return None  # in pieces, perhaps encoded, in which no secret would be found; the attempt's log has all of it
    if message["method"] == "onProject":
        project = params["project"]
        suites = [each for suite in project["suites"] if (each := _pruned(suite, tests))]
        return {**message, "params": {**params, "project": {**project, "suites": suites}}}
    result = params.get("resultId") or (params.get("result") or {}).get("id")
    return message if result is None or message["method"] == "onEnd" or result in results else None


def _pruned(suite: dict[str, Any], tests: set[str]) -> dict[str, Any] | None:
    entries = []
    for entry in suite.get("entries", ()):
        if "testId" in entry:
            entries += [entry] if entry["testId"] in tests else []
        elif inner := _pruned(entry, tests):
            entries.append(inner)
    return {**suite, "entries": entries} if entries else None
