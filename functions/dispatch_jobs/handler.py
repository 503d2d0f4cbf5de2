"""On wake-ups from the jobs queue, and when a worker's task has stopped."""

import logging
import os
from functools import cache
from typing import Any

from pydantic import ValidationError

from wainwright.contracts.messages import WakeUp
from wainwright.settings import DispatchSettings
from wainwright.wiring import dispatching

log = logging.getLogger(__name__)


@cache
def dispatch() -> dispatching.Dispatch:
    """The use cases, put together at the first event."""
    return dispatching.dispatch_jobs(DispatchSettings.read(os.environ))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Look at all waiting lines once, however many wake-ups came together.

    A failure fails the batch: its messages come again.
    """
    if event.get("detail-type") == "ECS Task State Change":
        worker_id = event["detail"].get("startedBy")
        log.info("worker's task stopped", extra={"worker": worker_id, "reason": event["detail"].get("stoppedReason")})
        if worker_id:
            dispatch().workers.remove(worker_id)
    workers = max((_workers(record["body"]) for record in event.get("Records", [])), default=0)
    admitted = dispatch().dispatch(workers)
    log.info("dispatched", extra={"admitted": admitted, "wakeUps": len(event.get("Records", []))})
    return {"batchItemFailures": []}


def _workers(body: str) -> int:
    try:
        return WakeUp.model_validate_json(body).workers
    except ValidationError:
        return 0  # whatever it is, it woke us
