"""The commands and their options. What a command does is imported when it is called, so that help is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from wainwright.cli.commands import project
from wainwright.cli.commands.arguments import (
    BaseUrl,
    FinalRecord,
    JobId,
    JobTimeout,
    Junit,
    Label,
    LowPriority,
    NoWait,
    OutputSchema,
    Parallelism,
    Params,
    Priority,
    Report,
    TestRetries,
    Tries,
    WaitTimeout,
)
from wainwright.cli.commands.jobs import jobs_app
from wainwright.cli.commands.secrets import SecretsFile, secrets_app
from wainwright.cli.commands.templates import templates_app
from wainwright.cli.commands.tests import analytics_app, quarantine_app
from wainwright.cli.failures import OneLineErrors
from wainwright.version import __version__

KEEP = "on|off|retain-on-failure"

app = typer.Typer(
    name="wainwright",
    cls=OneLineErrors,
    help="Run browser tests as jobs: on AWS, or whole on this machine.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
report_app = typer.Typer(help="Open or download the report of a job.", rich_markup_mode=None)


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
    secrets: SecretsFile = None,
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="End when standard input does; print the address and key as JSON.")
    ] = False,
) -> None:
    """Start the whole system on this machine, until Ctrl-C."""
    from wainwright.cli.up import UpOptions, serve

    raise typer.Exit(serve(UpOptions(port, data_dir, workers, ephemeral, secrets)))


@app.command()
def run(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Directories with tests, or test files.")],
    base_url: BaseUrl = None,
    label: Label = None,
    timeout: JobTimeout = None,
    priority: Priority = 0,
    low_priority: LowPriority = False,
    retry: Tries = None,
    test_retries: TestRetries = None,
    parallelism: Parallelism = None,
    param: Params = None,
    output_schema: OutputSchema = None,
    depends_on: Annotated[
        list[str] | None, typer.Option(metavar="JOB", help="Start when this job has completed; several may be given.")
    ] = None,
    browser: Annotated[
        list[str] | None,
        typer.Option(help="chromium, firefox or webkit; several may be given, and the tests run in each."),
    ] = None,
    viewport: Annotated[str | None, typer.Option(metavar="WxH", help="Size of the page, such as 1280x720.")] = None,
    locale: Annotated[str | None, typer.Option(help="The browser's language, such as en-GB.")] = None,
    timezone: Annotated[str | None, typer.Option(help="The browser's time zone, such as Europe/Paris.")] = None,
    user_agent: Annotated[str | None, typer.Option(help="What the browser calls itself.")] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'NAME: VALUE'", help="A header for requests to the job's own origin; several may be given."
        ),
    ] = None,
    wait_for: Annotated[
        int | None, typer.Option(metavar="MS", help="Milliseconds to wait after each navigation.")
    ] = None,
    block_ads: Annotated[bool, typer.Option("--block-ads", help="Load nothing from known ad servers.")] = False,
    disable_images: Annotated[bool, typer.Option("--disable-images", help="Load no images.")] = False,
    reduced_motion: Annotated[bool, typer.Option("--reduced-motion", help="Ask pages for less motion.")] = False,
    trace: Annotated[str | None, typer.Option(metavar=KEEP, help="Traces of tests to keep; on if not given.")] = None,
    screenshot: Annotated[
        str | None, typer.Option(metavar=KEEP, help="Screenshots of tests to keep; on if not given.")
    ] = None,
    video: Annotated[str | None, typer.Option(metavar=KEEP, help="Videos of tests to keep; off if not given.")] = None,
    secrets: SecretsFile = None,
    as_json: FinalRecord = False,
    report: Report = None,
    junit: Junit = None,
    no_wait: NoWait = False,
    wait_timeout: WaitTimeout = None,
) -> None:
    """Run tests as a job, show them as they end, and exit by their outcome."""
    from wainwright.cli.request import ConfigOptions, JobOptions
    from wainwright.cli.run import RunOptions, WatchOptions, run_tests

    config = ConfigOptions(
        viewport, locale, timezone, user_agent, header or [], wait_for, block_ads, disable_images, reduced_motion,
        browser or [], trace, screenshot, video, test_retries,
    )  # fmt: skip
    job = JobOptions(
        base_url, label, timeout, priority, low_priority, retry, param or [], output_schema, depends_on or [], config,
        parallelism,
    )  # fmt: skip
    watch = WatchOptions(as_json, report, junit, not no_wait, wait_timeout)
    raise typer.Exit(run_tests(RunOptions(paths, job, watch, secrets)))


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


@report_app.command("open")
def open_report(
    job: JobId,
    trace: Annotated[
        str | None, typer.Option(metavar="PATH", help="Open this trace of the report, as `run` names it.")
    ] = None,
) -> None:
    """Open the report of a job in the browser."""
    from wainwright.cli.report import open_report

    raise typer.Exit(open_report(job, trace))


@report_app.command("download")
def download_report(
    job: JobId,
    directory: Annotated[Path | None, typer.Argument(metavar="DIR", help="Where to; else report-JOB.")] = None,
    packed: Annotated[
        Path | None, typer.Option("--zip", metavar="FILE", help="Pack them into this zip instead.")
    ] = None,
) -> None:
    """Download all files of a job's report."""
    from wainwright.cli.report import download_report

    raise typer.Exit(download_report(job, directory, packed))


app.add_typer(jobs_app, name="jobs")
app.add_typer(templates_app, name="templates")
app.add_typer(report_app, name="report")
app.add_typer(analytics_app, name="analytics")
app.add_typer(quarantine_app, name="quarantine")
app.command("queue")(project.queue)
app.command("dashboard")(project.dashboard)
app.add_typer(project.limits_app, name="limits")
app.add_typer(project.keys_app, name="keys")
app.add_typer(secrets_app, name="secrets")
