"""Every AccessStore and every WorkerStore, in memory and on AWS."""

from datetime import timedelta

from tests.support.builders import PROJECT, START, job_id
from wainwright.contracts.scopes import Scope
from wainwright.domain.workers import WorkerRecord, WorkerState
from wainwright.ports.access import AccessStore, ApiKey, Ticket
from wainwright.ports.workers import WorkerStore

KEY = ApiKey(id="k1", digest="d1", project=PROJECT, scope=Scope.RUN, name="Zoë's key", created_at=START)
WORKER = WorkerRecord(id="w1", state=WorkerState.LAUNCHING, on_demand=True, task="task-1", due_at=START)


def test_finds_a_key_by_the_digest_of_its_secret_and_by_nothing_else(access: AccessStore) -> None:
    access.put_key(KEY)

    assert access.find_key("d1") == KEY
    assert access.find_key("k1") is None
    assert access.find_key("D1") is None


def test_a_key_written_again_takes_the_place_of_the_one_before(access: AccessStore) -> None:
    access.put_key(KEY)
    revoked = KEY.model_copy(update={"revoked": True})
    access.put_key(revoked)

    assert access.find_key("d1") == revoked
    assert access.list_keys(PROJECT) == [revoked]


def test_lists_the_keys_of_one_project(access: AccessStore) -> None:
    second = KEY.model_copy(update={"id": "k2", "digest": "d2"})
    for key in (KEY, second, KEY.model_copy(update={"id": "k3", "digest": "d3", "project": "other"})):
        access.put_key(key)

    assert sorted(access.list_keys(PROJECT), key=lambda key: key.id) == [KEY, second]
    assert access.list_keys("sho") == []


def test_finds_a_ticket_expired_or_not(access: AccessStore) -> None:
    ticket = Ticket(digest="t1", project=PROJECT, job_id=job_id(1), expires_at=START + timedelta(milliseconds=1))
    access.put_ticket(ticket)

    assert access.find_ticket("t1") == ticket
    assert access.find_ticket("t2") is None


def test_a_ticket_is_no_key_and_a_key_no_ticket(access: AccessStore) -> None:
    access.put_key(KEY)
    access.put_ticket(Ticket(digest="t1", project=PROJECT, job_id=job_id(1), expires_at=START))

    assert access.find_ticket("d1") is None
    assert access.find_key("t1") is None


def test_reads_back_exactly_the_worker_it_wrote(workers: WorkerStore) -> None:
    workers.put(WORKER)

    assert workers.list() == [WORKER]


def test_a_worker_written_again_takes_the_place_of_the_row_before(workers: WorkerStore) -> None:
    workers.put(WORKER)
    busy = WORKER.model_copy(update={"state": WorkerState.BUSY, "due_at": START + timedelta(seconds=90)})
    workers.put(busy)

    assert workers.list() == [busy]


def test_adds_a_worker_once(workers: WorkerStore) -> None:
    assert workers.add(WORKER)
    assert not workers.add(WORKER.model_copy(update={"state": WorkerState.IDLE}))

    assert workers.list() == [WORKER]


def test_removes_a_worker_and_does_not_mind_one_that_is_gone(workers: WorkerStore) -> None:
    other = WORKER.model_copy(update={"id": "w2"})
    workers.put(WORKER)
    workers.put(other)

    workers.remove("w1")
    workers.remove("w1")

    assert workers.list() == [other]
