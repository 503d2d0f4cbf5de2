"""On wake-ups from the jobs queue, and when a worker's task has stopped."""

import logging
import os
from functools import cache
from typing import Any

from pydantic import ValidationError

from wainwright.contracts.messages import WakeUp
from wainwright.ports.workers import LaunchRefused
from wainwright.settings import DispatchSettings
from wainwright.wiring import dispatching

log = logging.getLogger(__name__)


@cache
def dispatch() -> dispatching.Dispatch:
    """The use cases, put together at the first event."""
    return dispatching.dispatch_jobs(DispatchSettings.read(os.environ))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Look at all waiting lines once, however many wake-ups came together.

    A failure fails the batch: its messages come again. That there is no room for more workers is none: what was admitted
    stays so, and each worker that goes, each wake-up and the sweep have it looked at again. Only wake-ups that want workers
    for what no row tells of come again.
    """
    if event.get("detail-type") == "ECS Task State Change":
        worker_id = event["detail"].get("startedBy")
        log.info("worker's task stopped", extra={"worker": worker_id, "reason": event["detail"].get("stoppedReason")})
        if worker_id:
            dispatch().workers.remove(worker_id)
    records = event.get("Records", [])
    wanted = {record["messageId"]: _workers(record["body"]) for record in records}
    try:
        admitted = dispatch().dispatch(max(wanted.values(), default=0))
    except LaunchRefused as refused:
        if not refused.capacity:
            raise
        log.warning("no room for more workers", extra={"reason": str(refused), "wakeUps": len(records)})
        return {"batchItemFailures": [{"itemIdentifier": name} for name, workers in wanted.items() if workers]}
    log.info("dispatched", extra={"admitted": admitted, "wakeUps": len(records)})
    return {"batchItemFailures": []}


def _workers(body: str) -> int:
    try:
        return WakeUp.model_validate_json(body).workers
    except ValidationError:
        return 0  # whatever it is, it woke us
