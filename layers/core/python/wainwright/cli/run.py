"""``wainwright run``: pack, upload, submit, watch, and say how it went."""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from wainwright.cli.connect import System, connect
from wainwright.cli.costs import settled
from wainwright.cli.failing import traces_of
from wainwright.cli.failures import ExitCode, UsageProblem
from wainwright.cli.progress import Seen, view
from wainwright.cli.report import download, download_file, hint
from wainwright.cli.request import JobOptions, job_of
from wainwright.cli.results import exit_code, show_results
from wainwright.cli.secrets_file import refuse_packed, secrets_file
from wainwright.cli.terminal import console, count, note
from wainwright.client import Bundle, Client, ClientError, WaitTimeout, pack
from wainwright.client.endpoint import is_loopback
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.job_records import JobRecord
from wainwright.contracts.report_files import JUNIT

if TYPE_CHECKING:
    from rich.console import Console

CANCEL_SECONDS = 15.0
"""How long a job of a system that is about to go has to end after it was canceled."""


@dataclass(frozen=True)
class WatchOptions:
    """How a job is followed. ``wait_timeout`` is what the command waits at most, in seconds."""

    as_json: bool = False
    report: Path | None = None
    junit: Path | None = None
    wait: bool = True
    wait_timeout: float | None = None

    def check(self) -> None:
        """See that they go together.

        Raises:
            UsageProblem: they do not.
        """
        if not self.wait and (self.report or self.junit or self.wait_timeout is not None):
            raise UsageProblem(
                "--no-wait leaves before there are results: leave out --report, --junit and --wait-timeout"
            )


@dataclass(frozen=True)
class RunOptions:
    """What ``run`` was told."""

    paths: Sequence[Path]
    job: JobOptions = field(default_factory=JobOptions)
    watch: WatchOptions = field(default_factory=WatchOptions)
    secrets: Path | None = None


def run_tests(options: RunOptions) -> int:
    """Run the tests as a job; return the exit code.

    Raises:
        UsageProblem, BundleError: what was given cannot be run.
        ClientError: the system refused, failed or could not be reached.
    """
    options.watch.check()
    job = job_of(options.job)
    out = console(stderr=options.watch.as_json)
    with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
        bundle = pack(options.paths, Path(directory, "bundle.tar.gz"))
        refuse_packed(secrets_file(options.secrets), bundle)
        with connect(start=options.watch.wait, secrets=options.secrets) as system, system.client() as client:
            warn_of_unreachable_site(options.job.base_url, system)
            job_id = _submit(client, job, bundle, out)
            return follow(client, job_id, options.watch, out, own=system.own)


def follow(client: Client, job_id: str, options: WatchOptions, out: "Console", *, own: bool) -> int:
    """Show the job until it has ended, or print its id and leave; return the exit code. ``own``: its system goes with us.

    Raises:
        ClientError: the job got out of sight.
    """
    return _watch(client, job_id, options, out, own=own) if options.wait else _leave(client, job_id, options)


def warn_of_unreachable_site(base_url: str | None, system: System) -> None:
    """Say so if the site is on this machine and the tests are not."""
    site = httpx.URL(base_url or "").host
    if site and is_loopback(site) and not is_loopback(httpx.URL(system.endpoint).host):
        note(f"warning: the tests run elsewhere, where {base_url} is not this machine")


def _submit(client: Client, job: CreateJob, bundle: Bundle, out: "Console") -> str:
    bundle_id = client.upload_bundle(bundle)
    created = client.create_job(job.model_copy(update={"bundle_id": bundle_id}))
    size = f"{count(len(bundle.names), 'file')}, {count(bundle.size, 'byte')}"
    out.print(f"job {created.job_id}: {size}", style="dim", soft_wrap=True)
    return created.job_id


def _leave(client: Client, job_id: str, options: WatchOptions) -> int:
    if options.as_json:
        print_record(client.get_job(job_id))
    else:
        sys.stdout.write(f"{job_id}\n")
    return ExitCode.PASSED


def _watch(client: Client, job_id: str, options: WatchOptions, out: "Console", *, own: bool) -> int:
    seen = Seen()
    limit = options.wait_timeout
    began = time.monotonic()
    try:
        with view(out) as shown:
            for update in client.events(job_id, wait_timeout=limit):
                if seen.add(update):
                    shown.show(update, seen)
        left = None if limit is None else max(0.0, limit - (time.monotonic() - began))
        job = client.wait_for(job_id, wait_timeout=left)
    except KeyboardInterrupt:
        _abandon(client, job_id, own=own)
        return ExitCode.INTERRUPTED
    except WaitTimeout:
        note(f"error: job {job_id} has not ended within {limit:g} s.")
        _abandon(client, job_id, own=own)
        return ExitCode.TIMED_OUT
    except ClientError as error:
        raise _lost_sight(error, job_id, own=own) from error
    traces = traces_of(client, job, seen, own=own)
    job = settled(client, job)
    show_results(out, job, seen, traces)
    _fetch_report(client, job, options)
    if options.as_json:
        print_record(job)
    return exit_code(job)


def _abandon(client: Client, job_id: str, *, own: bool) -> None:
    """The command leaves before the job has ended. A system that goes with it takes the job along."""
    if not own:
        note(f"The job goes on. Look: `wainwright jobs get {job_id}`. End it: `wainwright jobs cancel {job_id}`.")
        return
    note("Canceling the job, since its system goes away with this command.")
    try:
        client.cancel_job(job_id)
        client.wait_for(job_id, wait_timeout=CANCEL_SECONDS)
    except ClientError as error:
        note(f"The job could not be canceled in time ({error.message}); the next local system will deal with it.")


def _lost_sight(error: ClientError, job_id: str, *, own: bool) -> ClientError:
    if not own:
        note(f"Lost sight of the job, which goes on: `wainwright jobs get {job_id}`.")
    return error


def _fetch_report(client: Client, job: JobRecord, options: WatchOptions) -> None:
    if (options.report or options.junit) and not job.report.ready:
        note("warning: the job left no report")
        return
    if options.report:
        found = download(client, job.id, options.report)
        found.tell_missing()
        note(f"The report's {count(found.files, 'file')} are in {options.report}. {hint(options.report)}")
    if options.junit:
        download_file(client, job.id, JUNIT, options.junit)
        note(f"JUnit XML is in {options.junit}.")


def print_record(job: JobRecord) -> None:
    """The job's record as JSON, alone on standard output."""
    sys.stdout.write(job.model_dump_json(by_alias=True, indent=2) + "\n")
