"""The form of a report: its manifest, and the zip of all its files."""

import shutil
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from wainwright.domain.record import Record

MANIFEST = "manifest.json"
INDEX = "index.html"
JUNIT = "junit.xml"
REPORT_ZIP = "report.zip"
"""Not in the manifest: it is made on request, of all files that the manifest lists."""

README = "README.txt"
"""Instructions, only in the zip."""

COPY_BYTES = 1_048_576
LEVEL = 1
"""Level of compression: the caller waits, and large files of a report are compressed already."""

_COMPRESSED = (".zip", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".webm", ".mp4", ".gz", ".woff", ".woff2", ".pdf")


class ReportFile(Record):
    """One file: its path within the report, and its size in bytes."""

    path: str
    size: int
    content_type: str


class Manifest(Record):
    """All files of a report."""

    version: int
    files: list[ReportFile]


def parse_manifest(text: bytes) -> Manifest:
    """Parse a manifest, without a check of its paths; raise ValueError with the reason if it is none."""
    try:
        return Manifest.model_validate_json(text, extra="ignore")
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from error


def write_zip(
    target: Path, job_id: str, files: Iterable[tuple[str, Path]], written_at: datetime, missing: Sequence[str] = ()
) -> None:
    """Write the zip of a job's report: all files and instructions in one folder. Raises OSError.

    ``files`` are (path in the report, path on this machine); ``missing`` are paths of files that could not be read.
    """
    folder = f"report-{job_id}"
    time = written_at.timetuple()[:6]
    with zipfile.ZipFile(target, "w", compresslevel=LEVEL) as archive:
        for path, content in files:
            entry = zipfile.ZipInfo(f"{folder}/{path}", time)
            packed = path.lower().endswith(_COMPRESSED)
            entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            entry.file_size = content.stat().st_size
            with content.open("rb") as source, archive.open(entry, "w") as sink:
                shutil.copyfileobj(source, sink, COPY_BYTES)
        entry = zipfile.ZipInfo(f"{folder}/{README}", time)
        entry.external_attr = 0o100644 << 16
        archive.writestr(entry, _readme(job_id, missing), zipfile.ZIP_DEFLATED)


def _readme(job_id: str, missing: Sequence[str]) -> str:
    text = f"""\
The report of job {job_id}.

Open {INDEX} in a browser. Its traces open only over HTTP, because browsers do not let the trace viewer read files:
run this in the folder that this file is in, and open http://127.0.0.1:8000/ then.

    python3 -m http.server --bind 127.0.0.1 8000
"""
    if missing:
        text += "\nThese files of the report could not be read when this zip was packed:\n\n"
        text += "".join(f"    {path}\n" for path in missing)
    return text
