"""Batches that DynamoDB serves in part, and transactions that are larger than it takes."""

from typing import Any

import pytest

from tests.support.builders import PROJECT, START, a_job
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.items import key, text
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.table import TRIES, Table
from wainwright.domain.errors import Unavailable

pytestmark = pytest.mark.usefixtures("no_pauses")

ROWS = [key("a partition", f"{number:03d}") | {"n": text(str(number))} for number in range(60)]
KEYS = [key("a partition", f"{number:03d}") for number in range(60)]


@pytest.fixture
def rows(table: str, aws_clients: Clients) -> Table:
    return Table(aws_clients.dynamodb, table)


def serve_in_part(clients: Clients, table: str, monkeypatch: pytest.MonkeyPatch, most: int) -> list[int]:
    """Have each batch served up to ``most`` rows; returns the sizes that were asked for."""
    asked: list[int] = []
    client = clients.dynamodb
    write, read = client.batch_write_item, client.batch_get_item

    def write_some(*, RequestItems: Any) -> Any:  # noqa: N803 - boto3's own name
        requests = RequestItems[table]
        asked.append(len(requests))
        if most:
            write(RequestItems={table: requests[:most]})
        left = requests[most:]
        return {"UnprocessedItems": {table: left} if left else {}}

    def read_some(*, RequestItems: Any) -> Any:  # noqa: N803 - boto3's own name
        keys = RequestItems[table]["Keys"]
        asked.append(len(keys))
        part: Any = {table: {**RequestItems[table], "Keys": keys[:most]}}
        answer = read(RequestItems=part)
        left = keys[most:]
        return {"Responses": answer["Responses"], "UnprocessedKeys": {table: {"Keys": left}} if left else {}}

    monkeypatch.setattr(client, "batch_write_item", write_some)
    monkeypatch.setattr(client, "batch_get_item", read_some)
    return asked


def test_writes_reads_and_deletes_all_though_each_batch_is_served_in_part(
    rows: Table, table: str, aws_clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = serve_in_part(aws_clients, table, monkeypatch, most=10)

    rows.put_all(ROWS)
    assert asked == [25, 15, 5, 25, 15, 5, 10]
    assert sorted(row["n"]["S"] for row in rows.get_all(KEYS)) == sorted(str(number) for number in range(60))
    rows.remove_all(KEYS[:59])
    assert [row["n"]["S"] for row in rows.get_all(KEYS)] == ["59"]


def test_gives_up_on_a_batch_that_is_never_served(
    rows: Table, table: str, aws_clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = serve_in_part(aws_clients, table, monkeypatch, most=0)

    with pytest.raises(Unavailable):
        rows.put_all(ROWS)

    assert asked == [25] * TRIES


def test_refuses_more_rows_than_a_transaction_takes_before_anything_is_written(dynamodb_jobs: DynamoJobStore) -> None:
    first, *others = (dynamodb_jobs.write(None, a_job()) for _ in range(52))

    with pytest.raises(ValueError, match="more than 100"):
        dynamodb_jobs.write(first, first.cancel(START), also=[(job, job.cancel(START)) for job in others])

    assert dynamodb_jobs.load(PROJECT).queued == 52
    assert dynamodb_jobs.get(PROJECT, first.id) == first
