"""``wainwright keys --stage``, against a stack in moto's CloudFormation."""

import json
import os
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from wainwright.cli.main import app
from wainwright.contracts.scopes import Scope
from wainwright.wiring import administration

TEMPLATE = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "BillingMode": "PAY_PER_REQUEST",
            },
        }
    },
    "Outputs": {"TableName": {"Value": {"Ref": "Table"}}},
}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


def test_creates_a_key_that_the_stage_knows_and_prints_it_alone() -> None:
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(StackName="Wainwright-dev", TemplateBody=json.dumps(TEMPLATE))

    result = CliRunner().invoke(app, ["keys", "create", "--stage", "dev", "--name", "ci", "--scope", "read"])

    assert result.exit_code == 0, result.stderr
    secret = result.stdout.strip()
    assert secret.startswith("ww_")
    (key,) = administration.manage_keys_of_stage("dev").access.list_keys("default")
    assert (key.name, key.scope, secret in repr(key)) == ("ci", Scope.READ, False)


def test_says_so_when_the_stage_is_not_deployed() -> None:
    result = CliRunner().invoke(app, ["keys", "create", "--stage", "dev", "--name", "ci"])

    assert result.exit_code == 2
    assert result.stderr.startswith("error: the stage dev is not deployed")
    assert len(result.stderr.strip().splitlines()) == 1


def test_refuses_a_project_name_of_the_wrong_form() -> None:
    boto3.client("cloudformation").create_stack(StackName="Wainwright-dev", TemplateBody=json.dumps(TEMPLATE))

    result = CliRunner().invoke(app, ["keys", "create", "--stage", "dev", "--name", "ci", "--project", "No Good"])

    assert result.exit_code == 2
    assert "project" in result.stderr


def test_shows_and_revokes_the_keys_of_a_stage() -> None:
    boto3.client("cloudformation").create_stack(StackName="Wainwright-dev", TemplateBody=json.dumps(TEMPLATE))
    runner = CliRunner()
    runner.invoke(app, ["keys", "create", "--stage", "dev", "--name", "ci"])

    def listed() -> dict[str, object]:
        shown = runner.invoke(app, ["keys", "list", "--stage", "dev", "--json"])
        (key,) = json.loads(shown.stdout)["keys"]
        assert isinstance(key, dict)
        return key

    before = listed()
    revoked = runner.invoke(app, ["keys", "revoke", str(before["id"]), "--stage", "dev"])

    assert (before["revoked"], revoked.stdout) == (False, f"{before['id']} revoked\n")
    assert listed()["revoked"] is True
