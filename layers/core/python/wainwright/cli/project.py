"""``wainwright queue``, ``dashboard`` and ``limits …``: the project as a whole."""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wainwright.cli.connect import connect
from wainwright.cli.options import Json
from wainwright.cli.terminal import console, print_json, print_rows

if TYPE_CHECKING:
    from wainwright.domain.capacity import Limits

limits_app = typer.Typer(help="Limits and retention of the project.", rich_markup_mode=None)


def queue(
    long_running_minutes: Annotated[
        int | None, typer.Option(min=1, help="Minutes after which a job counts as long-running; default: 10.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show who runs, who waits, what failed lately and what runs long."""
    from wainwright.cli.results import print_jobs

    with connect(looking_back=True) as system:
        answer = system.client.queue(long_running_minutes=long_running_minutes)
    if as_json:
        print_json(answer)
        return
    limits = answer.limits
    sys.stdout.write(f"running {answer.running} of {limits.running}, queued {answer.queued} of {limits.queued}\n")
    named = {"Waiting": answer.waiting, "Long running": answer.long_running, "Recent failures": answer.recent_failures}
    for title, jobs in named.items():
        if jobs:
            sys.stdout.write(f"\n{title}\n")
            sys.stdout.flush()
            print_jobs(jobs)


def dashboard(
    refresh: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="Seconds between two requests for the jobs.")
    ] = 30,
    redraw: Annotated[float, typer.Option(metavar="SECONDS", min=0.2, help="Seconds between two redraws.")] = 5,
    once: Annotated[bool, typer.Option("--once", help="Draw once and exit.")] = False,
) -> None:
    """Show the newest jobs at a glance, until Ctrl-C."""
    from wainwright.client.patterns.dashboard import Dashboard
    from wainwright.client.patterns.display import show

    with connect(start=once, looking_back=True) as system, suppress(KeyboardInterrupt):
        show(Dashboard(system.client), console(), refresh=refresh, redraw=redraw, rounds=1 if once else None)


@limits_app.command("get")
def get_limits(as_json: Json = False) -> None:
    """Show the project's limits."""
    with connect(looking_back=True) as system:
        _print_limits(system.client.get_limits(), as_json=as_json)


@limits_app.command("set")
def set_limits(
    running: Annotated[int | None, typer.Option(help="The most jobs that run at a time.")] = None,
    queued: Annotated[int | None, typer.Option(help="The most jobs that wait.")] = None,
    job_days: Annotated[int | None, typer.Option(help="Days that ended jobs are kept.")] = None,
    report_days: Annotated[int | None, typer.Option(help="Days that reports are kept: 7, 30, 90 or 365.")] = None,
    max_completed: Annotated[int | None, typer.Option(help="The most completed jobs to keep; 0: no limit.")] = None,
    max_failed: Annotated[int | None, typer.Option(help="The most failed jobs to keep; 0: no limit.")] = None,
    archive: Annotated[
        bool | None,
        typer.Option("--archive/--no-archive", help="Archive deleted rows in the bucket.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change what is given of the project's limits; needs a key of scope admin."""
    from wainwright.cli.requests import faults_by_option
    from wainwright.domain.capacity import Limits

    changes = {"running": running, "queued": queued}
    retention = {
        "job_days": job_days, "report_days": report_days, "max_completed": max_completed, "max_failed": max_failed,
        "archive": archive,
    }  # fmt: skip
    with connect(start=False) as system:
        now = system.client.get_limits().model_dump()
        kept = now["retention"] | _given(retention)
        kept |= {name: kept[name] or None for name in ("max_completed", "max_failed")}  # 0 takes a cap off
        with faults_by_option():
            wanted = Limits.model_validate(now | _given(changes) | {"retention": kept})
        _print_limits(system.client.put_limits(wanted), as_json=as_json)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _print_limits(limits: "Limits", *, as_json: bool) -> None:
    if as_json:
        print_json(limits)
        return
    kept = limits.retention
    print_rows(
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
