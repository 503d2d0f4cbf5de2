"""DynamoDB transactions: what refused them, and trying again when it was only in the way."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from wainwright.domain.errors import Unavailable

T = TypeVar("T")

TRIES = 10
BASE_SECONDS = 0.02
MOST_SECONDS = 0.5

CONDITION_FAILED = "ConditionalCheckFailed"
PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Cancellation reasons that another try may not meet."""

_PASSING_ERRORS = frozenset(
    {"TransactionConflictException", "TransactionInProgressException", "ThrottlingException", "InternalServerError",
     "ProvisionedThroughputExceededException", "RequestLimitExceeded"}
)  # fmt: skip

log = logging.getLogger(__name__)


class Refusal(Exception):
    """A condition did not hold. ``failed`` has the positions of the operations whose conditions did not."""

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"conditions of operations {list(failed)} did not hold")
        self.failed = frozenset(failed)


def error_code(error: ClientError) -> str:
    """The error's code, such as ``ThrottlingException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


def attempt_until_clear(call: Callable[[], T], pause: Callable[[float], None] = time.sleep) -> T:
    """Call until no other transaction is in the way, with full jitter between tries.

    Raises:
        Refusal: a condition of the operation does not hold.
        Unavailable: something was in the way each time.
    """
    for number in range(TRIES):
        try:
            return call()
        except ClientError as error:
            code = error_code(error)
            if code == "ConditionalCheckFailedException":
                raise Refusal([0]) from error
            if code == "TransactionCanceledException":
                reasons = [reason.get("Code", "None") for reason in _reasons(error)]
                failed = [index for index, reason in enumerate(reasons) if reason == CONDITION_FAILED]
                if failed:
                    raise Refusal(failed) from error
                if not PASSING.intersection(reasons):
                    raise
            elif code not in _PASSING_ERRORS:
                raise
            log.info("in the way of another transaction", extra={"try": number + 1, "code": code})
            pause_before(number + 1, pause)
    raise Unavailable("the database was busy with conflicting changes", advice="Send the same request again.")


def pause_before(number: int, pause: Callable[[float], None] = time.sleep) -> None:
    """Wait before another try, the ``number``-th: a little longer each time, with full jitter."""
    most = min(MOST_SECONDS, BASE_SECONDS * 2 ** (number - 1))
    pause(random.uniform(0, most))  # noqa: S311 - spreads load, no secret


def _reasons(error: ClientError) -> Sequence[dict[str, Any]]:
    response: Any = error.response
    reasons: Sequence[dict[str, Any]] = response.get("CancellationReasons", [])
    return reasons
