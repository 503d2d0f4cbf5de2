"""Whatever happens, in whatever order: rows, lines and counters agree, and every accepted job comes to rest."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.utilities import dynamo_json_dump

from tests.support.aws import ACCOUNT_ID, REGION, create_table
from tests.support.faults import Faults
from tests.support.fragile import ids
from tests.support.lifecycle import Lifecycle, Working
from tests.support.probes import LineRow, MemoryProbe, Probe
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.items import read_job, sealed
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.domain.instants import to_text
from wainwright.domain.jobs import Job
from wainwright.ports.job_store import JobStore

SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)


class DynamoProbe:
    """A DynamoJobStore on a table of its own, and the table's rows."""

    def __init__(self, clients: Clients, name: str) -> None:
        self._client = clients.dynamodb
        self._table = create_table(clients.dynamodb, name)
        self.store: JobStore = DynamoJobStore(clients.dynamodb, self._table)
        self._stack = ExitStack()
        self._faults = self._stack.enter_context(Faults(clients.dynamodb).installed())
        batches = Faults(clients.dynamodb, on=("BatchWriteItem",))
        self._batches = self._stack.enter_context(batches.installed())

    def look(self) -> None:
        """A scan would say the same, in most of the test's time."""
        table = dynamodb_backends[ACCOUNT_ID][REGION].get_table(self._table)
        self._items: list[Any] = [
            json.loads(dynamo_json_dump(item.to_json()["Attributes"])) for item in table.all_items()
        ]

    def rows(self) -> Sequence[Job]:
        """All attributes of indexes and conditions have to agree with the record."""
        found = []
        for item in self._items:
            if item["sk"]["S"] != "#JOB":
                continue
            job = read_job(item)
            found.append(job)
            if sealed(item):  # half deleted: found by those only who go on deleting it
                assert not {"byStatus", "byTemplate", "byBatch", "dueShard"} & set(item)
                continue
            assert item["status"]["S"] == job.status
            assert item["byStatus"]["S"] == f"{job.project}#{job.status}"
            assert (int(item["run"]["N"]), int(item["fence"]["N"])) == (job.run, job.fence)
            due = to_text(job.due_at) if job.due_at else None
            assert item.get("dueAt", {"S": None})["S"] == due
            assert ("dueShard" in item) == (due is not None)
        return sorted(found, key=lambda job: job.id)

    def line(self, project: str) -> Sequence[LineRow]:
        rows = [item for item in self._items if item["pk"]["S"] == f"QUEUE#{project}"]
        return [
            LineRow(
                position=item["sk"]["S"], job_id=item["jobId"]["S"],
                not_before=datetime.fromisoformat(item["notBefore"]["S"]) if "notBefore" in item else None,
            )
            for item in sorted(rows, key=lambda item: item["sk"]["S"])
        ]  # fmt: skip

    def counters(self) -> dict[str, tuple[int, int]]:
        rows = [item for item in self._items if item["pk"]["S"] == "PROJECTS"]
        none = {"N": "0"}  # a project that was only given limits has nothing else
        return {
            item["sk"]["S"]: (int(item.get("queued", none)["N"]), int(item.get("running", none)["N"])) for item in rows
        }

    def remains(self, gone: Mapping[str, str]) -> Iterable[str]:
        """An idempotency key goes on standing for its request."""
        for item in self._items:
            place = f"{item['pk']['S']} {item['sk']['S']}"
            named = {place[-36:], *item["pk"]["S"].split("#"), item.get("jobId", {"S": ""})["S"]}
            if named.intersection(gone) and "IDEMPOTENCY#" not in place:
                yield place

    def trouble(self, kind: str) -> None:
        """It does not add up: trouble without end is another matter."""
        if kind == "deletion dies":
            self._batches.refuse("AccessDeniedException")
        elif self._faults.left:
            return
        elif kind == "lost answer":
            self._faults.lose_answers += 1
        else:
            self._faults.refuse("TransactionCanceledException", reasons=("TransactionConflict",), times=2)

    def close(self) -> None:
        self._stack.close()
        self._client.delete_table(TableName=self._table)


@pytest.fixture(autouse=True)
def _the_same_ids_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wainwright.usecases.submit_job.new_job_id", ids)


def test_in_memory() -> None:
    class InMemory(Lifecycle):
        def new_probe(self) -> Probe:
            return MemoryProbe()

    run_state_machine_as_test(InMemory, settings=settings(SETTINGS, max_examples=130, stateful_step_count=50))


@pytest.fixture
def numbers() -> Iterator[int]:
    return iter(range(1_000_000))


@pytest.mark.usefixtures("aws", "no_pauses")
def test_in_dynamodb(aws_clients: Clients, numbers: Iterator[int]) -> None:
    class InDynamoDB(Lifecycle):
        def new_probe(self) -> Probe:
            return DynamoProbe(aws_clients, f"wainwright-{next(numbers)}")

    run_state_machine_as_test(InDynamoDB, settings=settings(SETTINGS, max_examples=8, stateful_step_count=25))


@pytest.mark.usefixtures("aws", "no_pauses")
def test_workers_contending_in_dynamodb(aws_clients: Clients, numbers: Iterator[int]) -> None:
    """Fewer things happen, so that in as many examples more of it is workers in each other's way."""

    class Contended(Working):
        dispatch = end_at_once = None  # type: ignore[assignment]  # no rules of this machine
        sweep = execution_times_out = executions_are_lost = None  # type: ignore[assignment]

        def new_probe(self) -> Probe:
            return DynamoProbe(aws_clients, f"contended-{next(numbers)}")

    run_state_machine_as_test(Contended, settings=settings(SETTINGS, max_examples=8, stateful_step_count=25))
