"""Jobs and their results for people: tables, the failing tests with their traces, and the exit code they mean."""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from pydantic import Field, ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wainwright.cli.connect import System
from wainwright.cli.costs import cost_line
from wainwright.cli.errors import ExitCode
from wainwright.cli.progress import STYLES, Seen, where
from wainwright.cli.terminal import clean, console, count, cut, first_line, note, print_table, seconds
from wainwright.client import Client, ClientError, TestUpdate, UnexpectedAnswer
from wainwright.contracts.job_records import JobRecord, ReportLink
from wainwright.contracts.report_files import INDEX
from wainwright.domain.failures import PLATFORM_FAILURES
from wainwright.domain.instants import to_text
from wainwright.domain.record import Record
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally, TestOutcome

LEAST_WIDTH = 120
"""Characters of the table of jobs; a narrower terminal breaks the lines itself: ids are there to be copied."""

NAMED = 5
"""Files of a report that are named as missing."""

SHOWN = 20
"""Failing tests that are shown one by one; the report has all."""

ERROR_LINES = 6

TRACE = "trace"
"""Name of the attachment that the trace viewer opens."""

RESULTS = "results.json"


@dataclass(frozen=True)
class Traces:
    """Addresses of traces: below ``base`` until ``until``, else a command opens them."""

    job_id: str
    base: str | None = None
    until: datetime | None = None

    def opener(self, href: str) -> str:
        """Return the address or command that opens the trace at this path of the report."""
        if self.base is None:
            return f"wainwright report open {self.job_id} --trace {href}"
        return viewer_address(self.base, href)


def viewer_address(base: str, href: str) -> str:
    """Return the trace viewer's address with a trace of the report at ``base``, as the report itself links to it."""
    return f"{base}trace/{INDEX}?trace={quote(base + href, safe=':/')}"


def traces_of(system: System, job: JobRecord, seen: Seen) -> Traces:
    """Return the addresses of the traces of a job's failing tests, or the command, where the system goes away."""
    if system.own or not job.report.ready or not any(_trace(test) for test in seen.failed):
        return Traces(job.id)
    try:
        ticket = system.client.ticket(job.id)
    except ClientError as error:
        note(f"warning: no links to traces: {error.message}")
        return Traces(job.id)
    return Traces(job.id, ticket.report_url.removesuffix(INDEX), ticket.expires_at)


def exit_code(job: JobRecord) -> ExitCode:
    """Return the exit code that the job's end means."""
    if job.status is JobStatus.COMPLETED and not job.tests.failed:
        return ExitCode.PASSED
    if job.failure is not None and job.failure.category in PLATFORM_FAILURES:
        return ExitCode.PLATFORM
    return ExitCode.FAILED


def job_rows(job: JobRecord) -> dict[str, str | None]:
    """Return the lines that show one job, by name."""
    priority = f"{job.priority}{', low' if job.low_priority else ''}"
    return {
        "job": job.id,
        "label": job.label,
        "status": f"{job.status} ({job.progress} %)" if job.completed_at is None else str(job.status),
        "attempt": str(job.attempt),
        "priority": priority if job.priority or job.low_priority else None,
        "lanes": str(job.parallelism) if job.parallelism > 1 else None,
        "template": f"{job.template_id} version {job.template_version}" if job.template_id else None,
        "after": ", ".join(job.depends_on),
        "url": job.url,
        "created": f"{to_text(job.created_at)} by {job.run_by.name}",
        "started": to_text(job.started_at) if job.started_at else None,
        "ended": to_text(job.completed_at) if job.completed_at else None,
        "took": seconds(job.duration_ms),
        "tests": tally(job.tests),
        "cost": cost_line(job.cost),
        "failure": f"{job.failure.category}: {first_line(job.failure.message)}" if job.failure else None,
        "error": job.error if job.error and not job.failure else None,
        "results": json.dumps(job.results, ensure_ascii=False) if job.results else None,
        "report": f"wainwright report open {job.id}" if job.report.ready else None,
        "missing": missing_files(job.report) if job.report.missing_count else None,
    }


def print_jobs(jobs: list[JobRecord]) -> None:
    """Print a table of jobs."""
    if not jobs:
        sys.stdout.write("no jobs\n")
        return
    rows = [
        (job.id, job.status, to_text(job.created_at), seconds(job.duration_ms), tally(job.tests), job.label or "")
        for job in jobs
    ]
    columns = ("Job", "Status", "Created", "Took", "Tests", "Label")
    print_table(columns, rows, wrapped={"Label"}, width=LEAST_WIDTH)


def show_results(out: Console, job: JobRecord, seen: Seen, traces: Traces) -> None:
    """Print the table, the failing tests, the sum, the failure, and how to open the report."""

    if seen.tests:
        out.print(_results_table(seen))
        show_failing(out, seen, traces)
    passed = exit_code(job) is ExitCode.PASSED
    if not passed and not any(test.errors for test in seen.tests.values()):
        for printed in seen.output:
            _print(out, clean(printed), "dim")
    took = f" in {seconds(job.duration_ms)}" if job.duration_ms is not None else ""
    status = Text(f"{job.status}", style="bold green" if passed else "bold red")
    out.print(status.append(f"  {tally(job.tests)}{took}", style="default"))
    if job.failure is not None:
        _print(out, f"{job.failure.category}: {first_line(job.failure.message)}", "red")
    _print(out, f"job      {job.id}")
    if (cost := cost_line(job.cost)) is not None:
        _print(out, f"cost     {cost}")
    if job.report.ready:
        _print(out, f"report   wainwright report open {job.id}{'' if job.report.complete else '  (incomplete)'}")
        if job.report.missing_count:
            _print(out, f"missing  {missing_files(job.report)}", "yellow")
    else:
        _print(out, "report   none")


def show_failing_of(system: System, job: JobRecord) -> None:
    """Print the failing tests of a job that has left a report, as ``run`` does."""
    if not job.tests.failed or not job.report.ready:
        return
    try:
        seen = _reported(system.client, job.id)
    except ClientError as error:
        note(f"warning: the failed tests cannot be shown: {error.message}")
        return
    show_failing(console(), seen, traces_of(system, job, seen))


def show_failing(out: Console, seen: Seen, traces: Traces) -> None:
    """Print the failing tests, each in a paragraph."""

    tests = seen.failed
    for number, test in enumerate(tests[:SHOWN], 1):
        _print(out, f"\n{number}) {clean(test.title)}", "bold red")
        _print(out, f"   {_place(test)}", "cyan")
        for reason in _reason(test):
            _print(out, f"   {reason}")
        if href := _trace(test):
            _print(out, f"   trace  {traces.opener(href)}")
    if len(tests) > SHOWN:
        _print(out, f"\nand {len(tests) - SHOWN:,} more failed: the report has all of them")
    if traces.until is not None:
        until = traces.until.astimezone().strftime("%H:%M")
        later = f"wainwright report open {traces.job_id}"
        _print(out, f"\nAnybody with such a link can read the report until {until}. Later: `{later}`.", "dim")
    if tests:
        out.print()


def missing_files(report: ReportLink) -> str:
    """Name what of a report could not be uploaded, and why."""
    named = report.missing[:NAMED]
    rest = report.missing_count - len(named)
    listed = ", ".join([*named, *([f"{rest} more"] if rest else [])])
    return f"{listed}: could not be uploaded ({clean(report.missing_reason or 'no reason given')})"


def tally(tests: Tally) -> str:
    """Return the numbers in words: ``12 tests: 11 passed, 1 failed``."""
    names = ("passed", "failed", "flaky", "skipped", "quarantined")
    parts = [f"{number} {name}" for name in names if (number := getattr(tests, name))]
    missing = tests.total - tests.ended
    if missing > 0:
        parts.append(f"{missing} not run")
    return count(tests.total, "test") + (": " + ", ".join(parts) if parts else "")


def _print(out: Console, text: str, style: str = "") -> None:
    out.print(Text(text, style=style), soft_wrap=True)


def _results_table(seen: Seen) -> Table:
    """Return every test case, in the order of files and lines, the failed ones with where and why."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Test", overflow="fold")
    table.add_column("Where", overflow="fold")
    table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Error", overflow="fold")
    for test in sorted(seen.tests.values(), key=lambda test: (test.file or "", test.line or 0, test.id)):
        error = first_line(test.errors[0].message) if test.errors and test.outcome is not TestOutcome.SKIPPED else ""
        outcome = Text(test.outcome, style=STYLES[test.outcome])
        table.add_row(outcome, Text(clean(test.title)), Text(where(test)), seconds(test.duration_ms), Text(error))
    return table


def _trace(test: TestUpdate) -> str | None:
    """Return the path of the test case's last trace in the report, if it has one."""
    hrefs = [item.href for item in test.attachments if item.name == TRACE and item.href]
    return hrefs[-1] if hrefs else None


def _place(test: TestUpdate) -> str:
    """Name the line where the error was raised, and that of the test, if it is elsewhere."""
    own = clean(f"{test.file}:{test.line}" if test.file and test.line else test.file or "")
    elsewhere = own and test.errors and test.errors[0].file not in (None, "", test.file)
    return f"{where(test)}, of {own}" if elsewhere else where(test)


def _reason(test: TestUpdate) -> Iterator[str]:
    """Iterate over the first lines of the first error."""
    message = clean(test.errors[0].message).strip() if test.errors else ""
    lines = [line.rstrip() for line in message.splitlines() if line.strip()]
    for line in lines[:ERROR_LINES]:
        yield cut(line)
    if len(lines) > ERROR_LINES:
        yield f"… {count(len(lines) - ERROR_LINES, 'line')} more"


def _reported(client: Client, job_id: str) -> Seen:
    """Read the tests with an outcome from the job's report: its events are gone after a day.

    Raises:
        ClientError: the file cannot be had, or is not what a report has.
    """
    with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
        content = client.report_file(job_id, RESULTS, Path(directory, RESULTS)).read_bytes()
    try:
        found = _Results.model_validate_json(content, extra="ignore")
    except ValidationError as error:
        raise UnexpectedAnswer(
            f"the report's {RESULTS} is not readable: {count(error.error_count(), 'error')}",
            advice="The report may come from a newer Wainwright: update this one.",
        ) from error
    return Seen(tests={test.id: test for test in found.tests})


class _Test(TestUpdate):
    """One test of a report; fields that a later version adds are left out."""

    attempt: int = Field(alias="attempts")


class _Results(Record):
    tests: tuple[_Test, ...]
