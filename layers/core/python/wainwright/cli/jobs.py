"""``wainwright jobs …``: look at jobs, wait for one, and steer it."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from wainwright.cli.connect import connect
from wainwright.cli.errors import ExitCode, UsageProblem
from wainwright.cli.options import JobId, Json, complete_state
from wainwright.cli.terminal import clean, print_json, print_rows

if TYPE_CHECKING:
    from wainwright.client import Client, JobRecord

PAGE = 1_000
"""The most jobs that the API gives in one answer."""

jobs_app = typer.Typer(help="Show and control jobs.", rich_markup_mode=None)


@jobs_app.command("get")
def get_job(job: JobId, as_json: Json = False) -> None:
    """Show one job."""
    from wainwright.cli.results import job_rows, show_failing_of

    with connect(looking_back=True) as system:
        record = system.client.get_job(job)
        if as_json:
            print_json(record)
        else:
            print_rows(job_rows(record))
            show_failing_of(system, record)


@jobs_app.command("list")
def list_jobs(
    status: Annotated[
        list[str] | None,
        typer.Option(help="Only jobs in this state; several may be given.", autocompletion=complete_state),
    ] = None,
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Only jobs of this type; several may be given.")
    ] = None,
    template: Annotated[str | None, typer.Option(help="Only jobs of this template.")] = None,
    label: Annotated[str | None, typer.Option(help="Only jobs with this label.")] = None,
    errors: Annotated[
        bool | None, typer.Option("--errors/--no-errors", help="Only jobs with errors, or without.", show_default=False)
    ] = None,
    create_from: Annotated[str | None, typer.Option(metavar="TIME", help="Created then or later.")] = None,
    create_to: Annotated[str | None, typer.Option(metavar="TIME", help="Created then or earlier.")] = None,
    start_from: Annotated[str | None, typer.Option(metavar="TIME", help="Started then or later.")] = None,
    start_to: Annotated[str | None, typer.Option(metavar="TIME", help="Started then or earlier.")] = None,
    end_from: Annotated[str | None, typer.Option(metavar="TIME", help="Ended then or later.")] = None,
    end_to: Annotated[str | None, typer.Option(metavar="TIME", help="Ended then or earlier.")] = None,
    sort_by: Annotated[
        Literal["createdAt", "startedAt", "completedAt"] | None, typer.Option(help="The time to sort by.")
    ] = None,
    oldest: Annotated[bool, typer.Option("--oldest", help="Show the oldest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The most jobs to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the newest jobs; filters combine."""
    from wainwright.cli.results import print_jobs
    from wainwright.client.filters import JobFilters, states_of
    from wainwright.contracts.http.jobs import JobList

    given = {
        "status": states_of(status) if status else None, "type": kind, "template_id": template, "label": label,
        "has_errors": errors, "create_from": create_from, "create_to": create_to, "start_from": start_from,
        "start_to": start_to, "end_from": end_from, "end_to": end_to, "sort_by": sort_by,
        "sort_order": "asc" if oldest else None,
    }  # fmt: skip
    filters = JobFilters(**{name: value for name, value in given.items() if value})  # type: ignore[typeddict-item]
    if errors is not None:
        filters["has_errors"] = errors
    jobs: list[JobRecord] = []
    cursor = None
    with connect(looking_back=True) as system:
        while len(jobs) < limit:
            filters["limit"] = min(limit - len(jobs), PAGE)
            page = system.client.list_jobs(cursor=cursor, **filters)
            jobs += page.jobs
            cursor = page.cursor
            if cursor is None:
                break
    if as_json:
        print_json(JobList(jobs=jobs, cursor=cursor))
    else:
        print_jobs(jobs)


@jobs_app.command("logs")
def show_logs(
    job: JobId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Continue until the job has ended.")] = False,
    level: Annotated[str | None, typer.Option(metavar="LEVEL", help="Only INFO, or only ERROR.")] = None,
    message: Annotated[str | None, typer.Option(help="Only lines whose message contains this.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Logged then or later.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Logged then or earlier.")] = None,
    period: Annotated[
        str | None, typer.Option(help="today, yesterday, or a time back from now such as '2h 30m'.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The most lines to show; default: all.")] = None,
    as_json: Json = False,
) -> int:
    """Show the log of a job, oldest line first."""
    from wainwright.client.filters import LogFilters
    from wainwright.domain.instants import to_text

    given = {
        "level": level.upper() if level else None, "message": message, "from_": start, "to": end, "period": period,
        "limit": limit,
    }  # fmt: skip
    filters = LogFilters(**{name: value for name, value in given.items() if value})  # type: ignore[typeddict-item]
    with connect(start=not follow, looking_back=True) as system:
        try:
            for entry in system.client.jobs.logs(job, follow=follow, **filters):
                line = f"{to_text(entry.timestamp)} {entry.level:5} {clean(entry.message)}"
                sys.stdout.write(f"{entry.model_dump_json(by_alias=True) if as_json else line}\n")
                sys.stdout.flush()
        except KeyboardInterrupt:
            return ExitCode.INTERRUPTED
    return ExitCode.PASSED


@jobs_app.command("wait")
def wait_for_job(
    job: JobId,
    status: Annotated[
        list[str] | None,
        typer.Option(help="The state to wait for; several may be given.", autocompletion=complete_state),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Seconds after which to give up, with exit code 5.")
    ] = 300,
    as_json: Json = False,
) -> int:
    """Wait for a job to end and exit by its outcome, or wait for another state."""
    from wainwright.cli.results import exit_code, show_failing_of
    from wainwright.domain.states import AT_REST

    with connect(start=False) as system:
        record = system.client.jobs.wait_for(job, status or AT_REST, timeout=timeout)
        _print_state(record, as_json=as_json)
        if not as_json:
            show_failing_of(system, record)
    return ExitCode.PASSED if status else exit_code(record)


@jobs_app.command("cancel")
def cancel_job(job: JobId, as_json: Json = False) -> None:
    """Cancel a job; what it left is kept."""
    _steer(lambda client: client.cancel_job(job), as_json=as_json)


@jobs_app.command("stop")
def stop_job(job: JobId, as_json: Json = False) -> None:
    """Stop a job so that it can be resumed."""
    _steer(lambda client: client.stop_job(job), as_json=as_json)


@jobs_app.command("resume")
def resume_job(job: JobId, as_json: Json = False) -> None:
    """Go on with a stopped job; what had passed does not run again."""
    _steer(lambda client: client.resume_job(job), as_json=as_json, lasting=True)


@jobs_app.command("retry")
def retry_job(
    job: JobId,
    everything: Annotated[bool, typer.Option("--all", help="Also run tests again that have passed.")] = False,
    as_json: Json = False,
) -> None:
    """Try a failed job again, by the same id."""
    _steer(lambda client: client.retry_job(job, only_failed=not everything), as_json=as_json, lasting=True)


@jobs_app.command("delete")
def delete_job(job: JobId) -> None:
    """Delete a job that has ended, its logs and its report."""
    with connect(looking_back=True) as system:
        system.client.delete_job(job)
    sys.stdout.write(f"{job} deleted\n")


@jobs_app.command("priority")
def set_priority(
    job: JobId,
    number: Annotated[
        int | None, typer.Option("--set", min=-1_000, max=1_000, help="Place in the waiting line; higher starts first.")
    ] = None,
    low: Annotated[
        bool | None,
        typer.Option(
            "--low/--not-low", help="Start only when no other job waits, or like other jobs.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change the place of a job that has not ended in the line."""
    if number is None and low is None:
        raise UsageProblem("there is nothing to change", advice="Give --set N, --low or --not-low.")
    _steer(lambda client: client.patch_job(job, priority=number, low_priority=low), as_json=as_json)


def _steer(act: "Callable[[Client], JobRecord]", *, as_json: bool, lasting: bool = False) -> None:
    """Change a job, and print its state. ``lasting``: it needs a system that stays."""
    with connect(start=not lasting, looking_back=True) as system:
        job = act(system.client)
    _print_state(job, as_json=as_json)


def _print_state(job: "JobRecord", *, as_json: bool) -> None:
    if as_json:
        print_json(job)
    else:
        sys.stdout.write(f"{job.id} {job.status}\n")
