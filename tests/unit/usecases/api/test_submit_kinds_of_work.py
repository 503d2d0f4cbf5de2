"""Accepting jobs: several scripts, instructions, chains, bounds, and the same request twice at once."""

import io
import json
import tarfile
import threading
from datetime import timedelta

import pytest

from tests.unit.usecases.api.desk import CALLER, PROJECT, REQUEST, SCRIPT, Desk
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.names import bundle_key, new_job_id
from wainwright.domain.capacity import Limits, Retention
from wainwright.domain.errors import (
    CapacityExceeded,
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    Refused,
    TooLarge,
    Unavailable,
)
from wainwright.domain.failures import Failure, FailureCategory
from wainwright.domain.jobs import BLOCKED_CHECK_AFTER, Job, JobDetail, Outcome
from wainwright.domain.states import JobStatus


def test_several_scripts_become_one_bundle(desk: Desk) -> None:
    scripts = [{"name": "test_a.py", "content": SCRIPT}, {"name": "pages.py", "content": "HOME = '/'\n"}]

    job = desk.submitted(script=None, scripts=scripts)

    content, _ = desk.artifacts.get(bundle_key(PROJECT, job.bundle_id or ""))
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        assert sorted(archive.getnames()) == ["pages.py", "test_a.py"]


def test_a_job_of_instructions_fails_at_once_and_never_waits(desk: Desk) -> None:
    view = desk.submit(CALLER, CreateJob(instructions="Press the button."))

    assert view.job.status is JobStatus.FAILED
    assert view.job.failure is not None
    assert view.job.failure.category is FailureCategory.INSTRUCTIONS
    assert "script" in view.job.failure.message
    assert view.detail.instructions == "Press the button."
    assert view.job.expires_at == desk.clock() + timedelta(days=7)
    assert (desk.wakeups.sent, desk.jobs.load(PROJECT).queued, desk.jobs.load(PROJECT).running) == ([], 0, 0)
    assert desk.jobs.waiting_line(PROJECT, desk.clock(), 10) == []


def test_remembers_how_long_its_report_is_kept(desk: Desk) -> None:
    desk.jobs.set_limits(PROJECT, Limits(retention=Retention(report_days=90)))
    assert desk.submitted().report_days == 90


def test_refuses_a_schema_that_is_none(desk: Desk) -> None:
    with pytest.raises(InvalidInput) as refused:
        desk.submitted(outputSchema={"properties": {"a": {"type": "text"}}})

    assert refused.value.field == "outputSchema.properties.a.type"
    assert desk.artifacts.objects == {}


def test_bounds_what_a_job_carries(desk: Desk) -> None:
    with pytest.raises(TooLarge) as refused:
        desk.submitted(params={"text": "x" * 110_000})

    assert "params has" in refused.value.message
    assert desk.jobs.load(PROJECT).queued == 0


# Chains


def test_waits_for_a_job_that_has_not_completed_and_counts_as_queued(desk: Desk) -> None:
    first = desk.submitted()
    desk.wakeups.sent.clear()

    second = desk.submitted(dependsOn=[first.id, first.id])

    assert (second.status, second.depends_on, second.blocked_on) == (JobStatus.PENDING, (first.id,), (first.id,))
    assert second.due_at == second.created_at + BLOCKED_CHECK_AFTER
    assert not second.waiting
    assert desk.jobs.load(PROJECT).queued == 2
    assert desk.wakeups.sent == []
    assert desk.jobs.dependents(PROJECT, first.id) == [second.id]


def test_a_job_knows_that_none_depends_on_it_until_one_does(desk: Desk) -> None:
    first = desk.submitted()
    assert first.is_leaf

    second = desk.submitted(dependsOn=first.id)

    told = desk.jobs.get(PROJECT, first.id)
    assert told == first.model_copy(
        update={"is_leaf": False, "version": first.version + 1, "operation": second.operation}
    )
    assert second.is_leaf
    desk.submitted(dependsOn=first.id)
    assert desk.jobs.get(PROJECT, first.id) == told


@pytest.mark.parametrize("blocked", range(4))
@pytest.mark.parametrize("last_waits", [True, False])
def test_blocked_jobs_count_towards_the_queued_limit_like_any_other(desk: Desk, blocked: int, last_waits: bool) -> None:
    first = desk.submitted()
    for number in range(desk.limits.queued - 1):
        desk.submitted(**({"dependsOn": first.id} if number < blocked else {}))

    with pytest.raises(CapacityExceeded):
        desk.submitted(**({"dependsOn": first.id} if last_waits else {}))

    assert desk.jobs.load(PROJECT).queued == desk.limits.queued


def test_does_not_wait_for_what_has_completed_and_takes_over_its_final_url(desk: Desk) -> None:
    first = desk.ended()
    desk.jobs.set_detail(first, JobDetail(results={"finalUrl": "https://shop.example/done"}))

    second = desk.submitted(dependsOn=first.id)
    third = desk.submitted(dependsOn=first.id, url="https://other.example")

    assert (second.blocked_on, second.waiting, second.url) == ((), True, "https://shop.example/done")
    assert third.url == "https://other.example"


@pytest.mark.parametrize("url", [7, "javascript:alert(1)", "https://" + "a" * 3_000])
def test_takes_over_no_final_url_that_is_none(desk: Desk, url: object) -> None:
    first = desk.ended()
    desk.jobs.set_detail(first, JobDetail(results={"finalUrl": url}))

    assert desk.submitted(dependsOn=first.id).url is None


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELED])
def test_refuses_to_depend_on_what_ended_badly(desk: Desk, status: JobStatus) -> None:
    first = desk.ended(status)

    with pytest.raises(Refused) as refused:
        desk.submitted(dependsOn=first.id)

    assert first.id in refused.value.message
    assert str(status) in refused.value.message


def test_names_the_id_of_a_job_that_does_not_exist(desk: Desk) -> None:
    known, unknown = desk.submitted().id, new_job_id()

    for ids in ([known, unknown], [known, "no id"]):
        with pytest.raises(InvalidInput) as refused:
            desk.submitted(dependsOn=ids)
        assert refused.value.field == "dependsOn.1"


def test_a_job_that_has_expired_does_not_exist(desk: Desk) -> None:
    first = desk.ended()
    desk.jobs.write(first, first.model_copy(update={"expires_at": desk.clock()}))

    with pytest.raises(InvalidInput):
        desk.submitted(dependsOn=first.id)


def _ends_just_before_the_write(desk: Desk, job: Job, monkeypatch: pytest.MonkeyPatch, end: Outcome) -> None:
    write = desk.jobs.write
    races: list[Job] = []

    def racing(before: Job | None, after: Job, **more: object) -> Job:
        if not races:
            races.append(write(job, job.finish(end, desk.clock())))
        return write(before, after, **more)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(desk.jobs, "write", racing)


def test_waits_no_more_for_a_job_that_completes_at_the_same_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.running()
    _ends_just_before_the_write(desk, first, monkeypatch, Outcome(status=JobStatus.COMPLETED, fence=1))

    second = desk.submitted(dependsOn=first.id)

    assert (second.blocked_on, second.depends_on, second.waiting) == ((), (first.id,), True)


def test_refuses_to_depend_on_a_job_that_fails_at_the_same_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.running()
    failure = Failure.of(FailureCategory.ASSERTION, "1 is not 2")
    _ends_just_before_the_write(desk, first, monkeypatch, Outcome(status=JobStatus.FAILED, fence=1, failure=failure))

    with pytest.raises(Refused):
        desk.submitted(dependsOn=first.id)


def test_gives_up_when_what_it_waits_for_changes_all_the_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = desk.submitted()

    def changed(*_: object, **__: object) -> Job:
        raise Conflict("changed")

    monkeypatch.setattr(desk.jobs, "write", changed)
    with pytest.raises(Unavailable):
        desk.submitted(dependsOn=first.id)


# The same request again


def test_the_same_request_at_once_is_one_job(desk: Desk) -> None:
    barrier = threading.Barrier(8)
    made: list[str] = []

    def send() -> None:
        barrier.wait(10)
        made.append(desk.submit(CALLER, REQUEST, "key").job.id)

    senders = [threading.Thread(target=send) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(10)

    assert len(made) == 8
    assert len(set(made)) == 1
    assert desk.jobs.load(PROJECT).queued == 1


def test_the_same_request_is_found_again_when_it_took_the_last_place(desk: Desk) -> None:
    for _ in range(desk.limits.queued - 1):
        desk.submitted()
    last = desk.submit(CALLER, REQUEST, "key").job

    assert desk.submit(CALLER, REQUEST, "key").job.id == last.id


def test_another_request_with_the_same_key_is_refused(desk: Desk) -> None:
    desk.submit(CALLER, REQUEST, "key")

    with pytest.raises(IdempotencyConflict):
        desk.submit(CALLER, REQUEST.model_copy(update={"priority": 1}), "key")


def test_the_details_are_json(desk: Desk) -> None:
    job = desk.submitted(params={"a": [1, None, {"b": "ü"}]}, config={"viewport": {"width": 800, "height": 600}})

    view = desk.jobs.view(PROJECT, job.id)
    assert view is not None
    assert json.loads(json.dumps(view.detail.params)) == {"a": [1, None, {"b": "ü"}]}
    assert view.detail.config == {"viewport": {"width": 800, "height": 600}}
