"""Sizes of the deployed files: uploaded as a zip, and on a function's disk."""

from __future__ import annotations

import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pathspec import GitIgnoreSpec

from infra.deployed_files import DEPS

BUILD_SECONDS = 300.0


@dataclass(frozen=True)
class Size:
    """Number of files, and bytes."""

    files: int
    unpacked: int
    compressed: int


def size_of(folder: Path, excluded: Sequence[str]) -> Size:
    """The files of a folder less those that the patterns leave out."""
    spec = GitIgnoreSpec.from_lines(excluded)
    packed = BytesIO()
    files = unpacked = 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in _files(folder, folder, spec):
            archive.write(file, file.relative_to(folder))
            files, unpacked = files + 1, unpacked + file.stat().st_size
    return Size(files, unpacked, len(packed.getbuffer()))


def _files(root: Path, folder: Path, spec: GitIgnoreSpec) -> Iterator[Path]:
    # As Git does it: nothing below a folder that is left out can be taken in again.
    for entry in sorted(folder.iterdir()):
        name = entry.relative_to(root).as_posix()
        if spec.match_file(name):
            continue
        if entry.is_dir():
            yield from _files(root, entry, spec)
        else:
            yield entry


def deps_layer_size(root: Path, *, build: bool) -> tuple[Size | None, str | None]:
    """The third-party layer as it was built, or built for this; None and the reason where there is none."""
    built = root / "layers" / "deps"
    if (built / "python").is_dir():
        return size_of(built, DEPS), None
    if not build:
        return None, "left out: the layer of third-party packages, which is not built; make deps-layer builds it"
    with tempfile.TemporaryDirectory(prefix="wainwright-deps-") as scratch:
        command = ["make", "--silent", "deps-layer", f"DEPS_LAYER={Path(scratch, 'python')}"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            return None, f"left out: the layer of third-party packages, which could not be built: {said}"
        return size_of(Path(scratch), DEPS), None
