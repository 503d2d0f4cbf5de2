"""Following a job from its submission to its results."""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich.console import Console

from wainwright.cli.connect import System, connect
from wainwright.cli.costs import settled
from wainwright.cli.downloads import download, download_file, hint
from wainwright.cli.errors import ExitCode, UsageProblem
from wainwright.cli.progress import Seen, view
from wainwright.cli.results import exit_code, show_results, traces_of
from wainwright.cli.secrets_file import refuse_packed, secrets_file
from wainwright.cli.terminal import console, count, note, print_json
from wainwright.client import Client, ClientError, UnexpectedAnswer, WaitTimeout, pack
from wainwright.client.endpoint import is_loopback
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.job_records import JobRecord
from wainwright.contracts.report_files import JUNIT

CANCEL_SECONDS = 15.0
"""Seconds that a job of a system that is about to go has to end after it was canceled."""


@dataclass(frozen=True)
class WatchOptions:
    """Options of following a job. ``wait_timeout`` is for how many seconds the command waits at most.

    Raises:
        UsageProblem: they do not go together.
    """

    as_json: bool = False
    report: Path | None = None
    junit: Path | None = None
    wait: bool = True
    wait_timeout: float | None = None

    def __post_init__(self) -> None:
        if not self.wait and (self.report or self.junit or self.wait_timeout is not None):
            raise UsageProblem(
                "--no-wait exits before there are results: leave out --report, --junit and --wait-timeout"
            )


def run_tests(paths: Sequence[Path], job: CreateJob, watch: WatchOptions, secrets: Path | None = None) -> int:
    """Run tests as a job, whose bundle they become; return the exit code. ``secrets``: a file of them.

    Raises:
        BundleError: the paths cannot be run.
        ClientError: the system refused, failed or could not be reached.
    """
    out = console(stderr=watch.as_json)
    with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
        bundle = pack(paths, Path(directory, "bundle.tar.gz"))
        refuse_packed(secrets_file(secrets), bundle)
        with connect(start=watch.wait, secrets=secrets) as system:
            warn_of_unreachable_site(job.url, system)
            bundle_id = system.client.upload_bundle(bundle)
            created = system.client.create_job(job.model_copy(update={"bundle_id": bundle_id}))
            size = f"{count(len(bundle.names), 'file')}, {count(bundle.size, 'byte')}"
            out.print(f"job {created.job_id}: {size}", style="dim", soft_wrap=True)
            return follow(system, created.job_id, watch, out)


def follow(system: System, job_id: str, options: WatchOptions, out: Console) -> int:
    """Show the job until it has ended, or print its id and leave; return the exit code.

    Raises:
        ClientError: the job got out of sight.
    """
    if options.wait:
        return _watch(system, job_id, options, out)
    if options.as_json:
        print_json(system.client.get_job(job_id))
    else:
        sys.stdout.write(f"{job_id}\n")
    return ExitCode.PASSED


def warn_of_unreachable_site(base_url: str | None, system: System) -> None:
    """Warn if the site is on this machine and the tests are not."""
    site = httpx.URL(base_url or "").host
    if site and is_loopback(site) and not is_loopback(httpx.URL(system.client.endpoint).host):
        note(f"warning: the tests run elsewhere, where {base_url} is not this machine")


def _watch(system: System, job_id: str, options: WatchOptions, out: Console) -> int:
    client = system.client
    seen = Seen()
    limit = options.wait_timeout
    began = time.monotonic()
    try:
        _show_events(client, job_id, seen, limit, out)
        left = None if limit is None else max(0.0, limit - (time.monotonic() - began))
        job = client.wait_for(job_id, wait_timeout=left)
    except KeyboardInterrupt:
        _abandon(system, job_id)
        return ExitCode.INTERRUPTED
    except WaitTimeout:
        note(f"error: job {job_id} has not ended within {limit:g} s.")
        _abandon(system, job_id)
        return ExitCode.TIMED_OUT
    except ClientError:
        if not system.own:
            note(f"The connection is lost; the job continues: `wainwright jobs get {job_id}`.")
        raise
    traces = traces_of(system, job, seen)
    job = settled(client, job)
    show_results(out, job, seen, traces)
    _fetch_report(client, job, options)
    if options.as_json:
        print_json(job)
    return exit_code(job)


def _show_events(client: Client, job_id: str, seen: Seen, limit: float | None, out: Console) -> None:
    try:
        with view(out) as show:
            for update in client.events(job_id, wait_timeout=limit):
                if seen.add(update):
                    show(update, seen)
    except UnexpectedAnswer as error:
        note(f"warning: the live events cannot be read; waiting for the job to end ({error.message})")


def _abandon(system: System, job_id: str) -> None:
    """Leave before the job has ended. A system that goes with the command takes the job along."""
    if not system.own:
        note(
            f"The job continues. Show it: `wainwright jobs get {job_id}`. Cancel it: `wainwright jobs cancel {job_id}`."
        )
        return
    note("Canceling the job, because its system ends with this command.")
    try:
        system.client.cancel_job(job_id)
        system.client.wait_for(job_id, wait_timeout=CANCEL_SECONDS)
    except ClientError as error:
        note(f"The job could not be canceled in time ({error.message}); the next local system will cancel it.")


def _fetch_report(client: Client, job: JobRecord, options: WatchOptions) -> None:
    if (options.report or options.junit) and not job.report.ready:
        note("warning: the job has no report")
        return
    if options.report:
        found = download(client, job.id, options.report)
        found.print_missing()
        note(f"The report's {count(found.files, 'file')} are in {options.report}. {hint(options.report)}")
    if options.junit:
        download_file(client, job.id, JUNIT, options.junit)
        note(f"JUnit XML is in {options.junit}.")
