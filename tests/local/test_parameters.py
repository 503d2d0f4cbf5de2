"""Parameter Store as the local system has it: through boto3, through the endpoint, and over a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local.templates import template, write_functions
from wainwright.local.errors import LocalError
from wainwright.local.system import LocalSystem


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    write_functions(tmp_path / "repo")
    return tmp_path / "repo"


def started(repo: Path, tmp_path: Path) -> LocalSystem:
    return LocalSystem(template(), repo, tmp_path / "data", api_port=0)


def put(client: Any, name: str, value: str, **more: Any) -> None:
    client.put_parameter(Name=name, Value=value, Type="SecureString", **more)


def values(client: Any, path: str) -> dict[str, str]:
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
    return {each["Name"]: each["Value"] for page in pages for each in page["Parameters"]}


def test_parameters_are_put_read_by_pages_and_deleted_from_both_sides(repo: Path, tmp_path: Path) -> None:
    with started(repo, tmp_path) as system:
        inside = boto3.client("ssm")
        granted = {name: value for name, value in system.environment.items() if name.startswith("AWS_")}
        outside = boto3.client(
            "ssm", endpoint_url=system.endpoint_url, aws_access_key_id=granted["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=granted["AWS_SECRET_ACCESS_KEY"], region_name=granted["AWS_REGION"],
        )  # fmt: skip
        wanted = {f"/w/dev/shop/S{number:02}": f"välue {number}" for number in range(23)}
        for name, value in wanted.items():
            put(inside, name, value)
        put(outside, "/w/dev/shop-two/S00", "of another")
        put(outside, "/w/dev/shop/S00", "changed", Overwrite=True)

        assert values(outside, "/w/dev/shop") == wanted | {"/w/dev/shop/S00": "changed"}
        assert values(inside, "/w/dev") == {}
        inside.delete_parameter(Name="/w/dev/shop-two/S00")
        assert values(outside, "/w/dev/shop-two") == {}


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [("delete_parameter", {"Name": "/w/none"}, "ParameterNotFound"),
     ("put_parameter", {"Name": "/w/a", "Value": "{{x}}", "Type": "SecureString"}, "ValidationException"),
     ("put_parameter", {"Name": "/w/a", "Value": "x" * 4_097, "Type": "SecureString"}, "ValidationException"),
     ("put_parameter", {"Name": "/w/there", "Value": "other", "Type": "SecureString"}, "ParameterAlreadyExists"),
     ("get_parameters_by_path", {"Path": "/w"}, "ValidationException"),
     ("describe_parameters", {}, "UnknownOperationException")],
)  # fmt: skip
def test_refuses_what_parameter_store_refuses_or_what_there_is_not(
    repo: Path, tmp_path: Path, operation: str, arguments: dict[str, Any], code: str
) -> None:
    with started(repo, tmp_path):
        client = boto3.client("ssm")
        put(client, "/w/there", "value")
        with pytest.raises(ClientError) as raised:
            getattr(client, operation)(**arguments)
        assert raised.value.response["Error"]["Code"] == code
        assert "{{x}}" not in str(raised.value)


def test_secrets_outlive_a_restart_in_a_file_of_their_owners_and_nowhere_else(repo: Path, tmp_path: Path) -> None:
    with started(repo, tmp_path):
        client = boto3.client("ssm")
        put(client, "/w/dev/shop/KEPT", "planted-kept")
        put(client, "/w/dev/shop/GONE", "planted-gone")
        client.delete_parameter(Name="/w/dev/shop/GONE")

    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert [path.name for path in files if b"planted-kept" in path.read_bytes()] == ["secrets.json"]
    assert [path.name for path in files if b"planted-gone" in path.read_bytes()] == []
    assert (tmp_path / "data" / "secrets.json").stat().st_mode & 0o777 == 0o600
    with started(repo, tmp_path):
        assert values(boto3.client("ssm"), "/w/dev/shop") == {"/w/dev/shop/KEPT": "planted-kept"}


@pytest.mark.parametrize(
    ("mode", "content", "says"), [(0o644, "{}", "chmod 600"), (0o600, "planted no JSON", "cannot be read")]
)
def test_a_file_that_others_may_read_or_that_is_none_is_an_error_at_start(
    repo: Path, tmp_path: Path, mode: int, content: str, says: str
) -> None:
    with started(repo, tmp_path):
        pass
    file = tmp_path / "data" / "secrets.json"
    file.write_text(content)
    file.chmod(mode)

    with pytest.raises(LocalError, match=says) as raised:
        started(repo, tmp_path).start()
    assert "planted" not in str(raised.value)
