"""The program: its commands and groups. Heavy modules are imported when a command is called, so that help is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from wainwright.cli import keys, project, run
from wainwright.cli.errors import OneLineErrors
from wainwright.cli.jobs import jobs_app
from wainwright.cli.options import SecretsFile
from wainwright.cli.report import report_app
from wainwright.cli.secrets import secrets_app
from wainwright.cli.templates import templates_app
from wainwright.cli.tests import analytics_app, quarantine_app
from wainwright.version import __version__

app = typer.Typer(
    name="wainwright",
    cls=OneLineErrors,
    help="Run browser tests as jobs: on AWS, or completely on this machine.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"wainwright {__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run browser tests as jobs: on AWS, or completely on this machine."""
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


@app.command()
def up(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the API on 127.0.0.1; 0: a free port.")] = 8787,
    data_dir: Annotated[
        Path | None, typer.Option(help="Data directory; default: WAINWRIGHT_DATA_DIR, else the user's data folder.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="The most browser workers at a time; default: one per processor.")
    ] = None,
    secrets: SecretsFile = None,
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="Exit when standard input ends; print the address and key as JSON.")
    ] = False,
) -> int:
    """Start the whole system on this machine, until Ctrl-C."""
    from wainwright.cli.up import UpOptions, serve

    return serve(UpOptions(port, data_dir, workers, ephemeral, secrets))


app.command("run")(run.run)


@app.command()
def demo() -> int:
    """Run the example shop's tests in the local system."""
    from wainwright.cli.demo import run_demo

    return run_demo()


@app.command()
def doctor() -> int:
    """Say what is installed, what is missing, and how to get it."""
    from wainwright.cli.doctor import diagnose

    return diagnose()


app.add_typer(jobs_app, name="jobs")
app.add_typer(templates_app, name="templates")
app.add_typer(report_app, name="report")
app.add_typer(analytics_app, name="analytics")
app.add_typer(quarantine_app, name="quarantine")
app.command("queue")(project.queue)
app.command("dashboard")(project.dashboard)
app.add_typer(project.limits_app, name="limits")
app.add_typer(keys.keys_app, name="keys")
app.add_typer(secrets_app, name="secrets")
