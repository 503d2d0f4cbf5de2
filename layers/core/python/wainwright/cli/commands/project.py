"""``wainwright queue``, ``dashboard``, ``limits …`` and ``keys …``"""

from typing import Annotated

import typer

from wainwright.cli.commands.arguments import Json
from wainwright.contracts.scopes import Scope

limits_app = typer.Typer(help="Capacity and retention of the project.", rich_markup_mode=None)
keys_app = typer.Typer(help="API keys, through the API or of a deployed stage.", rich_markup_mode=None)

Stage = Annotated[
    str | None, typer.Option(help="A deployed stage, dev or prod: use your AWS credentials in place of the API.")
]
Project = Annotated[str | None, typer.Option(help="The project of the stage; else default.")]


def queue(
    long_running_minutes: Annotated[
        int | None, typer.Option(min=1, help="From how many minutes on a job runs long; else 10.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show who runs, who waits, what failed lately and what runs long."""
    from wainwright.cli.project import show_queue

    raise typer.Exit(show_queue(long_running_minutes=long_running_minutes, as_json=as_json))


def dashboard(
    refresh: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="How often to ask for the jobs.")] = 30,
    redraw: Annotated[float, typer.Option(metavar="SECONDS", min=0.2, help="How often to draw.")] = 5,
    once: Annotated[bool, typer.Option("--once", help="Draw once, and leave.")] = False,
) -> None:
    """Show the newest jobs at a glance, until Ctrl-C."""
    from wainwright.cli.project import show_dashboard

    raise typer.Exit(show_dashboard(refresh=refresh, redraw=redraw, once=once))


@limits_app.command("get")
def get_limits(as_json: Json = False) -> None:
    """Show the project's limits."""
    from wainwright.cli.project import show_limits

    raise typer.Exit(show_limits(as_json=as_json))


@limits_app.command("set")
def set_limits(
    running: Annotated[int | None, typer.Option(help="The most jobs that run at a time.")] = None,
    queued: Annotated[int | None, typer.Option(help="The most jobs that wait.")] = None,
    job_days: Annotated[int | None, typer.Option(help="Days that ended jobs are kept.")] = None,
    report_days: Annotated[int | None, typer.Option(help="Days that reports are kept: 7, 30, 90 or 365.")] = None,
    max_completed: Annotated[int | None, typer.Option(help="The most completed jobs to keep; 0: no cap.")] = None,
    max_failed: Annotated[int | None, typer.Option(help="The most failed jobs to keep; 0: no cap.")] = None,
    archive: Annotated[
        bool | None, typer.Option("--archive/--no-archive", help="Keep rows in the bucket.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Change what is given of the project's limits; needs a key of scope admin."""
    from wainwright.cli.project import set_limits

    changes = {"running": running, "queued": queued}
    retention = {
        "job_days": job_days, "report_days": report_days, "max_completed": max_completed, "max_failed": max_failed,
        "archive": archive,
    }  # fmt: skip
    raise typer.Exit(set_limits(changes, retention, as_json=as_json))


@keys_app.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for; jobs remember it.")],
    scope: Annotated[Scope, typer.Option(help="What the key may do.")] = Scope.RUN,
    stage: Stage = None,
    project: Project = None,
) -> None:
    """Create an API key; it is printed once."""
    from wainwright.cli.keys import create_key

    raise typer.Exit(create_key(stage, project, scope, name))


@keys_app.command("list")
def list_keys(stage: Stage = None, project: Project = None, as_json: Json = False) -> None:
    """Show the API keys, without their secrets."""
    from wainwright.cli.keys import show_keys

    raise typer.Exit(show_keys(stage, project, as_json=as_json))


@keys_app.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id.")],
    stage: Stage = None,
    project: Project = None,
) -> None:
    """Make an API key useless, within 30 seconds."""
    from wainwright.cli.keys import revoke_key

    raise typer.Exit(revoke_key(key, stage, project))
