"""The dashboard in a terminal, drawn by Rich."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from wainwright.client.clients import Client
from wainwright.client.errors import ClientError
from wainwright.client.patterns.dashboard import Dashboard

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

REFRESH_SECONDS = 30.0
"""Seconds between two reads of the jobs (requirement A15)."""

REDRAW_SECONDS = 5.0
"""Seconds between two drawings (requirement A15)."""


def draw(dashboard: Dashboard[Client], note: str = "", now: datetime | None = None) -> "RenderableType":
    """Return the dashboard for Rich. Texts of jobs are shown as they are, never read as markup."""
    now = now or datetime.now(UTC)
    summary = dashboard.summary()
    counts = Table.grid(padding=(0, 2))
    counts.add_row(Text("total", style="dim"), str(summary.total))
    for status, number in summary.by_status.items():
        counts.add_row(Text(status, style="dim"), str(number))
    rate = "–" if summary.success_rate is None else f"{summary.success_rate:.1f} %"
    counts.add_row(Text("success rate", style="dim"), rate)
    parts: list[RenderableType] = [Text(f"Jobs at {now:%H:%M:%S} UTC", style="bold"), counts]
    failures = dashboard.recent_failures()
    if failures:
        parts.append(Text("\nRecent failures", style="bold"))
        parts += [_line(job.id, job.error or "") for job in failures]
    late = dashboard.long_running(now=now)
    if late:
        parts.append(Text("\nLong running", style="bold"))
        minutes = [int((now - job.started_at).total_seconds() // 60) if job.started_at else 0 for job in late]
        parts += [_line(job.id, f"{number} minutes") for job, number in zip(late, minutes, strict=True)]
    if note:
        parts.append(Text(f"\n{note}", style="yellow"))
    return Group(*parts)


def show(
    dashboard: Dashboard[Client],
    console: "Console",
    *,
    refresh: float = REFRESH_SECONDS,
    redraw: float = REDRAW_SECONDS,
    rounds: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Draw the dashboard, again every ``redraw`` seconds from what was asked for every ``refresh`` seconds.

    It goes on for so many ``rounds``, or until somebody presses Ctrl-C. While the system does not answer it shows what was
    last known, and says so.

    Raises:
        ClientError: the system does not answer at first.
    """
    dashboard.refresh()
    asked, note, drawn = clock(), "", 0
    with Live(draw(dashboard), console=console, auto_refresh=False) as live:
        while rounds is None or drawn < rounds:
            if clock() - asked >= refresh:
                note = _refreshed(dashboard)
                asked = clock()
            live.update(draw(dashboard, note), refresh=True)
            drawn += 1
            if rounds is None or drawn < rounds:
                sleep(redraw)


def _refreshed(dashboard: Dashboard[Client]) -> str:
    try:
        dashboard.refresh()
    except ClientError as error:
        return f"not up to date: {error.message}"
    return ""


def _line(job_id: str, text: str) -> Text:
    plain = "".join(character if character.isprintable() else " " for character in text)
    return Text(f"{job_id}  {plain}", overflow="ellipsis", no_wrap=True)
