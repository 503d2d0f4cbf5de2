"""Blobs of a job's runs in the bucket, left there by lanes and claims for the writer of the report."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wainwright.contracts.names import artifact_name, report_key
from wainwright.domain.errors import Unavailable
from wainwright.domain.jobs import Job
from wainwright.domain.redaction import Redactor
from wainwright.ports.artifacts import ArtifactMissing, Artifacts
from wainwright.worker.evidence.redact_files import redact_file
from wainwright.worker.evidence.report.blobs import NOT_A_BLOB, BlobUnusable, get_run, name_attempts, trim_blob
from wainwright.worker.runners.playwright_test.playwright_settings import BLOB
from wainwright.worker.runners.suite import TestResult

MAX_BLOB_BYTES = 64 * 1024 * 1024
"""Compressed, of one run: some 50 KB for a hundred tests."""

ELSEWHERE = "/wainwright-suite"
"""Stands in a blob in the bucket for the folder of the suite, which each worker has somewhere else."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeptBlobs:
    """The blobs of one job, without secrets and with recorded attempts alone.

    A run's blob lies under the run's name, which begins the names of its attempts' logs: the rows of the tests tell which
    blobs there should be. A blob that is not there costs the job its runner's own report, and no more.
    """

    artifacts: Artifacts
    job: Job
    redactor: Redactor

    def keep(self, blob: Path, suite: Path, results: Iterable[TestResult]) -> None:
        """Put the blob of a run into the bucket. ``suite`` is the folder in which the run had its bundle."""
        trimmed = blob.with_name(f"trimmed-{blob.name}")
        try:
            kept = trim_blob(blob, trimmed, name_attempts(results), (str(suite.resolve()), ELSEWHERE))
            runs = set(map(get_run, kept))
            if len(runs) != 1:
                return
            if withheld := redact_file(trimmed, "application/zip", self.redactor):
                raise BlobUnusable(withheld)
            if trimmed.stat().st_size > MAX_BLOB_BYTES:
                raise BlobUnusable(f"it has more than {MAX_BLOB_BYTES} bytes")
            self.artifacts.put_file(self._key(runs.pop()), trimmed, "application/zip")
        except (OSError, Unavailable, *NOT_A_BLOB) as error:
            log.warning("a blob was not kept", extra={"jobId": self.job.id, "reason": str(error)})
        finally:
            trimmed.unlink(missing_ok=True)

    def fetch(self, runs: Sequence[str], suite: Path, folder: Path) -> list[Path]:
        """Write the blobs of runs that there are into the folder, as if they were of runs in ``suite``."""
        fetched = []
        for run in runs:
            raw, blob = folder / f"{run}.kept", folder / f"{run}.zip"
            try:
                found = self.artifacts.size_and_age(self._key(run))
                if found is None or found[0] > MAX_BLOB_BYTES:
                    continue
                self.artifacts.download(self._key(run), raw)
                if trim_blob(raw, blob, None, (ELSEWHERE, str(suite.resolve()))):
                    fetched.append(blob)
            except (OSError, ArtifactMissing, Unavailable, *NOT_A_BLOB) as error:
                log.warning("no blob of a run", extra={"jobId": self.job.id, "reason": str(error)})
            finally:
                raw.unlink(missing_ok=True)
        return fetched

    def _key(self, run: str) -> str:
        path = artifact_name(f"run-{run}", 0, BLOB)
        return report_key(self.job.project, self.job.id, fence=self.job.fence, path=path, days=self.job.report_days)
