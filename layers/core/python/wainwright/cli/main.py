"""The commands and their options. What a command does is imported when it is called, so that help is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from wainwright import __version__
from wainwright.cli.failures import OneLineErrors
from wainwright.contracts.scopes import Scope
from wainwright.domain.states import JobStatus

app = typer.Typer(
    name="wainwright",
    cls=OneLineErrors,
    help="Run browser tests as jobs: on AWS, or whole on this machine.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
jobs_app = typer.Typer(help="Look at jobs, cancel one.", rich_markup_mode=None)
report_app = typer.Typer(help="Open or download the report of a job.", rich_markup_mode=None)
keys_app = typer.Typer(help="API keys of a deployed stage.", rich_markup_mode=None)
app.add_typer(keys_app, name="keys")
app.add_typer(jobs_app, name="jobs")
app.add_typer(report_app, name="report")

JobId = Annotated[str, typer.Argument(metavar="JOB", help="The job's id.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"wainwright {__version__}\n")
        raise typer.Exit


@keys_app.callback()
def keys_root() -> None:
    """API keys of a deployed stage."""


@keys_app.command("create")
def keys_create(
    stage: Annotated[str, typer.Option(help="The deployed stage: dev or prod.")],
    name: Annotated[str, typer.Option(help="What the key is for; jobs remember it.")],
    project: Annotated[str, typer.Option(help="The project that the key belongs to.")] = "default",
    scope: Annotated[Scope, typer.Option(help="What the key may do.")] = Scope.RUN,
) -> None:
    """Create an API key, with your AWS credentials; it is printed once."""
    from wainwright.cli.keys import create_key

    raise typer.Exit(create_key(stage, project, scope, name))


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Run browser tests as jobs: on AWS, or whole on this machine."""
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")


@app.command()
def up(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the API on 127.0.0.1; 0: a free one.")] = 8787,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where everything is kept; else WAINWRIGHT_DATA_DIR, else a user's data folder.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="The most browser workers at a time; else one per processor.")
    ] = None,
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="End when standard input does; print the address and key as JSON.")
    ] = False,
) -> None:
    """Start the whole system on this machine, until Ctrl-C."""
    from wainwright.cli.up import UpOptions, serve

    raise typer.Exit(serve(UpOptions(port, data_dir, workers, ephemeral)))


@app.command()
def run(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Directories with tests, or test files.")],
    base_url: Annotated[str | None, typer.Option(help="Address of the site under test.")] = None,
    label: Annotated[str | None, typer.Option(help="A name for the job, to find it by.")] = None,
    timeout: Annotated[int | None, typer.Option(metavar="MS", help="Milliseconds that the job may take.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the final job record alone on stdout.")] = False,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Download the report into this directory.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the results as JUnit XML.")] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the job's id and leave; the job goes on.")] = False,
    wait_timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Give up waiting after so long, with exit code 5.")
    ] = None,
) -> None:
    """Run tests as a job, show them as they end, and exit by their outcome."""
    from wainwright.cli.run import RunOptions, run_tests

    raise typer.Exit(
        run_tests(RunOptions(paths, base_url, label, timeout, as_json, report, junit, not no_wait, wait_timeout))
    )


@app.command()
def demo() -> None:
    """Run the example shop's tests in the local system."""
    from wainwright.cli.demo import run_demo

    raise typer.Exit(run_demo())


@app.command()
def doctor() -> None:
    """Say what is installed, what is missing, and how to get it."""
    from wainwright.cli.doctor import diagnose

    raise typer.Exit(diagnose())


@jobs_app.command("get")
def get_job(job: JobId, as_json: Json = False) -> None:
    """Show one job."""
    from wainwright.cli.jobs import show_job

    raise typer.Exit(show_job(job, as_json=as_json))


@jobs_app.command("list")
def list_jobs(
    status: Annotated[JobStatus | None, typer.Option(help="Only jobs in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The most jobs to show.")] = 20,
    as_json: Json = False,
) -> None:
    """Show the newest jobs."""
    from wainwright.cli.jobs import show_jobs

    raise typer.Exit(show_jobs(status=status, limit=limit, as_json=as_json))


@jobs_app.command("cancel")
def cancel_job(job: JobId) -> None:
    """Cancel a job; what it left is kept."""
    from wainwright.cli.jobs import cancel_job

    raise typer.Exit(cancel_job(job))


@report_app.command("open")
def open_report(job: JobId) -> None:
    """Open the report of a job in the browser."""
    from wainwright.cli.report import open_report

    raise typer.Exit(open_report(job))


@report_app.command("download")
def download_report(
    job: JobId,
    directory: Annotated[Path | None, typer.Argument(metavar="DIR", help="Where to; else report-JOB.")] = None,
) -> None:
    """Download all files of a job's report."""
    from wainwright.cli.report import download_report

    raise typer.Exit(download_report(job, directory))
