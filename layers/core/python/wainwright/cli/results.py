"""How a job ended, for people: the table of its tests and where the report is. And the exit code it means."""

from typing import TYPE_CHECKING

from wainwright.cli.costs import cost_line
from wainwright.cli.failing import Traces, show_failing
from wainwright.cli.failures import ExitCode
from wainwright.cli.progress import STYLES, Seen, where
from wainwright.cli.terminal import clean, count, first_line, seconds
from wainwright.client import TestUpdate
from wainwright.contracts.job_records import JobRecord, ReportLink
from wainwright.domain.failures import PLATFORM_FAILURES
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally, TestOutcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


NAMED = 5
"""Files of a report that are named as missing."""


def exit_code(job: JobRecord) -> ExitCode:
    """What the job's end means for whoever ran the command."""
    if job.status is JobStatus.COMPLETED and not job.tests.failed:
        return ExitCode.PASSED
    if job.failure is not None and job.failure.category in PLATFORM_FAILURES:
        return ExitCode.PLATFORM
    return ExitCode.FAILED


def show_results(console: "Console", job: JobRecord, seen: Seen, traces: Traces) -> None:
    """The table, the failing tests, the sum, the failure, and how to see the report."""
    from rich.text import Text

    if seen.tests:
        console.print(results_table(seen))
        show_failing(console, seen, traces)
    if exit_code(job) is not ExitCode.PASSED and not any(test.errors for test in seen.tests.values()):
        for printed in seen.output:
            console.print(Text(clean(printed), style="dim"), soft_wrap=True)
    style = "bold green" if exit_code(job) is ExitCode.PASSED else "bold red"
    line = Text(f"{job.status}", style=style)
    line.append(f"  {tally(job.tests)}", style="default")
    if job.duration_ms is not None:
        line.append(f" in {seconds(job.duration_ms)}", style="default")
    console.print(line)
    if job.failure is not None:
        console.print(Text(f"{job.failure.category}: {first_line(job.failure.message)}", style="red"), soft_wrap=True)
    console.print(Text(f"job      {job.id}"), soft_wrap=True)
    if (cost := cost_line(job.cost)) is not None:
        console.print(Text(f"cost     {cost}"), soft_wrap=True)
    if job.report.ready:
        rest = "" if job.report.complete else "  (incomplete)"
        console.print(Text(f"report   wainwright report open {job.id}{rest}"), soft_wrap=True)
        if job.report.missing_count:
            console.print(Text(f"missing  {missing_files(job.report)}", style="yellow"), soft_wrap=True)
    else:
        console.print(Text("report   none was left"))


def missing_files(report: ReportLink) -> str:
    """What of a report could not be uploaded, and why."""
    named = report.missing[:NAMED]
    rest = report.missing_count - len(named)
    listed = ", ".join([*named, *([f"{rest} more"] if rest else [])])
    return f"{listed}: could not be uploaded ({clean(report.missing_reason or 'no reason given')})"


def results_table(seen: Seen) -> "Table":
    """Every test case, in the order of files and lines, the failed ones with where and why."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Test", overflow="fold")
    table.add_column("Where", overflow="fold")
    table.add_column("Time", justify="right", no_wrap=True)
    table.add_column("Error", overflow="fold")
    for test in sorted(seen.tests.values(), key=_place):
        error = first_line(test.errors[0].message) if test.errors and test.outcome is not TestOutcome.SKIPPED else ""
        outcome = Text(test.outcome, style=STYLES[test.outcome])
        table.add_row(outcome, Text(clean(test.title)), Text(where(test)), seconds(test.duration_ms), Text(error))
    return table


def tally(tests: Tally) -> str:
    """The numbers in words: ``12 tests: 11 passed, 1 failed``."""
    numbers = {"passed": tests.passed, "failed": tests.failed, "flaky": tests.flaky, "skipped": tests.skipped}
    numbers["quarantined"] = tests.quarantined
    parts = [f"{number} {name}" for name, number in numbers.items() if number]
    missing = tests.total - tests.ended
    if missing > 0:
        parts.append(f"{missing} not run")
    return count(tests.total, "test") + (": " + ", ".join(parts) if parts else "")


def _place(test: TestUpdate) -> tuple[str, int, str]:
    return test.file or "", test.line or 0, test.id
