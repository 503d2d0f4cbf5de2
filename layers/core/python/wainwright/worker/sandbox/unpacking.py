"""Unpacking of archives of strangers in a process of its own: as the process user, within bounds, and to be killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Self

from wainwright.worker.sandbox.archives import ArchiveUnusable
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, UMASK, Isolation

MEMORY_BYTES = 512 * 1024**2
"""Of address space. A list of all links takes most of it; without, the process has some 40 MB."""
CPU_SECONDS = 1_200
"""An archive at its bounds takes less than a minute of CPU time on a slow core: more is a fault of the reader."""
OPEN_FILES = 64
LOOK_SECONDS = 0.5
"""Seconds between two questions to the caller whether to go on."""
MAX_SAID = 2_000
"""Characters of a failed process's last words, in the worker's log."""

_PROGRAM = (
    "import sys; sys.path[:0] = sys.argv[1:]; from wainwright.worker.sandbox.unpacking_process import main; main()"
)
_PATHS = (str(Path(__file__).parents[3]),)


class Unpacker:
    """A process that waits for one archive, and ends with it. Use as a context manager: it does not outlive the block.

    To start it takes as long as to fetch a small bundle, so both are done at once.
    """

    def __init__(self, isolation: Isolation = NOT_ISOLATED) -> None:
        """Start it. Raises OSError if it cannot be started."""
        self._isolation = isolation
        user = isolation.user
        self._process = subprocess.Popen(
            # A private import path, no modules of users, and nothing written beside the modules.
            [sys.executable, "-I", "-S", "-B", "-c", _PROGRAM, *_PATHS],
            user=user.uid if user else None, group=user.gid if user else None, extra_groups=[] if user else None,
            umask=UMASK if user else -1, cwd="/", env={}, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def unpack(
        self, archive: Path, folder: Path, *, max_files: int, max_bytes: int, waiting: Callable[[], None]
    ) -> None:
        """Unpack a gzipped tar into an empty folder, which the process user has been lent. To be called once.

        ``waiting`` is called again and again while that takes time. What it raises ends the process and is raised.

        Raises:
            ArchiveUnusable: it is no archive, leads outside the folder, or is beyond the bounds.
        """
        self._isolation.show_file(archive)
        order = {
            "archive": str(archive.resolve()),
            "folder": str(folder.resolve()),
            "max_files": max_files,
            "max_bytes": max_bytes,
            "for_group": self._isolation.user is not None,
            "memory_bytes": MEMORY_BYTES,
            "limits": {"cpu_seconds": CPU_SECONDS, "open_files": OPEN_FILES, "file_bytes": max_bytes, "processes": 0},
        }
        said, errors = self._converse(json.dumps(order), waiting)
        code = self._process.returncode
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            raise ArchiveUnusable(f"it takes more than {CPU_SECONDS} s of CPU time, or more memory than there is")
        if code or not said:
            raise RuntimeError(f"unpacking ended with {code}: {errors[-MAX_SAID:]}")
        fault = json.loads(said)["fault"]
        if fault is not None:
            raise ArchiveUnusable(fault)

    def _converse(self, order: str, waiting: Callable[[], None]) -> tuple[str, str]:
        left: str | None = order  # goes with the first call alone, which the others take up
        while True:
            try:
                return self._process.communicate(left, timeout=LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                left = None
                waiting()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._process.kill()
        with self._process:  # closes its pipes, and waits for it
            pass
