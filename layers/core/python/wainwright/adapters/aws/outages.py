"""Outages: the errors of boto3 by which AWS did not answer, or had too much to do."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError, SSLError

from wainwright.domain.errors import Unavailable

THROTTLED = frozenset(
    {"BandwidthLimitExceeded", "LimitExceededException", "PriorRequestNotComplete",
     "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException",
     "SlowDown", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
     "TransactionInProgressException", "TransactionConflictException"}
)  # fmt: skip
"""Codes of "not so fast", over all the services. botocore has tried some four times by then."""

ADVICE = "Send the same request again in a moment, with the same Idempotency-Key if it had one."

_NO_ANSWER: tuple[type[BotoCoreError], ...] = (exceptions.ConnectionError, exceptions.HTTPClientError)


def error_code(error: ClientError) -> str:
    """The error's code, such as ``ThrottlingException``."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def ignoring(codes: Collection[str]) -> Iterator[None]:
    """Ignore errors of AWS with these codes."""
    try:
        yield
    except ClientError as error:
        if error_code(error) not in codes:
            raise


def as_unavailable(error: Exception) -> Unavailable | None:
    """Return what a caller is told of an error of boto3 that another try may not meet; None of any other error.

    A refused certificate is met again.
    """
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if error_code(error) in THROTTLED or status >= 500:
            return Unavailable("a service that the system depends on is too busy", advice=ADVICE)
    if isinstance(error, _NO_ANSWER) and not isinstance(error, SSLError):
        return Unavailable("a service that the system depends on did not answer", advice=ADVICE)
    return None
