"""``wainwright report``: open a job's report in a browser, or take it home."""

import re
import signal
import sys
import tempfile
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from wainwright.cli.connect import connect
from wainwright.cli.failing import viewer_address
from wainwright.cli.failures import ExitCode, PlatformProblem, UsageProblem, one_line
from wainwright.cli.terminal import count, note
from wainwright.client import ApiError, Client
from wainwright.contracts.report_files import INDEX, MANIFEST, REPORT_ZIP, write_zip
from wainwright.domain.states import AT_REST

TRACE_PATH = re.compile(r"data/[A-Za-z0-9._-]+")

PARALLEL = 8
"""Files that are downloaded at a time."""

NAMED = 20
"""Missing files that are named."""


@dataclass(frozen=True)
class Downloaded:
    """How many files of a report were written, and which could not be had: (path, why)."""

    files: int
    missing: tuple[tuple[str, str], ...] = ()

    def tell_missing(self) -> None:
        """Name what is missing, each file on a line of standard error."""
        if not self.missing:
            return
        note(f"error: {count(len(self.missing), 'file')} of the report could not be had:")
        for path, why in self.missing[:NAMED]:
            note(f"  {one_line(f'{path}: {why}')}")
        if len(self.missing) > NAMED:
            note(f"  and {len(self.missing) - NAMED:,} more")


def open_report(job_id: str, trace: str | None = None) -> int:
    """Open the report, or one trace of it by its path there, in the browser that the system calls its own, and print its
    address.
    """
    if trace is not None and not TRACE_PATH.fullmatch(trace):
        raise UsageProblem(f"--trace takes the path of a trace in the report, such as data/…-trace.zip, not {trace!r}")
    with connect(looking_back=True) as system, system.client() as client:
        _check_ready(client, job_id)
        ticket = client.ticket(job_id)
        address = ticket.report_url
        if trace is not None:
            address = viewer_address(address.removesuffix(INDEX), trace)
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        if not webbrowser.open(address):
            note("No browser could be opened: open the address above yourself.")
        if system.own:
            note("The report is served until you press Ctrl-C.")
            try:
                signal.pause()
            except KeyboardInterrupt:
                note("Stopped.")
    return ExitCode.PASSED


def download_report(job_id: str, directory: Path | None, packed: Path | None = None) -> int:
    """Write all files of the report into a directory, or into a zip."""
    if directory is not None and packed is not None:
        raise UsageProblem("a report goes into a directory or into a zip: leave out DIR or --zip")
    target = directory or Path(f"report-{job_id}")
    with connect(looking_back=True) as system, system.client() as client:
        _check_ready(client, job_id)
        found = download_zip(client, job_id, packed) if packed else download(client, job_id, target)
    sys.stdout.write(f"{count(found.files, 'file')} in {packed or target}\n")
    found.tell_missing()
    if not packed:
        note(hint(target))
    return ExitCode.PLATFORM if found.missing else ExitCode.PASSED


def _check_ready(client: Client, job_id: str) -> None:
    job = client.get_job(job_id)
    if not job.report.ready:
        state = "and left none" if job.status in AT_REST else "and writes it at its end"
        raise UsageProblem(f"there is no report: the job is {job.status} {state}")


def download(client: Client, job_id: str, directory: Path) -> Downloaded:
    """Write all files of the report below ``directory`` that can be had.

    Raises:
        PlatformProblem: the directory cannot be written.
        ClientError: the report is not there, or the system refuses or cannot be reached.
    """
    paths = [*(file.path for file in client.manifest(job_id).files), MANIFEST]

    def fetch(path: str) -> str | None:
        """Why the file is missing."""
        try:
            download_file(client, job_id, path, directory / path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return error.message
        return None

    unique = sorted(set(paths))
    with ThreadPoolExecutor(PARALLEL) as pool:
        missing = tuple(
            (path, why) for path, why in zip(unique, pool.map(fetch, unique), strict=True) if why is not None
        )
    return Downloaded(len(unique) - len(missing), missing)


def download_zip(client: Client, job_id: str, target: Path) -> Downloaded:
    """Write what can be had of the report as one zip, which says what is missing; the zip is whole, or not there.

    Raises:
        PlatformProblem: the zip cannot be written.
        ClientError: as :func:`download`.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the target: a zip may be larger than what the system's place for temporary files takes.
        with tempfile.TemporaryDirectory(prefix=".wainwright-", dir=target.parent) as directory:
            folder = Path(directory, "report")
            found = download(client, job_id, folder)
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            packed = Path(directory, REPORT_ZIP)
            write_zip(
                packed,
                job_id,
                [(path.relative_to(folder).as_posix(), path) for path in files],
                datetime.now().astimezone(),
                [path for path, _ in found.missing],
            )
            packed.replace(target)
    except OSError as error:
        raise PlatformProblem(f"{target} cannot be written: {error.strerror}") from error
    return found


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
