"""``wainwright jobs …``"""

from typing import Annotated, Literal

import typer

from wainwright.cli.commands.arguments import JobId, Json, complete_state

jobs_app = typer.Typer(help="Look at jobs, and steer them.", rich_markup_mode=None)


@jobs_app.command("get")
def get_job(job: JobId, as_json: Json = False) -> None:
    """Show one job."""
    from wainwright.cli.jobs import show_job

    raise typer.Exit(show_job(job, as_json=as_json))


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
        Literal["createdAt", "startedAt", "completedAt"] | None, typer.Option(help="The time that the order goes by.")
    ] = None,
    oldest: Annotated[bool, typer.Option("--oldest", help="Show the oldest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The most jobs to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the newest jobs; filters combine."""
    from wainwright.cli.jobs import show_jobs
    from wainwright.client.filters import JobFilters, states_of

    given = {
        "status": states_of(status) if status else None, "type": kind, "template_id": template, "label": label,
        "has_errors": errors, "create_from": create_from, "create_to": create_to, "start_from": start_from,
        "start_to": start_to, "end_from": end_from, "end_to": end_to, "sort_by": sort_by,
        "sort_order": "asc" if oldest else None,
    }  # fmt: skip
    filters = JobFilters(**{name: value for name, value in given.items() if value})  # type: ignore[typeddict-item]
    if errors is not None:
        filters["has_errors"] = errors
    raise typer.Exit(show_jobs(filters, limit=limit, as_json=as_json))


@jobs_app.command("logs")
def show_logs(
    job: JobId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    level: Annotated[str | None, typer.Option(metavar="LEVEL", help="Only INFO, or only ERROR.")] = None,
    message: Annotated[str | None, typer.Option(help="Only lines with this in their message.")] = None,
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Logged then or later.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Logged then or earlier.")] = None,
    period: Annotated[
        str | None, typer.Option(help="today, yesterday, or a time back from now such as '2h 30m'.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The most lines to show; else all.")] = None,
    as_json: Json = False,
) -> None:
    """Show the log of a job, oldest line first."""
    from wainwright.cli.logs import show_logs
    from wainwright.client.filters import LogFilters

    given = {
        "level": level.upper() if level else None, "message": message, "from_": start, "to": end, "period": period,
        "limit": limit,
    }  # fmt: skip
    filters = LogFilters(**{name: value for name, value in given.items() if value})  # type: ignore[typeddict-item]
    raise typer.Exit(show_logs(job, filters, follow=follow, as_json=as_json))


@jobs_app.command("wait")
def wait_for_job(
    job: JobId,
    status: Annotated[
        list[str] | None,
        typer.Option(help="The state to wait for; several may be given.", autocompletion=complete_state),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Give up after so long, with exit code 5.")
    ] = 300,
    as_json: Json = False,
) -> None:
    """Wait for a job to end and exit by its outcome, or wait for another state."""
    from wainwright.cli.jobs import wait_for_job

    wanted = ",".join(status) if status else None
    raise typer.Exit(wait_for_job(job, status=wanted, timeout=timeout, as_json=as_json))


@jobs_app.command("cancel")
def cancel_job(job: JobId, as_json: Json = False) -> None:
    """Cancel a job; what it left is kept."""
    from wainwright.cli.jobs import steer_job

    raise typer.Exit(steer_job(lambda client: client.cancel_job(job), as_json=as_json))


@jobs_app.command("stop")
def stop_job(job: JobId, as_json: Json = False) -> None:
    """Stop a job so that it can be resumed."""
    from wainwright.cli.jobs import steer_job

    raise typer.Exit(steer_job(lambda client: client.stop_job(job), as_json=as_json))


@jobs_app.command("resume")
def resume_job(job: JobId, as_json: Json = False) -> None:
    """Go on with a stopped job; what had passed does not run again."""
    from wainwright.cli.jobs import steer_job

    raise typer.Exit(steer_job(lambda client: client.resume_job(job), as_json=as_json, lasting=True))


@jobs_app.command("retry")
def retry_job(
    job: JobId,
    everything: Annotated[bool, typer.Option("--all", help="Run what has passed again, too.")] = False,
    as_json: Json = False,
) -> None:
    """Try a failed job again, by the same id."""
    from wainwright.cli.jobs import steer_job

    raise typer.Exit(
        steer_job(lambda client: client.retry_job(job, only_failed=not everything), as_json=as_json, lasting=True)
    )


@jobs_app.command("delete")
def delete_job(job: JobId) -> None:
    """Delete a job that has ended, its logs and its report."""
    from wainwright.cli.jobs import delete_job

    raise typer.Exit(delete_job(job))


@jobs_app.command("priority")
def rank_job(
    job: JobId,
    number: Annotated[
        int | None, typer.Option("--set", min=-1_000, max=1_000, help="Place in the line; higher starts first.")
    ] = None,
    low: Annotated[
        bool | None,
        typer.Option("--low/--not-low", help="Start only when no other job waits, or like others.", show_default=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Change the place of a job that has not ended in the line."""
    from wainwright.cli.failures import UsageProblem
    from wainwright.cli.jobs import steer_job

    if number is None and low is None:
        raise UsageProblem("there is nothing to change", advice="Give --set N, --low or --not-low.")
    raise typer.Exit(
        steer_job(lambda client: client.patch_job(job, priority=number, low_priority=low), as_json=as_json)
    )
