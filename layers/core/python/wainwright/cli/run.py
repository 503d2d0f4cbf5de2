"""``wainwright run``: pack, upload, submit, watch, and say how it went."""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from pydantic import ValidationError

from wainwright.cli.connect import System, connect
from wainwright.cli.failures import ExitCode, UsageProblem
from wainwright.cli.progress import Seen, view
from wainwright.cli.report import download, download_file, hint
from wainwright.cli.results import exit_code, show_results
from wainwright.cli.terminal import console, count, note
from wainwright.client import Bundle, Client, ClientError, WaitTimeout, pack
from wainwright.client.endpoint import is_loopback
from wainwright.client.report import JUNIT
from wainwright.contracts.http import CreateJob, JobConfig, JobRecord

if TYPE_CHECKING:
    from rich.console import Console

CANCEL_SECONDS = 15.0
"""How long a job of a system that is about to go has to end after it was canceled."""


@dataclass(frozen=True)
class RunOptions:
    """What ``run`` was told. ``timeout`` is the job's, in milliseconds; ``wait_timeout`` the command's, in seconds."""

    paths: Sequence[Path]
    base_url: str | None = None
    label: str | None = None
    timeout: int | None = None
    as_json: bool = False
    report: Path | None = None
    junit: Path | None = None
    wait: bool = True
    wait_timeout: float | None = None


def run_tests(options: RunOptions) -> int:
    """Run the tests as a job; return the exit code.

    Raises:
        UsageProblem, BundleError: what was given cannot be run.
        ClientError: the system refused, failed or could not be reached.
    """
    job = _checked(options)
    out = console(stderr=options.as_json)
    with tempfile.TemporaryDirectory(prefix="wainwright-") as directory:
        bundle = pack(options.paths, Path(directory, "bundle.tar.gz"))
        with connect(start=options.wait) as system, system.client() as client:
            _warn_of_unreachable_site(options, system)
            job_id = _submit(client, job, bundle, out)
            if not options.wait:
                return _leave(client, job_id, options)
            return _watch(client, job_id, options, out, own=system.own)


def _checked(options: RunOptions) -> CreateJob:
    """The request but for its bundle, so that what is wrong with it is said before anything is packed or started."""
    if not options.wait and (options.report or options.junit or options.wait_timeout is not None):
        raise UsageProblem("--no-wait leaves before there are results: leave out --report, --junit and --wait-timeout")
    try:
        return CreateJob(
            bundle_id="0" * 64, url=options.base_url, label=options.label, config=JobConfig(timeout=options.timeout)
        )
    except ValidationError as error:
        first = error.errors()[0]
        option = {"url": "--base-url", "label": "--label", "timeout": "--timeout"}[str(first["loc"][-1])]
        raise UsageProblem(f"{option}: {first['msg']}", advice="See `wainwright run --help`.") from error


def _warn_of_unreachable_site(options: RunOptions, system: System) -> None:
    site = httpx.URL(options.base_url or "").host
    if site and is_loopback(site) and not is_loopback(httpx.URL(system.endpoint).host):
        note(f"warning: the tests run elsewhere, where {options.base_url} is not this machine")


def _submit(client: Client, job: CreateJob, bundle: Bundle, out: "Console") -> str:
    bundle_id = client.upload_bundle(bundle)
    created = client.create_job(job.model_copy(update={"bundle_id": bundle_id}))
    size = f"{count(len(bundle.names), 'file')}, {count(bundle.size, 'byte')}"
    out.print(f"job {created.job_id}: {size}", style="dim", soft_wrap=True)
    return created.job_id


def _leave(client: Client, job_id: str, options: RunOptions) -> int:
    if options.as_json:
        print_record(client.get_job(job_id))
    else:
        sys.stdout.write(f"{job_id}\n")
    return ExitCode.PASSED


def _watch(client: Client, job_id: str, options: RunOptions, out: "Console", *, own: bool) -> int:
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
    show_results(out, job, seen)
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


def _fetch_report(client: Client, job: JobRecord, options: RunOptions) -> None:
    if (options.report or options.junit) and not job.report.ready:
        note("warning: the job left no report")
        return
    if options.report:
        files = download(client, job.id, options.report)
        note(f"The report's {count(files, 'file')} are in {options.report}. {hint(options.report)}")
    if options.junit:
        download_file(client, job.id, JUNIT, options.junit)
        note(f"JUnit XML is in {options.junit}.")


def print_record(job: JobRecord) -> None:
    """The job's record as JSON, alone on standard output."""
    sys.stdout.write(job.model_dump_json(by_alias=True, indent=2) + "\n")
