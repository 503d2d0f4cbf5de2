"""``wainwright report``: open a job's report in a browser, or take it home."""

import signal
import sys
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from wainwright.cli.connect import connect
from wainwright.cli.failures import ExitCode, PlatformProblem, UsageProblem
from wainwright.cli.terminal import count, note
from wainwright.client import Client
from wainwright.client.report import MANIFEST
from wainwright.domain.states import AT_REST

PARALLEL = 8
"""Files that are downloaded at a time."""


def open_report(job_id: str) -> int:
    """Open the report in the browser that the system calls its own, and print its address."""
    with connect(looking_back=True) as system, system.client() as client:
        _check_ready(client, job_id)
        ticket = client.ticket(job_id)
        sys.stdout.write(f"{ticket.report_url}\n")
        sys.stdout.flush()
        if not webbrowser.open(ticket.report_url):
            note("No browser could be opened: open the address above yourself.")
        if system.own:
            note("The report is served until you press Ctrl-C.")
            try:
                signal.pause()
            except KeyboardInterrupt:
                note("Stopped.")
    return ExitCode.PASSED


def download_report(job_id: str, directory: Path | None) -> int:
    """Write all files of the report into a directory."""
    target = directory or Path(f"report-{job_id}")
    with connect(looking_back=True) as system, system.client() as client:
        _check_ready(client, job_id)
        files = download(client, job_id, target)
    sys.stdout.write(f"{count(files, 'file')} in {target}\n")
    note(hint(target))
    return ExitCode.PASSED


def _check_ready(client: Client, job_id: str) -> None:
    job = client.get_job(job_id)
    if not job.report.ready:
        state = "and left none" if job.status in AT_REST else "and writes it at its end"
        raise UsageProblem(f"there is no report: the job is {job.status} {state}")


def download(client: Client, job_id: str, directory: Path) -> int:
    """Write all files of the report below ``directory``; return how many there are.

    Raises:
        PlatformProblem: the directory cannot be written.
        ClientError: the report is not there, or cannot be had.
    """
    paths = [*(file.path for file in client.manifest(job_id).files), MANIFEST]
    unique = sorted(set(paths))
    with ThreadPoolExecutor(PARALLEL) as pool:
        for _ in pool.map(lambda path: download_file(client, job_id, path, directory / path), unique):
            pass
    return len(unique)


def download_file(client: Client, job_id: str, path: str, target: Path) -> None:
    """Write one file of the report.

    Raises:
        PlatformProblem: it cannot be written.
    """
    try:
        client.report_file(job_id, path, target)
    except OSError as error:
        raise PlatformProblem(f"{target} cannot be written: {error.strerror}") from error


def hint(directory: Path) -> str:
    """How to look at a downloaded report. Its trace viewer needs a server: browsers refuse it file:// addresses."""
    return f"Look at it with `python3 -m http.server --bind 127.0.0.1 --directory {directory}`."
