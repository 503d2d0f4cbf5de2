"""Progress of a job, shown while it runs."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from wainwright.cli.terminal import clean, count, first_line, seconds
from wainwright.client import CollectedUpdate, LogUpdate, ProgressUpdate, StatusUpdate, TestUpdate, Update
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import TestOutcome

STYLES = {
    TestOutcome.PASSED: "green",
    TestOutcome.FAILED: "bold red",
    TestOutcome.FLAKY: "yellow",
    TestOutcome.SKIPPED: "dim",
    TestOutcome.QUARANTINED: "magenta",
}

QUIET = frozenset({"DEBUG", "INFO"})
"""Levels of lines that are shown only when no test has an error."""

KEPT_OUTPUT = 40
"""Such lines that are kept."""


@dataclass
class Seen:
    """Sum of the updates so far. A test case that ran again counts as it ended last."""

    status: JobStatus = JobStatus.PENDING
    attempt: int = 1
    total: int = 0
    tests: dict[str, TestUpdate] = field(default_factory=dict)
    output: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_OUTPUT))

    def add(self, update: Update) -> bool:
        """Take an update in; return True if it is news."""
        match update:
            case StatusUpdate():
                news = (update.status, update.attempt) != (self.status, self.attempt)
                self.status, self.attempt = update.status, update.attempt
                self.total = max(self.total, update.tests.total)
                return news
            case CollectedUpdate():
                news = update.total != self.total
                self.total = update.total
                return news
            case TestUpdate():
                news = self.tests.get(update.id) != update
                self.tests[update.id] = update
                return news
            case ProgressUpdate():
                return bool(update.message)
            case LogUpdate():
                if update.level.upper() in QUIET:
                    self.output.append(update.message)
                    return False
                return True

    @property
    def failed(self) -> list[TestUpdate]:
        """The failed test cases, in the order in which they ran."""
        return [test for test in self.tests.values() if test.outcome is TestOutcome.FAILED]


@contextmanager
def view(out: Console) -> Iterator[Callable[[Update, Seen], None]]:
    """Yield a function that shows updates as lines, and on a terminal a moving bar below them."""
    if not out.is_terminal:
        yield lambda update, _seen: print_update(out, update)
        return
    columns = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task(JobStatus.PENDING, total=None)

        def show(update: Update, seen: Seen) -> None:
            if isinstance(update, TestUpdate | LogUpdate | ProgressUpdate):
                print_update(out, update)
            progress.update(
                task, description=seen.status, total=seen.total or None, completed=len(seen.tests), refresh=True
            )

        yield show


def print_update(out: Console, update: Update) -> None:
    """Print one update as a line."""
    match update:
        case StatusUpdate():
            again = f" (attempt {update.attempt})" if update.attempt > 1 else ""
            out.print(Text(f"{update.status}{again}", style="dim"))
        case CollectedUpdate():
            out.print(Text(count(update.total, "test"), style="dim"))
        case TestUpdate():
            out.print(_test_line(update), soft_wrap=True)
        case ProgressUpdate():
            text = f"{update.percent:.0f} %      {first_line(update.message or '')}"
            out.print(Text(text, style="dim"), soft_wrap=True)
        case LogUpdate():
            out.print(Text(f"{clean(update.level).lower():8} {clean(update.message)}"), soft_wrap=True)


def _test_line(test: TestUpdate) -> Text:
    """Return outcome, title, duration and first error of one test case."""
    line = Text(f"{test.outcome:8} ", style=STYLES[test.outcome])
    line.append(clean(test.title), style="default")
    if test.duration_ms is not None:
        line.append(f"  {seconds(test.duration_ms)}", style="dim")
    if test.outcome is TestOutcome.FAILED and test.errors:
        line.append(f"\n         {where(test)}  {first_line(test.errors[0].message)}", style="red")
    return line


def where(test: TestUpdate) -> str:
    """Return file and line of a test case's first error, else of the test case itself."""
    error = test.errors[0] if test.errors else None
    file, line = (error.file, error.line) if error is not None and error.file else (test.file, test.line)
    return clean(f"{file}:{line}" if file and line else file or "")
