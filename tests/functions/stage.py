"""The HTTP functions on an AWS in this process, spoken to as over HTTP: routes as deployed, no sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from moto import mock_aws

from functions.api import handler as api
from functions.stream_events import handler as stream_events
from tests.support.events import CONTEXT
from wainwright.adapters.aws.clients import Clients
from wainwright.contracts import names
from wainwright.contracts.scopes import Scope
from wainwright.local.functions import Answer, Functions
from wainwright.local.http_api import HttpApi, Route
from wainwright.wiring import administration

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import GlobalSecondaryIndexTypeDef, KeySchemaElementTypeDef

REGION = "us-east-1"
TABLE = "wainwright-test"
BUCKET = "wainwright-test-bucket"
PROJECT = "shop"
API_URL = "http://api.test"
REPORTS_URL = "http://reports.test"
SCRIPT = "def test_nothing():\n    pass\n"

HANDLERS = {"api": api.handler, "stream_events": stream_events.handler}
API_ROUTES = [
    Route("ANY /v1/{proxy+}", "api"),
    Route("$default", "api"),
    Route("GET /v1/jobs/{jobId}/events", "stream_events"),
]
REPORT_ROUTES = [
    Route("GET /r/{ticket}", "api"),
    Route("GET /r/{ticket}/{proxy+}", "api"),
    Route("$default", "api"),
    Route("GET /r/{ticket}/events", "stream_events"),
]


class _InThisProcess:
    """What an HTTP API needs of functions: events and answers go through JSON, as on AWS."""

    def invoke(self, name: str, event: dict[str, Any]) -> Answer:
        return Answer(json.dumps(HANDLERS[name](json.loads(json.dumps(event)), CONTEXT)).encode())


@dataclass(frozen=True)
class Stage:
    """One stage: its HTTP APIs as WSGI applications, and what lies behind them."""

    clients: Clients
    api: HttpApi
    reports: HttpApi
    keys: dict[Scope, str]

    def client(self, scope: Scope | None = Scope.ADMIN) -> httpx.Client:
        """A client of the API with a key of this scope, or with none."""
        headers = {} if scope is None else {"Authorization": f"Bearer {self.keys[scope]}"}
        return httpx.Client(transport=httpx.WSGITransport(app=self.api), base_url=API_URL, headers=headers)

    def browser(self) -> httpx.Client:
        """A client of the reports' origin, without a key."""
        return httpx.Client(transport=httpx.WSGITransport(app=self.reports), base_url=REPORTS_URL)

    def other_project(self, project: str = "other") -> httpx.Client:
        """A client with a key of another project."""
        _, secret = administration.manage_keys(self.clients, TABLE).create(project, Scope.ADMIN, "test")
        headers = {"Authorization": f"Bearer {secret}"}
        return httpx.Client(transport=httpx.WSGITransport(app=self.api), base_url=API_URL, headers=headers)

    def upload(self, content: bytes, digest: str, project: str = PROJECT) -> None:
        """What a client does with the address that it is given for a bundle."""
        self.clients.s3.put_object(Bucket=BUCKET, Key=names.bundle_key(project, digest), Body=content)


@contextmanager
def running_stage(folder: Path) -> Iterator[Stage]:
    """An empty stage. ``folder`` holds no credentials."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        environment.delenv("AWS_PROFILE", raising=False)
        for name, value in {
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": str(folder / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            environment.setenv(name, value)
        clients = Clients()
        _create_table(clients.dynamodb)
        clients.s3.create_bucket(Bucket=BUCKET)
        queue = clients.sqs.create_queue(QueueName="jobs")["QueueUrl"]
        work_queue = clients.sqs.create_queue(QueueName="work")["QueueUrl"]
        for name, value in {
            "WAINWRIGHT_STAGE": "test",
            "WAINWRIGHT_TABLE": TABLE,
            "WAINWRIGHT_BUCKET": BUCKET,
            "WAINWRIGHT_JOBS_QUEUE_URL": queue,
            "WAINWRIGHT_WORK_QUEUE_URL": work_queue,
            "WAINWRIGHT_REPORTS_URL": REPORTS_URL,
        }.items():
            environment.setenv(name, value)
        api.api.cache_clear()
        stream_events.stream.cache_clear()
        keys = administration.manage_keys(clients, TABLE)
        yield Stage(
            clients=clients,
            api=_http_api("api", API_ROUTES),
            reports=_http_api("reports", REPORT_ROUTES),
            keys={scope: keys.create(PROJECT, scope, f"{scope} key")[1] for scope in Scope},
        )
        api.api.cache_clear()
        stream_events.stream.cache_clear()


def _http_api(name: str, routes: list[Route]) -> HttpApi:
    return HttpApi(name, f"{name}.test", routes, cast("Functions", _InThisProcess()))


def _create_table(client: DynamoDBClient) -> None:
    indexes: list[GlobalSecondaryIndexTypeDef] = [
        {"IndexName": name, "KeySchema": _schema(keys), "Projection": {"ProjectionType": "ALL"}}
        for name, (keys, _) in names.INDEXES.items()
    ]
    attributes = {names.PARTITION_KEY, names.SORT_KEY, *(key for keys, _ in names.INDEXES.values() for key in keys)}
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in sorted(attributes)],
        KeySchema=_schema((names.PARTITION_KEY, names.SORT_KEY)),
        GlobalSecondaryIndexes=indexes,
    )


def _schema(keys: tuple[str, str]) -> list[KeySchemaElementTypeDef]:
    return [{"AttributeName": keys[0], "KeyType": "HASH"}, {"AttributeName": keys[1], "KeyType": "RANGE"}]


def some_id() -> str:
    """An id that nothing has. Always the same: every process of a test run has to collect the same names."""
    return "0a1b2c3d-0000-4000-8000-000000000001"
