"""Clients are made of less than botocore's own, and are the same."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.config import Config
from botocore.session import Session

from tests.support.aws import moto_aws
from wainwright.adapters.aws.clients import Clients

SERVICES = ("cloudformation", "dynamodb", "ecs", "events", "s3", "sqs", "ssm", "stepfunctions")


def told(client: Any) -> tuple[object, ...]:
    """Return the address to which a client sends its requests, and the names it signs them with."""
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


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("document", ["service-2", "endpoint-rule-set-1"])
def test_models_are_read_as_botocore_reads_them(service: str, document: str) -> None:
    plain, ours = (each.get_component("data_loader") for each in (Session(), Clients().session))

    assert ours.load_service_model(service, document) == plain.load_service_model(service, document)


def _signed(client: Any) -> tuple[str, str]:
    """Host of a presigned address, and what its signature is good for."""
    address = urlsplit(client.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"}))
    return address.netloc, parse_qs(address.query)["X-Amz-Credential"][0]


ROLE_PROFILE = """
[profile deployer]
role_arn = arn:aws:iam::123456789012:role/deployer
source_profile = me

[profile me]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example
"""


def test_a_profile_may_take_its_credentials_from_a_role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(ROLE_PROFILE)
    with moto_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_PROFILE", "deployer")
        client: Any = Clients().dynamodb

        assert client.list_tables()["TableNames"] == []
        assert client._request_signer._credentials.method == "assume-role"


EVENTS = ("before-parameter-build", "before-endpoint-resolution", "choose-signer", "before-sign", "request-created",
          "before-call", "before-send", "before-parse", "needs-retry", "after-call", "after-call-error")  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
def test_every_call_is_handled_as_by_botocores_own_clients(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = Config(retries={"mode": "standard"}, signature_version="s3v4" if service == "s3" else None)
    plain, ours = Session().create_client(service, config=config), getattr(Clients(), service)

    for operation in plain.meta.service_model.operation_names:
        for event in EVENTS:
            name = f"{event}.{plain.meta.service_model.service_id.hyphenize()}.{operation}"
            assert _handlers(ours, name) == _handlers(plain, name), name


def _handlers(client: Any, event: str) -> list[str]:
    """Return botocore's handlers of an event, in order. Others may have put themselves between them."""
    found = client.meta.events._emitter._handlers.prefix_search(event)
    botocores = [each for each in found if each.__module__.startswith("botocore")]
    return [getattr(each, "__qualname__", type(each).__name__) for each in botocores]
