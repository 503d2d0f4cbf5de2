"""The process that unpacks one archive: started by :mod:`wainwright.worker.sandbox.unpacking`, with the standard library alone.

From its standard input it reads one JSON object: {archive, folder: paths, max_files, max_bytes, for_group: true if the worker,
who shares a group with it, is to write there too, memory_bytes, limits: as those of a test process}. It writes one: {fault:
text | null}.
"""

import contextlib
import json
import resource
import signal
import sys
from pathlib import Path

from wainwright.worker.child.wainwright_child.starting import (
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    be_the_kernels_choice,
    prctl,
    set_limits,
)
from wainwright.worker.sandbox.archives import ArchiveUnusable, unpack_archive


def main() -> None:
    """Give up what is not needed, wait for the order, and carry it out."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    be_the_kernels_choice()
    text = sys.stdin.read()
    if not text:
        return  # the worker has no archive for it
    order = json.loads(text)
    memory = order["memory_bytes"]
    with contextlib.suppress(OSError, ValueError):  # macOS has no such bound
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    set_limits(order["limits"], own_user=True)
    try:
        unpack_archive(
            Path(order["archive"]), Path(order["folder"]),
            max_files=order["max_files"], max_bytes=order["max_bytes"], for_group=order["for_group"],
        )  # fmt: skip
        fault = None
    except ArchiveUnusable as error:
        fault = str(error)
    except MemoryError:
        fault = f"it takes more than {memory >> 20} MiB of memory"
    json.dump({"fault": fault}, sys.stdout)
