"""``wainwright jobs``: look at jobs, wait for one, and steer it."""

import json
import sys
from collections.abc import Callable

from wainwright.cli.connect import connect
from wainwright.cli.costs import cost_line
from wainwright.cli.failing import show_failing, traces_of
from wainwright.cli.failures import ExitCode
from wainwright.cli.reported import reported
from wainwright.cli.results import exit_code, missing_files, tally
from wainwright.cli.run import print_record
from wainwright.cli.terminal import clean, console, first_line, note, seconds
from wainwright.client import Client, ClientError
from wainwright.client.filters import JobFilters
from wainwright.contracts.http.jobs import JobList
from wainwright.contracts.job_records import JobRecord
from wainwright.domain.instants import to_text
from wainwright.domain.states import AT_REST

LEAST_WIDTH = 120
"""A narrower terminal breaks the lines itself: ids are there to be copied, and labels to be read."""

PAGE = 1_000
"""The most jobs that the API gives in one answer."""


def show_job(job_id: str, *, as_json: bool) -> int:
    """Print one job."""
    with connect(looking_back=True) as system, system.client() as client:
        job = client.get_job(job_id)
        if as_json:
            print_record(job)
        else:
            _print_job(job)
            show_failing_of(client, job, own=system.own)
    return ExitCode.PASSED


def show_jobs(filters: JobFilters, *, limit: int, as_json: bool) -> int:
    """Print the newest jobs that the filters let through."""
    with connect(looking_back=True) as system, system.client() as client:
        jobs: list[JobRecord] = []
        cursor = None
        while len(jobs) < limit:
            filters["limit"] = min(limit - len(jobs), PAGE)
            page = client.list_jobs(cursor=cursor, **filters)
            jobs += page.jobs
            cursor = page.cursor
            if cursor is None:
                break
    if as_json:
        sys.stdout.write(JobList(jobs=jobs, cursor=cursor).model_dump_json(by_alias=True, indent=2) + "\n")
    else:
        print_jobs(jobs)
    return ExitCode.PASSED


def wait_for_job(job_id: str, *, status: str | None, timeout: float, as_json: bool) -> int:
    """Wait for a state. Without one, for the end, and return the exit code that the end means."""
    with connect(start=False) as system, system.client() as client:
        job = client.jobs.wait_for(job_id, status or AT_REST, timeout=timeout)
        tell(job, as_json=as_json)
        if not as_json:
            show_failing_of(client, job, own=system.own)
    return ExitCode.PASSED if status else exit_code(job)


def steer_job(act: Callable[[Client], JobRecord], *, as_json: bool, lasting: bool = False) -> int:
    """Do something with a job, and print where it stands now. ``lasting``: it needs a system that stays."""
    with connect(start=not lasting, looking_back=True) as system, system.client() as client:
        job = act(client)
    tell(job, as_json=as_json)
    return ExitCode.PASSED


def delete_job(job_id: str) -> int:
    """Delete a job."""
    with connect(looking_back=True) as system, system.client() as client:
        client.delete_job(job_id)
    sys.stdout.write(f"{job_id} deleted\n")
    return ExitCode.PASSED


def tell(job: JobRecord, *, as_json: bool) -> None:
    """The job's record, or its id and state in one line."""
    if as_json:
        print_record(job)
    else:
        sys.stdout.write(f"{job.id} {job.status}\n")


def show_failing_of(client: Client, job: JobRecord, *, own: bool) -> None:
    """The failing tests of a job that has left a report, as ``run`` shows them. ``own``: its system goes with us."""
    if not job.tests.failed or not job.report.ready:
        return
    try:
        seen = reported(client, job.id)
    except ClientError as error:
        note(f"warning: the failing tests are not shown: {error.message}")
        return
    show_failing(console(), seen, traces_of(client, job, seen, own=own))


def _print_job(job: JobRecord) -> None:
    from rich.table import Table
    from rich.text import Text

    lines = {
        "job": job.id,
        "label": job.label,
        "status": f"{job.status} ({job.progress} %)" if job.completed_at is None else str(job.status),
        "attempt": str(job.attempt),
        "priority": f"{job.priority}{', low' if job.low_priority else ''}"
        if job.priority or job.low_priority
        else None,
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
    table = Table.grid(padding=(0, 2))
    for name, value in lines.items():
        if value:
            table.add_row(Text(name, style="dim"), Text(clean(value), overflow="fold"))
    console().print(table)


def print_jobs(jobs: list[JobRecord]) -> None:
    """A table of jobs."""
    from rich.table import Table
    from rich.text import Text

    if not jobs:
        sys.stdout.write("no jobs\n")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("Job", "Status", "Created", "Took", "Tests", "Label"):
        table.add_column(name, no_wrap=name != "Label", overflow="fold")
    for job in jobs:
        table.add_row(
            job.id, job.status, to_text(job.created_at), seconds(job.duration_ms), tally(job.tests),
            Text(clean(job.label or "")),
        )  # fmt: skip
    printer = console()
    printer.width = max(printer.width, LEAST_WIDTH)
    printer.print(table)
