"""Which errors of boto3 another try may mend."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)

from wainwright.adapters.aws.outages import THROTTLED, as_unavailable

URL = "https://dynamodb.example"


def refused(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "GetItem")  # type: ignore[typeddict-item]  # as much as is looked at


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=URL),
        ConnectTimeoutError(endpoint_url=URL),
        ReadTimeoutError(endpoint_url=URL),
        ConnectionClosedError(endpoint_url=URL),
        ProxyConnectionError(proxy_url=URL),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_connection_without_an_answer_is_an_outage(error: Exception) -> None:
    outage = as_unavailable(error)

    assert outage is not None
    assert "did not answer" in outage.message
    assert URL not in outage.message
    assert "again" in outage.advice


@pytest.mark.parametrize("code", sorted(THROTTLED))
def test_being_throttled_is_an_outage(code: str) -> None:
    outage = as_unavailable(refused(code, 400))

    assert outage is not None
    assert "too busy" in outage.message


@pytest.mark.parametrize(("code", "status"), [("InternalServerError", 500), ("503", 503), ("ServiceUnavailable", 503)])
def test_a_fault_of_a_service_is_an_outage(code: str, status: int) -> None:
    assert as_unavailable(refused(code, status)) is not None


@pytest.mark.parametrize(
    "error",
    [
        refused("ResourceNotFoundException", 400),
        refused("AccessDeniedException", 400),
        refused("ValidationException", 400),
        NoCredentialsError(),
        SSLError(endpoint_url=URL, error=ValueError("self-signed certificate")),
        TimeoutError("not of boto3"),
        KeyError("pk"),
    ],
    ids=["no table", "not allowed", "invalid", "no credentials", "a bad certificate", "not of boto3", "a bug"],
)
def test_what_another_try_does_not_mend_is_none(error: Exception) -> None:
    assert as_unavailable(error) is None
