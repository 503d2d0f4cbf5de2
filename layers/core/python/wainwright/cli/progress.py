"""What a job does, told while it does it."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from wainwright.cli.terminal import clean, count, first_line, seconds
from wainwright.client import CollectedUpdate, LogUpdate, ProgressUpdate, StatusUpdate, TestUpdate, Update
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import TestOutcome

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID
    from rich.text import Text

STYLES = {
    TestOutcome.PASSED: "green",
    TestOutcome.FAILED: "bold red",
    TestOutcome.FLAKY: "yellow",
    TestOutcome.SKIPPED: "dim",
    TestOutcome.QUARANTINED: "magenta",
}

QUIET = frozenset({"DEBUG", "INFO"})
"""Levels of what the suite prints by the way: shown when no test can tell what went wrong."""

KEPT_OUTPUT = 40
"""Lines of it that are kept."""


@dataclass
class Seen:
    """What the updates so far add up to. A test case that ran again counts as it ended last."""

    status: JobStatus = JobStatus.PENDING
    attempt: int = 1
    total: int = 0
    tests: dict[str, TestUpdate] = field(default_factory=dict)
    output: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_OUTPUT))

    def add(self, update: Update) -> bool:
        """Take an update in; tell whether it says anything new."""
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


class View(Protocol):
    """Shows updates as they come."""

    def show(self, update: Update, seen: Seen) -> None:
        """Show one update, which ``seen`` has taken in."""
        ...


@contextmanager
def view(console: "Console") -> Iterator[View]:
    """A view for what the console writes to: a moving bar on a terminal, else lines alone."""
    lines = Lines(console)
    if not console.is_terminal:
        yield lines
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bar(lines, progress, progress.add_task(JobStatus.PENDING, total=None))


@dataclass
class Lines:
    """One line for every update."""

    console: "Console"

    def show(self, update: Update, seen: Seen) -> None:
        """Print the update."""
        from rich.text import Text

        match update:
            case StatusUpdate():
                again = f" (attempt {update.attempt})" if update.attempt > 1 else ""
                self.console.print(Text(f"{update.status}{again}", style="dim"))
            case CollectedUpdate():
                self.console.print(Text(count(update.total, "test"), style="dim"))
            case TestUpdate():
                self.console.print(test_line(update), soft_wrap=True)
            case ProgressUpdate():
                text = f"{update.percent:.0f} %      {first_line(update.message or '')}"
                self.console.print(Text(text, style="dim"), soft_wrap=True)
            case LogUpdate():
                self.console.print(Text(f"{clean(update.level).lower():8} {clean(update.message)}"), soft_wrap=True)


@dataclass
class Bar:
    """The lines, and below them how far the job has come."""

    lines: Lines
    progress: "Progress"
    task: "TaskID"

    def show(self, update: Update, seen: Seen) -> None:
        """Print tests and log lines; move the bar."""
        if isinstance(update, TestUpdate | LogUpdate | ProgressUpdate):
            self.lines.show(update, seen)
        self.progress.update(
            self.task, description=seen.status, total=seen.total or None, completed=len(seen.tests), refresh=True
        )


def test_line(test: TestUpdate) -> "Text":
    """One test case: outcome, where it is, how long it took, and what went wrong."""
    from rich.text import Text

    line = Text(f"{test.outcome:8} ", style=STYLES[test.outcome])
    line.append(clean(test.title), style="default")
    if test.duration_ms is not None:
        line.append(f"  {seconds(test.duration_ms)}", style="dim")
    if test.outcome is TestOutcome.FAILED and test.errors:
        line.append(f"\n         {where(test)}  {first_line(test.errors[0].message)}", style="red")
    return line


def where(test: TestUpdate) -> str:
    """File and line of a test case's first error, else of the test case itself."""
    error = test.errors[0] if test.errors else None
    file, line = (error.file, error.line) if error is not None and error.file else (test.file, test.line)
    return clean(f"{file}:{line}" if file and line else file or "")
