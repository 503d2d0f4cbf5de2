"""Jobs and templates of both clients, against a fake of a project."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from functions.api.openapi import operations
from tests.support.coroutines import finished
from tests.unit.client.fake_api import KEY, problem
from tests.unit.client.fake_project import FakeProject
from wainwright.client import (
    ApiError,
    AsyncClient,
    Client,
    CreateJob,
    JobRecord,
    Limits,
    Unreachable,
    WaitTimeout,
    WriteTemplate,
)
from wainwright.client.filters import query_of, states_of
from wainwright.domain.errors import InvalidInput
from wainwright.domain.job_query import SortBy
from wainwright.domain.logs import LogEntry
from wainwright.domain.states import JobStatus


def work(**params: Any) -> CreateJob:
    return CreateJob(script="def test_it(): pass\n", params=params)


# Both clients


RENAMED = {
    "streamEvents": "events",
    "getReport": "report_file",
    "createBundle": "upload_bundle",
    "createTicket": "ticket",
}


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("operation", [operation.id for operation in operations()])
def test_every_call_of_the_api_is_a_method(operation: str, kind: type) -> None:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)
    assert callable(getattr(kind, RENAMED.get(operation, snake)))


def test_the_asynchronous_client_does_the_same_steps(async_user: AsyncClient, project: FakeProject) -> None:
    async def use() -> tuple[list[str], bool, str]:
        async with async_user as client:
            for _ in range(3):
                created = await client.create_job(work(results={"answer": 42}))
            found = [job.id async for job in client.jobs.find()]
            outcome = await client.jobs.wait_for_result(created)
            missing = await client.jobs.find_by_id("nobody")
            return found, outcome.success and outcome.results == {"answer": 42}, str(missing)

    found, success, missing = finished(use())
    assert (len(found), success, missing) == (3, True, "None")


def test_the_asynchronous_client_repeats_and_raises_alike(
    async_user: AsyncClient, project: FakeProject, paused: list[float]
) -> None:
    refused = httpx.ConnectError("refused")
    project.planned = [refused, problem(500, "internal", "no"), httpx.ReadTimeout(""), refused, refused]

    async def use() -> None:
        async with async_user as client:
            await client.get_job("x")

    with pytest.raises(Unreachable) as raised:
        finished(use())
    assert (paused, raised.value.job_id) == ([0.25, 0.5, 1.0, 2.0], "x")


def test_the_asynchronous_client_uploads_and_downloads(
    async_user: AsyncClient, project: FakeProject, tmp_path: Path
) -> None:
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "test_it.py").write_text("def test_it(): pass\n")

    def handle(request: httpx.Request) -> httpx.Response:
        if "/report/" in request.url.path:
            return httpx.Response(200, content=b"x" * 100_000)
        return project.handle(request)

    async def handle_async(request: httpx.Request) -> httpx.Response:
        await request.aread()
        return handle(request)

    async def use() -> tuple[str, bytes]:
        async with AsyncClient(project.url, KEY, transport=httpx.MockTransport(handle_async)) as client:
            bundle_id = await client.upload_bundle(tmp_path / "suite")
            file = await client.report_file("x", "data/a.png", tmp_path / "out" / "a.png")
            return bundle_id, file.read_bytes()

    bundle_id, content = finished(use())
    assert project.bundles[bundle_id][:2] == b"\x1f\x8b"
    assert project.asked[-1].headers["Content-Length"] == str(len(project.bundles[bundle_id]))
    assert content == b"x" * 100_000


# Repetition of what must not be done twice


def test_what_a_second_time_would_do_twice_is_not_sent_again_when_its_answer_is_lost(
    user: Client, project: FakeProject
) -> None:
    job = user.create_job(work())
    for send in (
        lambda: user.jobs.log_info(job, "once"),
        lambda: user.create_key("ci"),
        lambda: user.templates.create(WriteTemplate(name="t", script="pass")),
    ):
        for lost in (httpx.ReadTimeout("slow"), problem(502, "x", "gateway")):
            project.planned = [lost]
            asked = len(project.asked)
            with pytest.raises((Unreachable, ApiError)):
                send()
            assert len(project.asked) == asked + 1


def test_it_is_sent_again_when_nothing_can_have_been_done(user: Client, project: FakeProject) -> None:
    job = user.create_job(work())
    project.planned = [httpx.ConnectError("refused"), problem(503, "unavailable", "x"), problem(429, "x", "x")]
    user.jobs.log_info(job, "once")
    assert [entry.message for entry in project.log] == ["once"]


# Finding


def test_finds_lazily_over_pages_up_to_the_limit(user: Client, project: FakeProject) -> None:
    for _ in range(5):
        user.create_job(work())
    asked = len(project.asked)
    jobs = user.jobs.find(status="FINISHED", has_errors=False, limit=3)
    assert len(project.asked) == asked
    assert [job.id[:8] for job in jobs] == ["00000005", "00000004", "00000003"]
    assert [dict(request.url.params) for request in project.asked[asked:]] == [
        {"status": "completed,failed", "hasErrors": "false", "limit": "3"},
        {"status": "completed,failed", "hasErrors": "false", "limit": "1", "cursor": "2"},
    ]


def test_finds_all_without_a_limit(user: Client) -> None:
    for _ in range(5):
        user.create_job(work())
    assert len(list(user.jobs.find())) == 5


def test_writes_filters_as_the_api_spells_them() -> None:
    at = datetime(2026, 11, 22, 3, tzinfo=UTC)
    filters = {
        "create_from": at, "end_to": 1_700_000_000_000, "sort_by": SortBy.STARTED, "type": ["a", "b"], "from_": "x",
        "label": None,
    }  # fmt: skip
    assert query_of(filters) == {
        "createFrom": "2026-11-22T03:00:00.000Z", "endTo": "1700000000000", "sortBy": "startedAt", "type": "a,b",
        "from": "x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("FINISHED", {JobStatus.COMPLETED, JobStatus.FAILED}),
        ("Running, stopped", {JobStatus.RUNNING, JobStatus.STOPPED}),
        ([JobStatus.PENDING, "CANCELED"], {JobStatus.PENDING, JobStatus.CANCELED}),
    ],
)
def test_understands_states_by_alias_in_any_case(given: Any, meant: set[JobStatus]) -> None:
    assert states_of(given) == meant


@pytest.mark.parametrize("given", ["done", "", []])
def test_refuses_states_that_there_are_not(given: Any) -> None:
    with pytest.raises(InvalidInput):
        states_of(given)


def test_a_job_that_there_is_not_is_none(user: Client) -> None:
    assert user.jobs.find_by_id("nobody") is None


def test_other_refusals_of_find_by_id_are_raised(user: Client, project: FakeProject) -> None:
    project.planned = [problem(400, "invalid-input", "malformed")]
    with pytest.raises(ApiError, match="malformed"):
        user.jobs.find_by_id("x y")


# Waiting


def test_waits_for_one_of_several_states_and_tells_the_progress(user: Client) -> None:
    seen: list[str] = []
    job = user.jobs.wait_for(
        user.create_job(work()), ["RUNNING", "stopped"], on_progress=lambda job: seen.append(job.status)
    )
    assert (job.status, seen) == (JobStatus.RUNNING, ["pending", "running"])


def test_waiting_times_out_with_a_code_and_the_job(user: Client) -> None:
    job = user.create_job(work(stays="running"))
    with pytest.raises(WaitTimeout, match="has not become completed or failed within 0 s") as raised:
        user.jobs.wait_for(job, "FINISHED", timeout=0)
    assert (raised.value.code, raised.value.job_id) == ("timeout", job.job_id)


def test_asks_at_least_every_poll_where_progress_is_told(user: Client, project: FakeProject) -> None:
    job = user.create_job(work())
    user.jobs.wait_for(job, poll=3, on_progress=lambda job: None)
    user.jobs.wait_for(job)
    waits = [request.url.params["wait"] for request in project.asked[1:]]
    assert (set(waits[:-1]), waits[-1]) == ({"3"}, "20")


def test_a_result_tells_success_results_and_time(user: Client) -> None:
    outcome = user.jobs.wait_for_result(user.create_job(work(results={"finalUrl": "x"})))
    assert (outcome.success, outcome.results, outcome.error) == (True, {"finalUrl": "x"}, None)
    assert outcome.total_time >= 0


def test_any_final_state_ends_waiting_for_the_result(user: Client) -> None:
    failed = user.jobs.wait_for_result(user.create_job(work(fail="boom")))
    job = user.create_job(work())
    user.jobs.cancel(job)
    canceled = user.jobs.wait_for_result(job)
    assert (failed.success, failed.error) == (False, "assertion: boom")
    assert (canceled.success, canceled.error) == (False, "the job is canceled")


# Control


def test_steers_a_job(user: Client) -> None:
    job = user.create_job(work())
    assert user.jobs.set_low_priority(job).low_priority is True
    assert user.jobs.remove_low_priority(job).low_priority is False
    assert user.jobs.set_priority(job, 7).priority == 7
    assert user.jobs.stop(job).status is JobStatus.STOPPED
    assert user.jobs.stop(job).status is JobStatus.STOPPED
    assert user.jobs.resume(job).status is JobStatus.PENDING
    assert user.jobs.cancel(job).status is JobStatus.CANCELED
    with pytest.raises(ApiError, match="the job is canceled") as raised:
        user.jobs.retry(job, only_failed=False)
    assert raised.value.job_id == job.job_id
    user.jobs.delete(job)
    assert user.jobs.find_by_id(job.job_id) is None


# Logs


def entry(second: int, message: str) -> LogEntry:
    return LogEntry.model_validate(
        {"timestamp": f"2026-11-22T03:00:{second:02d}.000Z", "level": "INFO", "message": message}
    )


def test_reads_and_writes_logs(user: Client, project: FakeProject) -> None:
    job = user.create_job(work())
    user.jobs.log_info(job, "one", {"page": 1})
    user.jobs.log_error(job, "two")
    user.jobs.log_info(job, "three")
    assert [(e.level, e.message) for e in user.jobs.logs(job)] == [("INFO", "one"), ("ERROR", "two"), ("INFO", "three")]
    assert project.log[0].additional_info == {"page": 1}
    assert [e.message for e in user.jobs.logs(job, limit=1)] == ["one"]


def test_following_a_log_tells_each_line_once_and_ends_with_the_job(user: Client, project: FakeProject) -> None:
    job = user.create_job(work())
    project.log = [entry(1, "a"), entry(1, "a")]
    more = [[entry(1, "a"), entry(1, "b")], [entry(2, "c")]]

    def pause(_seconds: float) -> None:
        project.log += more.pop(0) if more else []

    client = Client(project.url, KEY, transport=httpx.MockTransport(project.handle), sleep=pause)
    with client:
        told = [e.message for e in client.jobs.logs(job, follow=True)]
    assert told == ["a", "a", "a", "b", "c"]


# Templates and the project


def test_keeps_templates(user: Client, project: FakeProject) -> None:
    ids = [user.templates.create(WriteTemplate(name=f"t{n}", script="pass")).id for n in range(3)]
    assert [template.id for template in user.templates.list()] == ids
    assert user.templates.update(ids[0], WriteTemplate(name="new", script="pass")).version == 2
    assert user.templates.get(ids[0], version=2).name == "new"
    created = user.templates.invoke(ids[0], {"url": "https://shop.example", "currency": "EUR"})
    assert project.sent[created.job_id]["currency"] == "EUR"
    assert project.asked[-1].headers["Idempotency-Key"]
    user.templates.delete(ids[0])
    with pytest.raises(ApiError, match="there is no template"):
        user.templates.get(ids[0])


def test_knows_flaky_tests_and_keeps_quarantines(user: Client, project: FakeProject) -> None:
    page = user.analyze_tests(flaky=True, sort_by="duration", limit=5)
    assert ([test.last_outcomes for test in page.tests], page.cursor) == (["PFKK"], None)
    assert dict(project.asked[-1].url.params) == {"flaky": "true", "sortBy": "duration", "limit": "5"}
    name = "tests/cart.spec.ts › [chromium] › pays & smiles?"
    entry = user.put_quarantine(name, until=date(2026, 12, 1), reason="flickers")
    assert (entry.test_id, entry.until) == (name, date(2026, 12, 1))
    assert user.list_quarantine() == [entry]
    user.delete_quarantine(name)
    with pytest.raises(ApiError, match="not in quarantine"):
        user.delete_quarantine(name)


def test_administers_the_project(user: Client, project: FakeProject) -> None:
    assert user.put_limits(Limits(running=9)).running == user.get_limits().running == 9
    assert user.create_key("ci").secret == "ww_secret"
    user.revoke_key("k1")
    assert [key.revoked for key in user.list_keys()] == [True]
    assert user.queue(long_running_minutes=5).limits.running == 9
    assert project.asked[-1].url.params["longRunningMinutes"] == "5"
    assert user.analytics(job_ids=["a", "b"]).error_types == {"assertion": 1}
    assert dict(project.asked[-1].url.params) == {"jobIds": "a,b"}


def test_every_method_is_told_the_type_of_a_job(user: Client) -> None:
    record: JobRecord = user.get_job(user.create_job(work()).job_id)
    assert user.jobs.wait_for(record).id == record.id
