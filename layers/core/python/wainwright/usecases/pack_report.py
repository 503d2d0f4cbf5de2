"""The zip of a report: made when it is first asked for, and kept beside the report for whoever asks next."""

import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from wainwright.contracts.names import TRACE_VIEWER, report_key, viewer_key
from wainwright.contracts.report_files import MANIFEST, REPORT_ZIP, ReportFile, parse_manifest, write_zip
from wainwright.domain.errors import TooLarge, Unavailable
from wainwright.domain.jobs import Job
from wainwright.domain.reports import ReportRef
from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.ports.clock import Clock
from wainwright.ports.spool import Spool

MAX_ZIP_BYTES = 200 * 1_000_000
"""Of all files together. The function has 512 MB of disk, on which they and the zip lie at the same time."""

MAX_FETCH_TIME = timedelta(seconds=15)
"""The HTTP API waits 29 s for its function, and the zip has to be packed and uploaded in what is left of them."""

PARALLEL = 8
"""Files that are fetched at a time: most are small, and the time is spent waiting for the first byte."""

CONTENT_TYPE = "application/zip"


def file_key(job: Job, report: ReportRef, path: str) -> str:
    """Return the key of a file, by its path in the job's report."""
    if path.startswith(TRACE_VIEWER):
        return viewer_key(report.viewer, path.removeprefix(TRACE_VIEWER))
    return report_key(job.project, job.id, fence=report.fence, path=path, days=job.report_days)


def zip_key(job: Job, report: ReportRef) -> str:
    """Return the key of the zip. Without some files it is another one: once they are there, it is made again."""
    folder = f"without-{report.missing_count}/" if report.missing_count else ""
    return file_key(job, report, f"{folder}{REPORT_ZIP}")


@dataclass(frozen=True)
class PackReport:
    """Makes zips of reports. ``max_bytes`` bounds all files together."""

    artifacts: Artifacts
    spool: Spool
    clock: Clock
    max_bytes: int = MAX_ZIP_BYTES

    def __call__(self, job: Job, report: ReportRef, manifest: bytes) -> None:
        """Make the zip of what the manifest lists, and put it where :func:`zip_key` says.

        Raises:
            TooLarge: it would be larger, or take longer, than a request may.
            Unavailable: the bucket did not take it.
        """
        files = _listed(job, manifest)
        if sum(file.size for file in files) > self.max_bytes:
            raise too_large(job, f"has more than the {self.max_bytes:,} bytes of")
        with tempfile.TemporaryDirectory(prefix="wainwright-zip-") as folder:
            here = Path(folder)
            found, missing = self._fetch(job, report, [file.path for file in files], here)
            packed = here / REPORT_ZIP
            write_zip(packed, job.id, _gone_after(found), self.clock(), missing)
            self.artifacts.put_file(zip_key(job, report), packed, CONTENT_TYPE)

    def _fetch(
        self, job: Job, report: ReportRef, paths: list[str], folder: Path
    ) -> tuple[list[tuple[str, Path]], list[str]]:
        """Return the files with their places on disk, and the paths of those that cannot be had."""
        until = self.clock() + MAX_FETCH_TIME
        size = 0

        def fetch(number: int, path: str) -> tuple[str, Path] | None:
            if self.clock() >= until:
                raise too_large(job, f"takes longer than the {MAX_FETCH_TIME.seconds} s of")
            target = folder / str(number)
            return (path, target) if self._get(file_key(job, report, path), target) else None

        found = []
        missing = []
        with ThreadPoolExecutor(PARALLEL) as pool:
            for path, file in zip(paths, pool.map(fetch, range(len(paths)), paths), strict=True):
                if file is None:
                    missing.append(path)
                    continue
                found.append(file)
                size += file[1].stat().st_size
                if size > self.max_bytes:  # the manifest did not say so
                    raise too_large(job, f"has more than the {self.max_bytes:,} bytes of")
        return found, missing

    def _get(self, key: str, target: Path) -> bool:
        if self.spool.has(key):
            try:
                target.write_bytes(self.spool.get(key, most=self.max_bytes)[0])
            except ArtifactMissing:
                pass  # it went up just now
            else:
                return True
        try:
            self.artifacts.download(key, target)
        except ArtifactMissing:
            return False
        return True


def too_large(job: Job, how: str) -> TooLarge:
    """Return the refusal to make a zip of this report, with what to do."""
    return TooLarge(
        f"the report {how} what one request packs into a zip",
        advice=f"`wainwright report download {job.id} --zip FILE` makes the same zip on your machine.",
    )


def _listed(job: Job, manifest: bytes) -> list[ReportFile]:
    try:
        files = {file.path: file for file in parse_manifest(manifest).files}
    except ValueError as error:
        raise Unavailable(
            f"the report of job {job.id} cannot be packed: its {MANIFEST} is not readable: {error}",
            advice="POST /v1/jobs/{jobId}/retry writes the report again; tests that have passed do not run again.",
        ) from error
    files[MANIFEST] = ReportFile(path=MANIFEST, size=len(manifest), content_type="application/json")
    return [file for _, file in sorted(files.items())]


def _gone_after(files: Iterable[tuple[str, Path]]) -> Iterable[tuple[str, Path]]:
    """Each file, which is deleted before the next one comes: the disk has to hold the zip too."""
    for path, file in files:
        yield path, file
        file.unlink()
