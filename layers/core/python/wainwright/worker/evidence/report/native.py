"""Playwright Test's own HTML report of a job: written by its one run, else merged from the blobs of all its runs by the
suite's own Playwright Test.
"""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from wainwright.worker.evidence.redact_files import redact_file
from wainwright.worker.evidence.report.blobs import (
    NOT_A_BLOB,
    BlobUnusable,
    find_attempts,
    find_links,
    get_run,
    read_root,
    read_runs,
    trim_blob,
)
from wainwright.worker.evidence.report.kept_blobs import KeptBlobs
from wainwright.worker.evidence.report.report_model import Ending, ReportMeta
from wainwright.worker.evidence.report.run_page import NOT_A_PAGE, finish_page
from wainwright.worker.runners.detect_runner import detect_runner
from wainwright.worker.runners.node import (
    NodeMissing,
    PlaywrightTestMissing,
    find_node,
    find_playwright_test,
)
from wainwright.worker.runners.playwright_test.playwright_settings import BLOB, PAGE, write_helpers
from wainwright.worker.runners.suite import TestResult
from wainwright.worker.runners.supervised_run import POLL_SECONDS
from wainwright.worker.sandbox.environment import child_environment, private_folders
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, Isolation
from wainwright.worker.sandbox.process import CHILD_PATH, SuiteProcess
from wainwright.worker.sandbox.untrusted_files import UntrustedFiles

MERGE_SECONDS = 120.0
LINES_KEPT = 20
MAX_PAGE_BYTES = 256 * 1024 * 1024

_CONFIGURATION = """\
module.exports = {{
  testDir: {root},
  reporter: [[{links_reporter}, {{ links: {links} }}], ["html", {{ outputFolder: {output}, open: "never", title: {title} }}]],
}};
"""

log = logging.getLogger(__name__)


class OwnPage:
    """Makes the page from the blobs of one claim's runs in its folder, and of the job's others in the bucket. `isolation` is
    that of the suite's own Playwright Test, which is not ours.
    """

    def __init__(self, folder: Path, kept: KeptBlobs, isolation: Isolation = NOT_ISOLATED) -> None:
        self._folder = folder
        self._suite = folder / "bundle"
        self._kept = kept
        self._isolation = isolation

    def of(self, results: Sequence[TestResult], ending: Ending, meta: ReportMeta) -> bytes | None:
        """Return the page of a complete report, to which attachments and trace viewer belong as to our own page. None where
        something is missing, of which only our own page tells (then the blobs are kept for the next claim), or the merge fails.
        """
        if not ending.complete:
            self.keep(results)
            return None
        attempts = find_attempts(results)
        if not attempts or detect_runner(self._suite) == "pytest":
            return None
        if len(set(map(get_run, attempts))) == 1 and (page := self._of_the_run(attempts, results)):
            return page
        folder = self._folder / "native"
        merged = folder / "blobs"
        merged.mkdir(parents=True)
        try:
            node, runner = find_node(), find_playwright_test(self._suite)
            blobs = self._take()
            runs = {get_run(name) for name in attempts}.difference(*map(read_runs, blobs))
            blobs += self._kept.fetch(sorted(runs), self._suite, folder)
            if not blobs or not self._covers(blobs, merged, attempts):
                return None
            configuration = _configuration(folder, read_root(blobs[0]), results, meta.title)
        except (NodeMissing, PlaywrightTestMissing, *NOT_A_BLOB) as error:
            log.warning("no report of Playwright Test's own", extra={"reason": str(error)})
            return None
        return self._run(
            [str(node), str(runner.cli), "merge-reports", "--config", str(configuration), str(merged)], folder
        )

    def keep(self, results: Sequence[TestResult]) -> None:
        """Put the blobs into the bucket, as far as their attempts were recorded."""
        for blob in self._take():
            self._kept.keep(blob, self._suite, results)

    def _of_the_run(self, attempts: Mapping[str, str], results: Sequence[TestResult]) -> bytes | None:
        """Return the page that the run has written, if it has and all is in it."""
        output = self._folder / "output"
        taken = UntrustedFiles(output).take(output / PAGE)
        if taken is None or taken[1] > MAX_PAGE_BYTES:
            return None
        try:
            return finish_page(taken[0].read_bytes(), attempts, find_links(results), self._kept.redactor)
        except NOT_A_PAGE as error:
            log.info("the run's own page is not used", extra={"reason": str(error)})
            return None

    def _take(self) -> list[Path]:
        found = sorted([*self._folder.glob(f"output/{BLOB}"), *self._folder.glob(f"*/output/{BLOB}")])
        runs = [each.parent for each in found if each.parents[1] != self._suite]
        return [taken[0] for output in runs if (taken := UntrustedFiles(output).take(output / BLOB)) is not None]

    def _covers(self, blobs: Sequence[Path], merged: Path, attempts: Mapping[str, str]) -> bool:
        """Write the blobs with recorded attempts alone, without secrets; True if all are in them. Raises BlobUnusable."""
        covered: set[str] = set()
        for number, blob in enumerate(blobs):
            trimmed = merged / f"{number:05d}.zip"
            covered |= trim_blob(blob, trimmed, attempts)
            if trimmed.exists() and (withheld := redact_file(trimmed, "application/zip", self._kept.redactor)):
                raise BlobUnusable(f"{blob.name}: {withheld}")
        if covered != attempts.keys():
            log.info("the blobs do not cover the results", extra={"results": len(attempts), "covered": len(covered)})
        return covered == attempts.keys()

    def _run(self, command: list[str], folder: Path) -> bytes | None:
        output = folder / "html"
        output.mkdir()
        self._isolation.lend_tree(folder)
        printed: deque[str] = deque(maxlen=LINES_KEPT)
        until = time.monotonic() + MERGE_SECONDS
        with private_folders(output, self._isolation) as place:
            environment = {"CI": "1", "PLAYWRIGHT_HTML_OPEN": "never", **child_environment({}, place, CHILD_PATH)}
            folders = (folder, *place.own)
            with SuiteProcess(
                command, folder, environment, isolation=self._isolation, folders=folders, own=place.own
            ) as process:
                while process.running:
                    printed += (line.decode("utf-8", "replace") for _, line in process.read(POLL_SECONDS))
                    if time.monotonic() > until:
                        process.kill()
                status = process.exit_status()
        taken = UntrustedFiles(output).take(output / "index.html")
        if status.exit_code != 0 or taken is None or taken[1] > MAX_PAGE_BYTES:
            log.warning("the blobs could not be merged", extra={"code": status.exit_code, "said": "\n".join(printed)})
            return None
        return taken[0].read_bytes()


def _configuration(folder: Path, root: str, results: Sequence[TestResult], title: str) -> Path:
    links = folder / "links.json"
    links.write_text(json.dumps(find_links(results)), encoding="utf-8")
    helpers = write_helpers(folder)
    path = helpers / "merge.config.cjs"
    values = {
        "root": root,
        "links_reporter": str(helpers / "links.cjs"),
        "links": str(links),
        "output": str(folder / "html"),
        "title": title,
    }
    path.write_text(_CONFIGURATION.format(**{name: json.dumps(value) for name, value in values.items()}), "utf-8")
    return path
