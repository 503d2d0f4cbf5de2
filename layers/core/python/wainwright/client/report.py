"""The files of a report, as its manifest lists them."""

from pathlib import PurePosixPath

from wainwright.client.errors import UnexpectedAnswer
from wainwright.contracts.report_files import MANIFEST, Manifest, parse_manifest


def read_manifest(text: bytes) -> Manifest:
    """Return the manifest, with every path in it checked.

    Raises:
        UnexpectedAnswer: it is no manifest, or names a file outside the report.
    """
    try:
        manifest = parse_manifest(text)
    except ValueError as error:
        raise UnexpectedAnswer(
            f"the report's {MANIFEST} is not readable: {error}",
            advice="The report may come from a newer Wainwright: update this one.",
        ) from error
    for file in manifest.files:
        check_path(file.path)
    return manifest


def check_path(path: str) -> str:
    """Return the path, if it stays within the report: relative, POSIX, without ``..``. Raises UnexpectedAnswer if it does not."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path or ":" in parts[0]:
        raise UnexpectedAnswer(f"the report names a file outside itself: {path!r}")
    return path
