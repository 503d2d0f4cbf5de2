"""The patterns, against a fake of a project."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from rich.console import Console

from tests.support.coroutines import finished
from tests.unit.client.fake_api import job_record
from tests.unit.client.fake_project import FakeProject
from wainwright.client import ApiError, AsyncClient, Client, CreateJob, JobFailed, JobStatus, WriteTemplate
from wainwright.client.patterns import (
    Dashboard,
    Invoke,
    JobChain,
    JobQueue,
    QueueStats,
    analyze,
    run_parallel,
    run_with_retry,
)
from wainwright.client.patterns.display import draw, show

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)


def work(**params: Any) -> CreateJob:
    return CreateJob(script="def test_it(): pass\n", params=params)


# Chains


def test_a_chain_goes_on_at_the_final_url(user: Client, project: FakeProject) -> None:
    template = user.templates.create(WriteTemplate(name="t", script="pass"))
    chain = JobChain(user).add(work(results={"finalUrl": "https://a.example/in"})).add(Invoke(template.id)).add(work())
    steps: list[tuple[int, int]] = []
    outcomes = chain.execute("https://a.example/", on_step=lambda step, of: steps.append((step, of)))
    assert [body["url"] for body in project.sent.values()] == ["https://a.example/"] + ["https://a.example/in"] * 2
    assert [outcome.success for outcome in outcomes] == [True] * 3
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_the_first_failure_ends_a_chain_and_names_its_step(user: Client, project: FakeProject) -> None:
    with pytest.raises(JobFailed, match="the chain failed at step 2: assertion: boom") as raised:
        JobChain(user).add(work()).add(work(fail="boom")).add(work()).execute("https://a.example/")
    assert (raised.value.step, raised.value.job_id, len(project.sent)) == (2, list(project.sent)[1], 2)


def test_a_chain_names_the_step_that_could_not_be_created(user: Client) -> None:
    with pytest.raises(JobFailed, match="the chain failed at step 1: there is no template gone"):
        JobChain(user).add(Invoke("gone")).execute()


def test_a_chain_is_awaited_with_an_asynchronous_client(async_user: AsyncClient, project: FakeProject) -> None:
    async def use() -> int:
        async with async_user as client:
            return len(await JobChain(client).add(work()).add(work()).execute("https://a.example/"))

    assert finished(use()) == 2


# Parallel


def test_runs_jobs_in_parallel_and_sorts_them(user: Client, project: FakeProject) -> None:
    told: list[tuple[int, str]] = []
    outcome = run_parallel(
        user, [work(), work(fail="boom"), work(refuse=True), work()],
        on_progress=lambda number, job: told.append((number, job.status)),
    )  # fmt: skip
    assert project.most_running == 3
    assert [each.success for each in outcome.all] == [True, False, False, True]
    assert [each.error for each in outcome.failed] == ["assertion: boom", "refused"]
    assert len(outcome.successful) == 2
    assert [status for number, status in told if number == 1] == ["pending", "running", "failed"]


def test_jobs_that_take_too_long_are_among_the_failed(user: Client) -> None:
    outcome = run_parallel(user, [work(stays="running")], timeout=0)
    assert "has not ended within 0 s" in str(outcome.failed[0].error)
    assert outcome.failed[0].job_id


def test_a_job_that_disappears_is_among_the_failed(user: Client, project: FakeProject) -> None:
    def forget(number: int, job: Any) -> None:
        project.jobs.pop(job.id, None)

    outcome = run_parallel(user, [work()], on_progress=forget)
    assert "has no job" in str(outcome.failed[0].error)


def test_parallel_is_awaited_with_an_asynchronous_client(async_user: AsyncClient) -> None:
    async def use() -> int:
        async with async_user as client:
            return len((await run_parallel(client, [work(), work()])).successful)

    assert finished(use()) == 2


# Retries


def test_tries_again_with_growing_delays_and_counts_all_tries(
    user: Client, project: FakeProject, paused: list[float]
) -> None:
    attempts: list[tuple[int, str | None]] = []
    with pytest.raises(JobFailed, match="the job failed after 3 attempts; the last error: assertion: boom") as raised:
        run_with_retry(user, work(fail="boom"), on_attempt=lambda *told: attempts.append(told))
    assert paused == [10.0, 20.0]
    assert (len(project.sent), raised.value.job_id) == (3, list(project.sent)[2])
    assert attempts[:3] == [(1, None), (1, "assertion: boom"), (2, None)]


def test_ends_with_the_first_success(user: Client, project: FakeProject) -> None:
    def mend(attempt: int, error: str | None) -> None:
        if error:
            project.sent[list(project.sent)[-1]]["steering"].clear()
            params.clear()

    params = {"fail": "boom"}
    outcome = run_with_retry(user, Invoke(_template(user), params), delay=0, on_attempt=mend)
    assert (outcome.success, len(project.sent)) == (True, 2)


def test_errors_on_the_way_count_as_tries(user: Client, project: FakeProject) -> None:
    project.planned = [httpx.ConnectError("refused")] * 5
    assert run_with_retry(user, work(), max_retries=2, delay=0).success


def test_what_the_api_refuses_is_not_tried_again(user: Client, project: FakeProject, paused: list[float]) -> None:
    with pytest.raises(ApiError, match="refused"):
        run_with_retry(user, work(refuse=True))
    assert paused == []


def _template(user: Client) -> str:
    return user.templates.create(WriteTemplate(name="t", script="pass")).id


# Queues


def test_a_queue_starts_by_priority_so_many_at_a_time(user: Client, project: FakeProject) -> None:
    queue = JobQueue(user, max_concurrent=2)
    numbers = [
        queue.add(work(name=name, **more), priority)
        for name, priority, more in (("a", 1, {}), ("b", 2, {"fail": "boom"}), ("c", 1, {}), ("d", 3, {}))
    ]
    seen: list[QueueStats] = []
    assert queue.stats() == QueueStats(4, 0, 0, 0, 0)
    outcomes = queue.process(on_change=seen.append)
    assert [body["params"]["name"] for body in project.sent.values()] == ["d", "b", "a", "c"]
    assert project.most_running == 2
    assert [outcomes[number].success for number in numbers] == [True, False, True, True]
    assert queue.stats() == seen[-1] == QueueStats(0, 0, 4, 3, 1)
    assert seen[0] == QueueStats(2, 2, 0, 0, 0)


def test_jobs_can_be_added_while_a_queue_runs(user: Client) -> None:
    queue = JobQueue(user)
    queue.add(work())
    more = [work(), work(refuse=True)]

    def add(_stats: QueueStats) -> None:
        if more:
            queue.add(more.pop())

    assert len(queue.process(on_change=add)) == 3
    assert queue.stats().failed == 1


def test_a_queue_is_awaited_with_an_asynchronous_client(async_user: AsyncClient) -> None:
    async def use() -> QueueStats:
        async with async_user as client:
            queue = JobQueue(client, max_concurrent=1)
            queue.add(work())
            await queue.process()
            return queue.stats()

    assert finished(use()) == QueueStats(0, 0, 1, 1, 0)


# Numbers


def test_analyzes_jobs_however_they_are_named(user: Client, project: FakeProject) -> None:
    created = user.create_job(work())
    assert analyze(user, [created, created.job, "x"]).completed_jobs == 2
    assert project.asked[-1].url.params["jobIds"] == f"{created.job_id},{created.job_id},x"


# Dashboard


def _dashboard(user: Client, project: FakeProject) -> Dashboard[Client]:
    def add(number: int, status: JobStatus, **changes: Any) -> None:
        job_id = str(number)
        project.jobs[job_id] = job_record(
            status, id=job_id, updated_at=NOW + timedelta(minutes=number % 7), error="x [red]\x1b", **changes
        )

    for number in range(7):
        add(number, JobStatus.FAILED)
    add(7, JobStatus.COMPLETED)
    for number, minutes in ((8, 11), (9, 10), (10, 40)):
        add(number, JobStatus.RUNNING, started_at=NOW - timedelta(minutes=minutes))
    project.page = 100
    dashboard = Dashboard(user)
    dashboard.refresh()
    return dashboard


def test_a_dashboard_sums_up(user: Client, project: FakeProject) -> None:
    dashboard = _dashboard(user, project)
    summary = dashboard.summary()
    assert (summary.total, summary.by_status) == (
        11, {JobStatus.RUNNING: 3, JobStatus.COMPLETED: 1, JobStatus.FAILED: 7}
    )  # fmt: skip
    assert summary.success_rate == pytest.approx(100 / 11)
    assert [job.id for job in dashboard.recent_failures()] == ["6", "5", "4", "3", "2"]
    assert [job.id for job in dashboard.long_running(now=NOW)] == ["10", "8"]


def test_an_empty_dashboard_has_no_rate(user: Client) -> None:
    dashboard = Dashboard(user)
    dashboard.refresh()
    assert dashboard.summary().success_rate is None


def test_draws_a_dashboard_without_reading_what_jobs_say(user: Client, project: FakeProject) -> None:
    out = io.StringIO()
    Console(file=out, width=100).print(draw(_dashboard(user, project), now=NOW))
    assert "x [red]" in out.getvalue()
    assert "\x1b" not in out.getvalue()
    assert "40 minutes" in out.getvalue()
    assert "9.1 %" in out.getvalue()


def test_refreshes_every_30_seconds_and_draws_every_5(user: Client, project: FakeProject) -> None:
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds
        if now[0] == 60:
            project.planned = [httpx.ConnectError("refused")] * 5

    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True)
    show(Dashboard(user), console, rounds=14, sleep=sleep, clock=lambda: now[0])
    assert slept == [5.0] * 13
    assert len(project.asked) == 1 + 1 + 5  # at first, after 30 s, and in vain after 60 s
    assert "not up to date: " in out.getvalue()
