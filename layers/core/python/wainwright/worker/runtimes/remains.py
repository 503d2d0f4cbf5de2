"""What a test leaves that was running when its process was killed: the trace as far as it was recorded, videos, its log.

Playwright writes each event of a trace to disk as it happens, and makes the archive only at the end of the recording: where
that end never comes, the archive is made here. It opens in the trace viewer; calls that had not returned are shown without
an end.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .model import Attachment
from .taking import Taking

RUNNING_LOG = "running.log"
"""In the folder of logs: what the browser has said since the running test began."""
MAX_TRACE_BYTES = 256 * 1024 * 1024
"""Of one trace that is made here: what would take more is left out of it."""
MAX_FILES = 20
MAX_SEEN = 20_000
BESIDE = ("resources", "screencast")
"""Folders beside a trace, shared by all of one browser, with files that events name."""
COPY = "-pwnetcopy-"
"""In the names of copies that Playwright makes of a network log."""


@dataclass(frozen=True)
class Remains:
    """Where to look, and for files not older than `since` (seconds since the epoch): those of tests before are not of this."""

    output: Path
    traces: Path
    temporary: Path
    owner: int | None
    since: float

    def collect(self) -> tuple[Attachment, ...]:
        """Everything that can be read. Nothing may write there any more."""
        recorded = Taking(self.traces, self.owner, beside=self.output.parent)
        found = [attachment for trace in self._traces() if (attachment := self._pack(trace, recorded))]
        elsewhere = Taking(self.temporary, self.owner, beside=self.output.parent)
        for video in self._files(self.temporary, ".webm"):
            found += _taken(elsewhere, video, "video", "video/webm")
        log = self.output / "logs" / RUNNING_LOG
        found += _taken(Taking(self.output, self.owner), log, "log", "text/plain; charset=utf-8")
        return tuple(found[:MAX_FILES])

    def _traces(self) -> Iterator[Path]:
        return (path for path in self._files(self.traces, ".trace") if COPY not in path.name)

    def _files(self, folder: Path, suffix: str) -> list[Path]:
        """Of this suffix and not older than the test, by name."""
        return sorted(path for path in _walk(folder) if path.suffix == suffix and self._is_new(path))[:MAX_FILES]

    def _is_new(self, path: Path) -> bool:
        try:
            found = path.lstat()
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_mtime >= self.since

    def _pack(self, trace: Path, taking: Taking) -> Attachment | None:
        """Archive a trace as Playwright does: the events, the network's, and the files that they name."""
        beside = [path for name in BESIDE for path in _walk(trace.parent / name)]
        events, network = _read(taking, trace), _read(taking, trace.with_suffix(".network"))
        if not events:
            return None
        room = MAX_TRACE_BYTES - len(events) - len(network)
        target = taking.new_folder() / "trace.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("trace.trace", events)
            archive.writestr("trace.network", network)
            for path in beside:
                named = path.name.encode()
                if named not in events and named not in network:
                    continue
                taken = taking.take(path)
                if taken is not None and taken[1] <= room:
                    room -= taken[1]
                    archive.write(taken[0], path.relative_to(trace.parent).as_posix())
        return Attachment("trace", "application/zip", target, None, target.stat().st_size)


def _walk(folder: Path) -> list[Path]:
    """Files below a folder, of which links are no part."""
    found: list[Path] = []
    for parent, _, names in os.walk(folder):
        found += [Path(parent, name) for name in sorted(names)]
        if len(found) > MAX_SEEN:
            break
    return found[:MAX_SEEN]


def _read(taking: Taking, path: Path) -> bytes:
    """Whole lines of a file, which may have been cut off within one; empty where it is too large or cannot be read."""
    taken = taking.take(path)
    if taken is None or taken[1] > MAX_TRACE_BYTES // 2:
        return b""
    content = taken[0].read_bytes()
    return content[: content.rfind(b"\n") + 1]


def _taken(taking: Taking, path: Path, name: str, content_type: str) -> list[Attachment]:
    taken = taking.take(path)
    return [Attachment(name, content_type, taken[0], None, taken[1])] if taken is not None and taken[1] else []
