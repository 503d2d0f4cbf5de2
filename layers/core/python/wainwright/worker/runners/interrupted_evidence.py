"""Evidence of a test that was running when its process was killed: the trace as far as it was recorded, videos, its log.

Playwright writes each event of a trace to disk as it happens, and makes the archive only at the end of the recording: where
that end never comes, the archive is made here. It opens in the trace viewer; calls that had not returned are shown without
an end.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path

from wainwright.worker.runners.suite import Attachment
from wainwright.worker.sandbox.untrusted_files import UntrustedFiles

RUNNING_LOG = "running.log"
"""In the folder of logs: the browser's messages since the running test began."""
MAX_TRACE_BYTES = 256 * 1024 * 1024
"""Of one trace that is made here: what would take more is left out of it."""
MAX_FILES = 20
MAX_SEEN = 20_000
BESIDE = ("resources", "screencast", "screenshots", "aria")
"""Folders beside a trace, shared by all of one browser, with files that events name."""
CLUSTER = b"\x1f\x43\xb6\x75"
"""In a WebM file (Matroska), what begins the first frames: a file without has a head and nothing to be played."""
HEAD_BYTES = 1024 * 1024
NO_VIDEO = "nothing was written when the test process ended: writing begins some seconds after a page is opened"
COPY = "-pwnetcopy-"
"""In the names of copies that Playwright makes of a network log."""


def collect_evidence(
    output: Path, traces: Path, temporary: Path, owner: int | None, since: float, *, video: bool
) -> tuple[Attachment, ...]:
    """Take everything that can be read from these folders, in which nothing may write any more, and that is not older than
    `since` (seconds since the epoch): files of tests before are not of this. `video`: a missing one is named.
    """
    recorded = UntrustedFiles(traces, owner, beside=output.parent)
    recordings = (path for path in _files(traces, ".trace", since) if COPY not in path.name)
    found = [attachment for trace in recordings if (attachment := pack_traces([trace], recorded))]
    elsewhere = UntrustedFiles(temporary, owner, beside=output.parent)
    videos = [
        each
        for path in _files(temporary, ".webm", since)
        for each in take_file(elsewhere, path, "video", "video/webm")
        if each.path is not None and _has_frames(each.path)
    ]
    found += videos
    if video and not videos:
        found.append(Attachment("video", "video/webm", lack=NO_VIDEO))
    found += take_file(UntrustedFiles(output, owner), output / "logs" / RUNNING_LOG, "log", "text/plain; charset=utf-8")
    return tuple(found[:MAX_FILES])


def _files(folder: Path, suffix: str, since: float) -> list[Path]:
    """Return those of this suffix that are not older than the test, by name."""
    return sorted(path for path in _walk(folder) if path.suffix == suffix and is_new(path, since))[:MAX_FILES]


def is_new(path: Path, since: float) -> bool:
    """Return True if it is a file that was written to after a moment, in seconds since the epoch."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_mtime >= since


def _has_frames(video: Path) -> bool:
    """Return True if a recording that was cut off can be played, as far as it goes."""
    with video.open("rb") as file:
        head, found, frames = file.read(HEAD_BYTES).partition(CLUSTER)
    return bool(head and found and len(frames) > len(CLUSTER))


def pack_traces(recordings: Sequence[Path], untrusted: UntrustedFiles, name: str = "trace.zip") -> Attachment | None:
    """Archive recordings of one folder as Playwright does, with the files that they name. None where nothing can be read."""
    read = [(each, _read(untrusted, each), _read(untrusted, each.with_suffix(".network"))) for each in recordings]
    read = [each for each in read if each[1]]
    if not read:
        return None
    room = MAX_TRACE_BYTES - sum(len(events) + len(network) for _, events, network in read)
    target = untrusted.new_folder() / name
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (_, events, network) in enumerate(read):
            prefix = f"{number}-" if len(read) > 1 else ""
            archive.writestr(f"{prefix}trace.trace", events)
            archive.writestr(f"{prefix}trace.network", network)
        for path in [path for folder in BESIDE for path in _walk(recordings[0].parent / folder)]:
            if not any(path.name.encode() in named for _, *both in read for named in both):
                continue
            found = untrusted.take(path)
            if found is not None and found[1] <= room:
                room -= found[1]
                archive.write(found[0], path.relative_to(recordings[0].parent).as_posix())
    return Attachment("trace", "application/zip", target, None, target.stat().st_size)


def _walk(folder: Path) -> list[Path]:
    """Files below a folder, of which links are no part."""
    found: list[Path] = []
    for parent, _, names in os.walk(folder):
        found += [Path(parent, name) for name in sorted(names)]
        if len(found) > MAX_SEEN:
            break
    return found[:MAX_SEEN]


def _read(untrusted: UntrustedFiles, path: Path) -> bytes:
    """Whole lines of a file, which may have been cut off within one; empty where it is too large or cannot be read."""
    found = untrusted.take(path)
    if found is None or found[1] > MAX_TRACE_BYTES // 2:
        return b""
    content = found[0].read_bytes()
    return content[: content.rfind(b"\n") + 1]


def take_file(untrusted: UntrustedFiles, path: Path, name: str, content_type: str) -> list[Attachment]:
    """The file as an attachment; nothing where it is empty or cannot be read."""
    found = untrusted.take(path)
    return [Attachment(name, content_type, found[0], None, found[1])] if found is not None and found[1] else []
