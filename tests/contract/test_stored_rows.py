"""The rows that stages have stored: whatever the code becomes, it writes them so. ``stored_rows.json`` has them, one a line."""

import gzip
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.support.builders import PROJECT, START, a_job, completed, failed, job_id
from wainwright.adapters.aws.access_store import DynamoAccessStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.log_store import DynamoLogStore
from wainwright.adapters.aws.secret_store import SsmSecretStore
from wainwright.adapters.aws.template_store import DynamoTemplateStore
from wainwright.adapters.aws.test_history_store import DynamoQuarantineStore, DynamoTestHistory
from wainwright.adapters.aws.work_lists import DynamoWorkListStore
from wainwright.adapters.aws.workers import DynamoWorkerStore
from wainwright.contracts.events import EventKind
from wainwright.contracts.scopes import Scope
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.jobs import LEASE, Job, JobDetail
from wainwright.domain.lanes import LaneEnd, LaneRecord
from wainwright.domain.logs import LogEntry
from wainwright.domain.quarantine import Quarantine
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.templates import Template
from wainwright.domain.test_history import Sample
from wainwright.domain.tests import RunningTest, Tally, TestOutcome
from wainwright.domain.work_list import WorkList, WorkOrder
from wainwright.domain.workers import WorkerRecord, WorkerState
from wainwright.ports.access import ApiKey, Ticket
from wainwright.ports.job_store import Idempotency, NewEvent, StoredTest

LIMITS = Limits(running=9, queued=9)
HOUR = timedelta(hours=1)


def write_jobs(store: DynamoJobStore) -> None:
    """A job that waits, one that is blocked by it, one that runs, one that failed, one that is being deleted."""
    key = Idempotency(key="key-1", digest="d" * 64, until=START + HOUR)
    detail = JobDetail(params={"size": "ü"}, config={"timeout": 5})
    waiting = a_job(id=job_id(1), label="Ünïcode ✓", priority=3, retry=RetryPolicy(max_attempts=3), is_leaf=True)
    waiting = store.write(None, waiting, limits=LIMITS, detail=detail, idempotency=key)
    blocked = a_job(id=job_id(2), depends_on=(waiting.id,), blocked_on=(waiting.id,), template_id="t1", batch_id="b1")
    store.write(None, blocked, limits=LIMITS, also=[(waiting, waiting.gain_dependent(START))])

    running = store.write(
        None, a_job(id=job_id(3), lanes=2), limits=LIMITS, detail=JobDetail(params={"long": "x" * 5_000})
    )
    running = store.write(running, running.admit(START + HOUR), limits=LIMITS)
    running = store.write(running, running.claim("w1", START + HOUR))
    store.record(
        running,
        tests=[StoredTest(id="test_ä.py::test_x", outcome=TestOutcome.PASSED, attempt=1, body={"ms": 1.5, "say": "ü"})],
        events=[NewEvent(kind=EventKind.TEST, at=START, data={"testId": "test_ä.py::test_x"})],
        tally=Tally(total=2, passed=1), percent=50,
        running=[RunningTest(id="test_y", file="test_ä.py", line=3, title="y", since=START)],
    )  # fmt: skip
    store.add_events(PROJECT, running.id, [NewEvent(kind=EventKind.LOG, at=START, data={"message": "ü"})], 100)

    ended = end(store, a_job(id=job_id(4), template_id="t1"), flaky_tests=("test_ä",))
    assert ended.completed_at
    store.seal(end(store, a_job(id=job_id(5))))
    store.set_limits(PROJECT, Limits(running=2, retention=Retention(job_days=3, max_failed=4)))
    other = store.write(None, a_job(id=job_id(6), not_before=START + HOUR, project="other"))
    store.add_events("other", other.id, [NewEvent(kind=EventKind.LOG, at=START, data={})], 100)


def end(store: DynamoJobStore, job: Job, **outcome: Any) -> Job:
    job = store.write(None, job)
    job = store.write(job, job.admit(START))
    job = store.write(job, job.claim("w1", START))
    result = (failed() if outcome else completed()).model_copy(update=outcome)
    job = store.write(job, job.record_outcome(result, START + timedelta(seconds=7), 7_000))
    return store.write(job, job.finish(result, START + timedelta(seconds=8)))


def write_access(store: DynamoAccessStore) -> None:
    store.put_key(
        ApiKey(id="k1", digest="a" * 64, project=PROJECT, scope=Scope.RUN, name="ü", created_at=START, revoked=False)
    )
    store.put_ticket(Ticket(digest="b" * 64, project=PROJECT, job_id=job_id(1), expires_at=START + HOUR))


def write_templates(store: DynamoTemplateStore) -> None:
    first = Template(
        project=PROJECT, id="t1", version=1, name="ü", bundle_id="c" * 64, created_at=START, updated_at=START
    )
    store.put(first)
    store.put(first.model_copy(update={"version": 2, "config": {"timeout": 7}, "updated_at": START + HOUR}))
    store.mark_run(PROJECT, "t1", START)


def write_tests(history: DynamoTestHistory, quarantine: DynamoQuarantineStore, running: Job) -> None:
    for outcome in (TestOutcome.PASSED, TestOutcome.FAILED):
        history.note(running, {"test_ä.py": {"test_ä.py::x": Sample(outcome=outcome, duration_ms=12.5)}}, now=START)
    entry = Quarantine(test_id="test_ä.py::x", until=date(2026, 12, 1), reason="ü", added_at=START, by="a key")
    quarantine.put(PROJECT, entry)


def write_work_list(store: DynamoWorkListStore, running: Job) -> None:
    order = WorkOrder(["test_ä", "test_b"], [2.54, 1.0])
    work = WorkList(fence=running.fence, run=running.run, lanes=2, total=2)
    store.open(running, work, order)
    store.write(running, work.lease("owner", 1)[0])
    lane = LaneRecord(lane=1, token="stay", worker="w2", lease_until=START + LEASE)
    store.join(running, lane, None)
    store.update(running, lane, lane.leave(LaneEnd(reason="crash", message="ü")))
    store.join(running, lane.model_copy(update={"lane": 2}), None)


def readable(row: dict[str, Any]) -> dict[str, Any]:
    """A row's attributes: JSON texts as what they say, of a compressed body its beginning and length, no operation ids."""
    found = {name: next(iter(value.values())) for name, value in row.items()}
    for name in {"body", "running", "limits", "facets"}.intersection(found):
        found[name] = json.loads(found[name])
    if "packed" in found:
        body = gzip.decompress(found["packed"]).decode()
        found["packed"] = [body[:60], len(body)]
    for part in (found, found.get("body")):
        if isinstance(part, dict) and "operation" in part:
            part["operation"] = "an id"
    return found


def test_every_row_is_stored_as_it_always_was(table: str, aws_clients: Clients) -> None:
    client = aws_clients.dynamodb
    jobs = DynamoJobStore(client, table)
    write_jobs(jobs)
    running = jobs.get(PROJECT, job_id(3))
    assert running is not None
    write_work_list(DynamoWorkListStore(client, table), running)
    write_access(DynamoAccessStore(client, table))
    write_templates(DynamoTemplateStore(client, table))
    write_tests(DynamoTestHistory(client, table), DynamoQuarantineStore(client, table), running)
    entry = LogEntry(timestamp=START, level="INFO", message="ü", additional_info={"a": [1]})
    DynamoLogStore(client, table).append(PROJECT, job_id(1), [entry, entry])
    secrets = SsmSecretStore(lambda: aws_clients.ssm, client, table, "dev")
    secrets.put(PROJECT, "SHOP_PASSWORD", "value", now=START, most=5)
    due = START + timedelta(minutes=5)
    DynamoWorkerStore(client, table).add(WorkerRecord(id="w1", state=WorkerState.LAUNCHING, due_at=due))

    rows: list[Any] = client.scan(TableName=table)["Items"]
    found = sorted(map(readable, rows), key=lambda row: (row["pk"], row["sk"]))

    assert found == json.loads(Path(__file__).with_name("stored_rows.json").read_text(encoding="utf-8"))
