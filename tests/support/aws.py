"""AWS for tests: the one table and the queues as the infrastructure has them, in moto."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from botocore.session import Session
from moto import mock_aws

from wainwright.adapters.aws.clients import Clients
from wainwright.contracts import names

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeDefinitionTypeDef, KeySchemaElementTypeDef

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"
"""The account that moto plays."""
TABLE = "wainwright-test"

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def moto_aws(*, run_state_machines: bool = False) -> Iterator[None]:
    """An empty AWS in this process, and an environment that leads nowhere else."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        environment.delenv("AWS_PROFILE", raising=False)
        for name, value in _ENVIRONMENT.items():
            environment.setenv(name, value)
        with mock_aws(config={"stepfunctions": {"execute_state_machine": run_state_machines}}):
            yield


def new_clients() -> Clients:
    """Clients of their own, from a session that reads nothing of the environment."""
    session = Session()
    session.set_credentials("AKIAEXAMPLE", "example")
    session.set_config_variable("region", REGION)
    return Clients(session=session)


def create_table(client: DynamoDBClient, name: str = TABLE) -> str:
    """The one table, with the keys and indexes that ``contracts.names`` gives the infrastructure."""
    attributes = {names.PARTITION_KEY, names.SORT_KEY, *(key for keys, _ in names.INDEXES.values() for key in keys)}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[_attribute(attribute) for attribute in sorted(attributes)],
        KeySchema=_schema((names.PARTITION_KEY, names.SORT_KEY)),
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": _schema(keys),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": [*attributes]},
            }
            for index, (keys, attributes) in names.INDEXES.items()
        ],
    )
    return name


def _attribute(name: str) -> AttributeDefinitionTypeDef:
    return {"AttributeName": name, "AttributeType": "S"}


def _schema(keys: tuple[str, str]) -> list[KeySchemaElementTypeDef]:
    return [{"AttributeName": keys[0], "KeyType": "HASH"}, {"AttributeName": keys[1], "KeyType": "RANGE"}]
