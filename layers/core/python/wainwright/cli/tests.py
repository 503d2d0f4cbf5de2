"""``wainwright analytics tests`` and ``wainwright quarantine``: through the API."""

import sys
from datetime import UTC, date, datetime
from typing import Literal

from wainwright.cli.connect import connect
from wainwright.cli.failures import ExitCode, UsageProblem
from wainwright.cli.terminal import clean, console, note, seconds
from wainwright.contracts.http.quarantine import QuarantineList
from wainwright.domain.model import Record

_SORTS: dict[str, Literal["flakeRate", "failureRate", "duration"]] = {
    "flake-rate": "flakeRate",
    "failure-rate": "failureRate",
    "duration": "duration",
}


def show_tests(*, flaky: bool | None, file: str | None, sort: str, limit: int, as_json: bool) -> int:
    """Print a page of the project's tests, the highest by ``sort`` first."""
    with connect(looking_back=True) as system, system.client() as client:
        page = client.analyze_tests(flaky=flaky, file=file, sort_by=_SORTS[sort], limit=limit)
    if as_json:
        return _print_json(page)
    rows = [
        [
            test.id + (" (quarantined)" if test.quarantined else ""), str(test.runs), f"{test.flake_rate:.0%}",
            f"{test.failure_rate:.0%}", "–" if test.expected_duration is None else seconds(test.expected_duration),
            test.last_outcomes,
        ]
        for test in page.tests
    ]  # fmt: skip
    _print_table(("Test", "Runs", "Flaky", "Failed", "Takes", "Last"), rows)
    if page.truncated:
        note("The project has tests in more files than are looked at: --file shows those of any one.")
    return ExitCode.PASSED


def show_quarantine(*, as_json: bool) -> int:
    """Print the tests in quarantine, and those that were until lately."""
    with connect(looking_back=True) as system, system.client() as client:
        entries = client.list_quarantine()
    if as_json:
        return _print_json(QuarantineList(quarantine=entries))
    now = datetime.now(UTC)
    rows = [
        [entry.test_id, entry.until.isoformat() + ("" if entry.holds(now) else " (over)"), entry.reason, entry.by]
        for entry in entries
    ]
    _print_table(("Test", "Until", "Reason", "By"), rows)
    return ExitCode.PASSED


def add_to_quarantine(test_id: str, until: str, reason: str) -> int:
    """Put a test into quarantine.

    Raises:
        UsageProblem: ``until`` is no date.
    """
    try:
        last = date.fromisoformat(until)
    except ValueError:
        raise UsageProblem(f"--until {until}: this is no date", advice="Write --until 2026-12-01.") from None
    with connect() as system, system.client() as client:
        entry = client.put_quarantine(test_id, until=last, reason=reason)
    sys.stdout.write(f"{clean(entry.test_id)} {clean(entry.note)}\n")
    return ExitCode.PASSED


def remove_from_quarantine(test_id: str) -> int:
    """Take a test out of quarantine."""
    with connect() as system, system.client() as client:
        client.delete_quarantine(test_id)
    sys.stdout.write(f"{clean(test_id)} is not in quarantine any more\n")
    return ExitCode.PASSED


def _print_json(answer: Record) -> int:
    sys.stdout.write(answer.model_dump_json(by_alias=True, indent=2) + "\n")
    return ExitCode.PASSED


def _print_table(columns: tuple[str, ...], rows: list[list[str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(clean(each)) for each in row))
    console().print(table)
