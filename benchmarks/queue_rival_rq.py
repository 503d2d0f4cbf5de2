"""RQ's side of the queue rival, run by its own interpreter: reads ``<all|each> <number>`` lines and answers with JSON.

Usage: python queue_rival_rq.py PORT QUEUE, with this folder on PYTHONPATH, for workers and here alike.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

WAIT_SECONDS = 120


def noop() -> None:
    """The job."""


def main() -> int:
    """Answer until standard input ends."""
    from redis import Redis  # type: ignore[import-not-found,unused-ignore]
    from rq import Queue  # type: ignore[import-not-found,unused-ignore]

    queue = Queue(sys.argv[2], connection=Redis("127.0.0.1", int(sys.argv[1])))
    print("ready", flush=True)
    for line in sys.stdin:
        how, number = line.split()
        print(json.dumps((together if how == "all" else each)(queue, int(number))), flush=True)
    return 0


def each(queue: Any, number: int) -> dict[str, list[float]]:
    """One after the other: milliseconds until the caller has the result, and until the job's own record says it ended."""
    known, recorded = [], []
    for _ in range(number):
        began = time.perf_counter()
        job = queue.enqueue("queue_rival_rq.noop")
        wait_for(job)
        known.append(1_000 * (time.perf_counter() - began))
        job.refresh()
        recorded.append(1_000 * (job.ended_at - job.enqueued_at).total_seconds())
    return {"known": known, "recorded": recorded}


def together(queue: Any, number: int) -> dict[str, float]:
    """All at once: seconds until the caller has all results."""
    began = time.perf_counter()
    jobs = [queue.enqueue("queue_rival_rq.noop") for _ in range(number)]
    for job in jobs:
        wait_for(job)
    return {"seconds": time.perf_counter() - began}


def wait_for(job: Any) -> None:
    """Until the job has a result, which Redis tells without being asked again and again."""
    result = job.latest_result(timeout=WAIT_SECONDS)
    if result is None or result.type != result.Type.SUCCESSFUL:
        raise SystemExit(f"job {job.id} did not succeed within {WAIT_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
