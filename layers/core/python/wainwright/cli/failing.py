"""The tests that failed, one by one: where, why, and how to open the trace of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from wainwright.cli.progress import Seen, where
from wainwright.cli.terminal import clean, count, note
from wainwright.client import Client, ClientError, TestUpdate
from wainwright.contracts.job_records import JobRecord
from wainwright.contracts.report_files import INDEX
from wainwright.domain.tests import TestOutcome

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 20
"""Failing tests that are shown one by one; the report has all."""

ERROR_LINES = 6
LINE_LENGTH = 200

TRACE = "trace"
"""What the attachment is called that the trace viewer opens."""


@dataclass(frozen=True)
class Traces:
    """How traces are opened: by addresses below ``base`` until ``until``, else by a command."""

    job_id: str
    base: str | None = None
    until: datetime | None = None

    def of(self, href: str) -> str:
        """How to open the trace that lies at this path of the report."""
        if self.base is None:
            return f"wainwright report open {self.job_id} --trace {href}"
        return viewer_address(self.base, href)


def viewer_address(base: str, href: str) -> str:
    """The trace viewer's address with a trace of the report at ``base``, as the report itself links to it."""
    return f"{base}trace/{INDEX}?trace={quote(base + href, safe=':/')}"


def traces_of(client: Client, job: JobRecord, seen: Seen, *, own: bool) -> Traces:
    """How the traces of this job's failing tests are opened. ``own``: the job's system goes away with the command."""
    if own or not job.report.ready or not any(trace_of(test) for test in failing(seen)):
        return Traces(job.id)
    try:
        ticket = client.ticket(job.id)
    except ClientError as error:
        note(f"warning: no links to traces: {error.message}")
        return Traces(job.id)
    return Traces(job.id, ticket.report_url.removesuffix(INDEX), ticket.expires_at)


def failing(seen: Seen) -> list[TestUpdate]:
    """The failed test cases, in the order in which they ran."""
    return [test for test in seen.tests.values() if test.outcome is TestOutcome.FAILED]


def trace_of(test: TestUpdate) -> str | None:
    """The path of the test case's last trace in the report, if it has one."""
    hrefs = [item.href for item in test.attachments if item.name == TRACE and item.href]
    return hrefs[-1] if hrefs else None


def show_failing(console: "Console", seen: Seen, traces: Traces) -> None:
    """The failing tests, each in a paragraph."""
    from rich.text import Text

    tests = failing(seen)
    for number, test in enumerate(tests[:SHOWN], 1):
        console.print()
        console.print(Text(f"{number}) {clean(test.title)}", style="bold red"), soft_wrap=True)
        console.print(Text(f"   {_place(test)}", style="cyan"), soft_wrap=True)
        for line in _reason(test):
            console.print(Text(f"   {line}"), soft_wrap=True)
        if href := trace_of(test):
            console.print(Text(f"   trace  {traces.of(href)}"), soft_wrap=True)
    if len(tests) > SHOWN:
        console.print(Text(f"\nand {len(tests) - SHOWN:,} more failing: the report has them all"), soft_wrap=True)
    if traces.until is not None:
        until = traces.until.astimezone().strftime("%H:%M")
        console.print(
            Text(f"\nWhoever has such an address can read the report, until {until}. Later: `{_later(traces)}`."),
            style="dim", soft_wrap=True,
        )  # fmt: skip
    if tests:
        console.print()


def _later(traces: Traces) -> str:
    return f"wainwright report open {traces.job_id}"


def _place(test: TestUpdate) -> str:
    """Where the error was raised; and of which test, if that is elsewhere."""
    place = where(test)
    own = clean(f"{test.file}:{test.line}" if test.file and test.line else test.file or "")
    elsewhere = own and test.errors and test.errors[0].file not in (None, "", test.file)
    return f"{place}, of {own}" if elsewhere else place


def _reason(test: TestUpdate) -> Iterator[str]:
    """The first lines of the first error."""
    if not test.errors:
        return
    lines = [line.rstrip() for line in clean(test.errors[0].message).strip().splitlines() if line.strip()]
    for line in lines[:ERROR_LINES]:
        yield line if len(line) <= LINE_LENGTH else f"{line[: LINE_LENGTH - 1]}…"
    if len(lines) > ERROR_LINES:
        yield f"… {count(len(lines) - ERROR_LINES, 'line')} more"
