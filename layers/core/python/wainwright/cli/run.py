"""``wainwright run``: pack, upload, submit and follow."""

from pathlib import Path
from typing import Annotated

import typer

from wainwright.cli import options

KEEP = "on|off|retain-on-failure"


def run(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Directories with tests, or test files.")],
    base_url: options.BaseUrl = None,
    label: options.Label = None,
    timeout: options.JobTimeout = None,
    priority: options.Priority = 0,
    low_priority: options.LowPriority = False,
    retry: options.Tries = None,
    test_retries: options.TestRetries = None,
    parallelism: options.Parallelism = None,
    param: options.Params = None,
    output_schema: options.OutputSchema = None,
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
    user_agent: Annotated[str | None, typer.Option(help="The browser's user agent.")] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="'NAME: VALUE'", help="A header for requests to the job's own origin; several may be given."
        ),
    ] = None,
    wait_for: Annotated[
        int | None, typer.Option(metavar="MS", help="Milliseconds to wait after each navigation.")
    ] = None,
    block_ads: Annotated[bool, typer.Option("--block-ads", help="Block requests to known ad servers.")] = False,
    disable_images: Annotated[bool, typer.Option("--disable-images", help="Load no images.")] = False,
    reduced_motion: Annotated[bool, typer.Option("--reduced-motion", help="Ask pages for less motion.")] = False,
    trace: Annotated[str | None, typer.Option(metavar=KEEP, help="Traces of tests to keep; on if not given.")] = None,
    screenshot: Annotated[
        str | None, typer.Option(metavar=KEEP, help="Screenshots of tests to keep; on if not given.")
    ] = None,
    video: Annotated[str | None, typer.Option(metavar=KEEP, help="Videos of tests to keep; off if not given.")] = None,
    secrets: options.SecretsFile = None,
    as_json: options.FinalRecord = False,
    report: options.Report = None,
    junit: options.Junit = None,
    no_wait: options.NoWait = False,
    wait_timeout: options.WaitTimeout = None,
) -> int:
    """Run tests as a job, show them as they end, and exit by their outcome."""
    from wainwright.cli import requests
    from wainwright.cli.watch import WatchOptions, run_tests
    from wainwright.contracts.http.jobs import CreateJob
    from wainwright.domain.job_config import JobConfig

    watch = WatchOptions(as_json, report, junit, not no_wait, wait_timeout)
    with requests.faults_by_option():
        config = {
            "timeout": timeout, "viewport": requests.parse_viewport(viewport), "locale": locale, "timezone": timezone,
            "user_agent": user_agent, "extra_headers": requests.parse_headers(header), "wait_for": wait_for,
            "block_ads": block_ads or None, "disable_images": disable_images or None,
            "reduced_motion": reduced_motion or None, "browser": tuple(browser or ()) or None, "trace": trace,
            "screenshot": screenshot, "video": video, "test_retries": test_retries,
        }  # fmt: skip
        job = CreateJob(
            bundle_id=requests.UNKNOWN_BUNDLE, url=base_url, label=label, priority=priority, low_priority=low_priority,
            retry=requests.retry_policy(retry), params=requests.parameters(param), parallelism=parallelism,
            depends_on=tuple(depends_on or ()), output_schema=requests.json_file(output_schema, "--output-schema"),
            config=JobConfig.model_validate(config),
        )  # fmt: skip
    return run_tests(paths, job, watch, secrets)
