"""Downloads of reports: all files below a directory, or one zip."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path

from wainwright.cli.errors import PlatformProblem, one_line
from wainwright.cli.terminal import count, note
from wainwright.client import ApiError, Client
from wainwright.contracts.report_files import MANIFEST, REPORT_ZIP, write_zip

PARALLEL = 8
"""Files that are downloaded at a time."""

NAMED = 20
"""Missing files that are named."""


@dataclass(frozen=True)
class Downloaded:
    """Number of files of a report that were written, and those that could not be had: (path, why)."""

    files: int
    missing: tuple[tuple[str, str], ...] = ()

    def print_missing(self) -> None:
        """Print the missing files on standard error, one a line."""
        if not self.missing:
            return
        note(f"error: {count(len(self.missing), 'file')} of the report could not be downloaded:")
        for path, why in self.missing[:NAMED]:
            note(f"  {one_line(f'{path}: {why}')}")
        if len(self.missing) > NAMED:
            note(f"  and {len(self.missing) - NAMED:,} more")


def download(client: Client, job_id: str, directory: Path) -> Downloaded:
    """Write all files of the report below ``directory`` that can be had.

    Raises:
        PlatformProblem: the directory cannot be written.
        ClientError: the report is not there, or the system refuses or cannot be reached.
    """
    paths = [*(file.path for file in client.manifest(job_id).files), MANIFEST]

    def fetch(path: str) -> str | None:
        """Download one file; return why it is missing."""
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
    """Write one file of the report. Raises PlatformProblem if it cannot be written."""
    try:
        client.report_file(job_id, path, target)
    except OSError as error:
        raise PlatformProblem(f"{target} cannot be written: {error.strerror}") from error


def hint(directory: Path) -> str:
    """Return the command that shows a downloaded report: its trace viewer needs a server, not a file:// address."""
    return f"Open it with `python3 -m http.server --bind 127.0.0.1 --directory {directory}`."
