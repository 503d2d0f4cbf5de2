"""Clients are made of less than botocore's own, and are the same."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.config import Config
from botocore.session import Session

from wainwright.adapters.aws.clients import Clients

SERVICES = ("cloudformation", "dynamodb", "ecs", "events", "s3", "sqs", "ssm", "stepfunctions")


def told(client: Any) -> tuple[object, ...]:
    """Where a client sends its requests, and as what it signs them."""
    signer = client._request_signer
    return (
        client.meta.partition,
        client.meta.endpoint_url,
        client.meta.region_name,
        signer.signing_name,
        signer.region_name,
    )


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"])
def test_clients_talk_to_whom_botocores_own_do(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "DEFAULT_REGION": region,
        "ACCESS_KEY_ID": "AKIAEXAMPLE",
        "SECRET_ACCESS_KEY": "example",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    plain, clients = Session(), Clients()

    assert {name: told(getattr(clients, name)) for name in SERVICES} == {
        name: told(plain.create_client(name)) for name in SERVICES
    }
    signed = [
        _signed(each) for each in (clients.s3, plain.create_client("s3", config=Config(signature_version="s3v4")))
    ]
    assert signed[0] == signed[1]
    assert f"/{region}/s3/aws4_request" in signed[0][1]


def _signed(client: Any) -> tuple[str, str]:
    """Host of a presigned address, and what its signature is good for."""
    address = urlsplit(client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"}))
    return address.netloc, parse_qs(address.query)["X-Amz-Credential"][0]
