"""Evidence of an attempt at a test of Playwright Test whose process was killed: the trace as far as it was recorded, videos, its
log.

Each of the runner's processes records in a folder of its own, `.playwright-artifacts-N`, which the runner would remove
(`reporter.cjs`), and names recordings after the test and the attempt.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wainwright.worker.runners.interrupted_evidence import COPY, MAX_FILES, is_new, pack_traces, take_file
from wainwright.worker.runners.suite import Attachment
from wainwright.worker.sandbox.untrusted_files import UntrustedFiles

RESULTS = "playwright"
"""In the output folder: where Playwright Test writes."""
LEFT = "left"
"""In the output folder: folders of processes that died while the runner went on."""
MAX_LOG_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Attempt:
    """A running attempt: the runner's id of the test, number of its process, begin in seconds since the epoch."""

    runner_id: str
    retry: int
    process: int
    began: float


@dataclass(frozen=True)
class PlaywrightEvidence:
    """Takes evidence from an output folder, from files of this owner, if any is demanded."""

    output: Path
    owner: int | None = None

    def of_killed(self, attempt: Attempt) -> tuple[Attachment, ...]:
        """Return the evidence of a test when everything was killed."""
        folder = self.output / RESULTS / f".playwright-artifacts-{attempt.process}"
        return (*self._recorded(folder, attempt, "trace.zip"), *self._log(attempt))

    def of_process(self, attempt: Attempt, name: str) -> tuple[Attachment, ...]:
        """Return the evidence of a test whose process died alone. Its trace is kept under this name."""
        return self._recorded(self.output / LEFT / str(attempt.process), attempt, f"{name}.zip")

    def _recorded(self, folder: Path, attempt: Attempt, name: str) -> tuple[Attachment, ...]:
        untrusted = UntrustedFiles(self.output, self.owner)
        traces = pack_traces(_traces(folder / "traces", attempt), untrusted, name)
        videos = sorted(path for path in folder.glob("*.webm") if is_new(path, attempt.began))[:MAX_FILES]
        return (*([traces] if traces else ()), *(copy for path in videos for copy in _copied(untrusted, path)))

    def _log(self, attempt: Attempt) -> list[Attachment]:
        """Return the browser's messages, which the reporter would have put into words."""
        untrusted = UntrustedFiles(self.output, self.owner)
        found = untrusted.take(self.output / "logs" / "browser" / f"{attempt.runner_id}-{attempt.retry}.jsonl")
        if found is None:
            return []
        log = untrusted.new_folder() / "running.log"
        with found[0].open("rb") as file:
            lines = list(_lines(file.read(MAX_LOG_BYTES)))
        log.write_text("\n".join(["--- browser ---", *lines, ""]), encoding="utf-8", errors="replace")
        return [Attachment("log", "text/plain; charset=utf-8", log, None, log.stat().st_size)]


def _traces(folder: Path, attempt: Attempt) -> list[Path]:
    retry = f"-retry{attempt.retry}" if attempt.retry else ""
    name = re.compile(rf"{re.escape(attempt.runner_id)}{retry}(-recording\d+)?(-chunk\d+)?\.trace")
    return sorted(path for path in folder.glob("*.trace") if name.fullmatch(path.name) and COPY not in path.name)[
        :MAX_FILES
    ]


def _copied(untrusted: UntrustedFiles, path: Path) -> Iterator[Attachment]:
    """Yield a copy, since the encoder may outlive the test's process for a moment, and go on writing."""
    for video in take_file(untrusted, path, "video", "video/webm"):
        if video.path is not None:
            copy = untrusted.new_folder() / "video.webm"
            shutil.copyfile(video.path, copy)
            yield Attachment(video.name, video.content_type, copy, None, copy.stat().st_size)


def _lines(content: bytes) -> Iterator[str]:
    for line in content.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # cut off within the line
        if isinstance(entry, dict) and isinstance(entry.get("line"), str):
            yield entry["line"]
