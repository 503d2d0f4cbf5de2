"""``wainwright analytics``, ``queue``, ``dashboard`` and ``limits``: the project as a whole."""

import sys
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from wainwright.cli.connect import connect
from wainwright.cli.failures import ExitCode
from wainwright.cli.jobs import print_jobs
from wainwright.cli.request import option_fault
from wainwright.cli.terminal import clean, console, seconds
from wainwright.contracts.http.jobs import QueueAnswer
from wainwright.domain.analytics import Analytics
from wainwright.domain.capacity import Limits
from wainwright.domain.model import Record


def show_analytics(
    *, template: str | None, start: str | None, end: str | None, jobs: Sequence[str], as_json: bool
) -> int:
    """Print how the jobs of a time and template, or some jobs, went."""
    with connect(looking_back=True) as system, system.client() as client:
        answer = client.analytics(template_id=template, from_=start, to=end, job_ids=list(jobs) or None)
    if as_json:
        _print_json(answer)
    else:
        _print_rows(_analytics_rows(answer))
    return ExitCode.PASSED


def show_queue(*, long_running_minutes: int | None, as_json: bool) -> int:
    """Print who runs, who waits, what failed lately and what runs long."""
    with connect(looking_back=True) as system, system.client() as client:
        answer = client.queue(long_running_minutes=long_running_minutes)
    if as_json:
        _print_json(answer)
    else:
        _print_queue(answer)
    return ExitCode.PASSED


def show_dashboard(*, refresh: float, redraw: float, once: bool) -> int:
    """Draw the newest jobs at a glance, until Ctrl-C."""
    from wainwright.client.patterns.dashboard import Dashboard
    from wainwright.client.patterns.display import show

    with connect(start=once, looking_back=True) as system, system.client() as client:
        try:
            show(Dashboard(client), console(), refresh=refresh, redraw=redraw, rounds=1 if once else None)
        except KeyboardInterrupt:
            return ExitCode.PASSED
    return ExitCode.PASSED


def show_limits(*, as_json: bool) -> int:
    """Print the project's limits."""
    with connect(looking_back=True) as system, system.client() as client:
        _tell_limits(client.get_limits(), as_json=as_json)
    return ExitCode.PASSED


def set_limits(changes: dict[str, Any], retention: dict[str, Any], *, as_json: bool) -> int:
    """Change what is given of the project's limits; a count of 0 turns a cap off.

    Raises:
        UsageProblem: a limit is out of bounds.
    """
    with connect(start=False) as system, system.client() as client:
        now = client.get_limits().model_dump()
        kept = now["retention"] | _given(retention)
        kept |= {name: kept[name] or None for name in ("max_completed", "max_failed")}
        try:
            wanted = Limits.model_validate(now | _given(changes) | {"retention": kept})
        except ValidationError as error:
            raise option_fault(error) from error
        _tell_limits(client.put_limits(wanted), as_json=as_json)
    return ExitCode.PASSED


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _print_json(answer: Record) -> None:
    sys.stdout.write(answer.model_dump_json(by_alias=True, indent=2) + "\n")


def _print_rows(rows: dict[str, str]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(Text(name, style="dim"), Text(clean(value), overflow="fold"))
    console().print(table)


def _analytics_rows(answer: Analytics) -> dict[str, str]:
    rate = "–" if answer.success_rate is None else f"{answer.success_rate:.1f} %"
    durations = {
        "mean": answer.average_duration, "min": answer.min_duration, "p50": answer.p50_duration,
        "p95": answer.p95_duration, "max": answer.max_duration,
    }  # fmt: skip
    took = ", ".join(f"{name} {seconds(value)}" for name, value in durations.items() if value is not None)
    errors = ", ".join(f"{name} {number}" for name, number in sorted(answer.error_types.items()))
    rows = {
        "jobs": f"{answer.total_jobs}: {answer.completed_jobs} completed, {answer.failed_jobs} failed, "
        f"{answer.canceled_jobs} canceled",
        "success rate": rate,
        "took": took or "–",
        "errors": errors or "none",
    }
    flaky = "\n".join(f"{test.id} ({test.count})" for test in answer.flaky_tests)
    return rows | ({"flaky tests": flaky} if flaky else {})


def _print_queue(answer: QueueAnswer) -> None:
    limits = answer.limits
    sys.stdout.write(f"running {answer.running} of {limits.running}, queued {answer.queued} of {limits.queued}\n")
    named = {"Waiting": answer.waiting, "Long running": answer.long_running, "Recent failures": answer.recent_failures}
    for title, jobs in named.items():
        if jobs:
            sys.stdout.write(f"\n{title}\n")
            sys.stdout.flush()
            print_jobs(jobs)


def _tell_limits(limits: Limits, *, as_json: bool) -> None:
    if as_json:
        _print_json(limits)
        return
    kept = limits.retention
    _print_rows(
        {
            "running": str(limits.running),
            "queued": str(limits.queued),
            "jobs kept": f"{kept.job_days} days",
            "reports kept": f"{kept.report_days} days",
            "most completed": str(kept.max_completed or "no cap"),
            "most failed": str(kept.max_failed or "no cap"),
            "archive": "yes" if kept.archive else "no",
        }
    )
