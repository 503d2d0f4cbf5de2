"""On messages that their queue gave up."""

import json
import logging
from functools import cache
from typing import Any

from pydantic import ValidationError

from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.workflows import StepFunctionsWorkflows
from wainwright.contracts.messages import WorkMessage
from wainwright.usecases.give_up_work import GiveUpWork

log = logging.getLogger(__name__)


@cache
def give_up() -> GiveUpWork:
    """Return the use case, put together at the first event."""
    clients = Clients()
    return GiveUpWork(StepFunctionsWorkflows(lambda: clients.stepfunctions, ""))


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """End the runs whose work messages were given up. All others are only logged: the rows have what they stood for.

    Wake-ups are repaired by the sweep; a batch of the stream that could not be published is logged with its position.
    """
    failed = []
    for record in event["Records"]:
        work = _work(record["body"])
        if work is None:
            log.error("message given up", extra={"queue": record["eventSourceARN"], "body": record["body"]})
            continue
        log.error("work given up", extra={"jobId": work.job_id, "run": work.run})
        try:
            give_up()(work)
        except Exception:
            log.exception("a run could not be ended", extra={"jobId": work.job_id})
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _work(body: str) -> WorkMessage | None:
    try:
        return WorkMessage.model_validate(json.loads(body))
    except (ValidationError, ValueError):
        return None
