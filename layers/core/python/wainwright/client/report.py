"""The files of a report, as its manifest lists them."""

from pathlib import PurePosixPath

from pydantic import ValidationError

from wainwright.client.errors import UnexpectedAnswer
from wainwright.domain.model import Record

MANIFEST = "manifest.json"
INDEX = "index.html"
JUNIT = "junit.xml"


class ReportFile(Record):
    """One file: its path within the report, and its size in bytes."""

    path: str
    size: int
    content_type: str


class Manifest(Record):
    """All files of a report."""

    version: int
    files: list[ReportFile]


def read_manifest(text: bytes) -> Manifest:
    """The manifest, with every path in it checked.

    Raises:
        UnexpectedAnswer: it is none, or names a file outside the report.
    """
    try:
        manifest = Manifest.model_validate_json(text, extra="ignore")
    except ValidationError as error:
        raise UnexpectedAnswer(
            f"the report's {MANIFEST} is not readable: {error.errors()[0]['msg']}",
            advice="The report may come from a newer Wainwright: update this one.",
        ) from error
    for file in manifest.files:
        check_path(file.path)
    return manifest


def check_path(path: str) -> str:
    """The path, if it stays within the report: relative, POSIX, without ``..``.

    Raises:
        UnexpectedAnswer: it does not.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path or ":" in parts[0]:
        raise UnexpectedAnswer(f"the report names a file outside itself: {path!r}")
    return path
