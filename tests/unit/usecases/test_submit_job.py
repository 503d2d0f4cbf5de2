"""Accepting jobs."""

import hashlib
import io
import tarfile
from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, SCRIPT, START, a_caller
from tests.support.system import System
from wainwright.contracts.bundles import pack_files
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.names import bundle_key
from wainwright.domain.capacity import Limits
from wainwright.domain.errors import CapacityExceeded, IdempotencyConflict, InvalidInput
from wainwright.domain.job_config import JobConfig
from wainwright.domain.jobs import CHECK_AFTER, Job, RunBy
from wainwright.domain.states import JobStatus
from wainwright.usecases.check_scripts import check_script

CALLER = a_caller()
REQUEST = CreateJob(script=SCRIPT)


def test_writes_the_job_into_the_line_and_wakes_dispatch(system: System) -> None:
    view = system.submit(CALLER, REQUEST)

    assert system.jobs.view(PROJECT, view.job.id) == view
    assert (view.job.status, view.job.waiting, view.job.due_at) == (JobStatus.PENDING, True, START + CHECK_AFTER)
    assert system.jobs.waiting_line(PROJECT, START, 10) == [view.job.id]
    assert system.wakeups.sent == [(PROJECT, timedelta(0))]


def test_keeps_what_was_asked_for(system: System) -> None:
    request = CreateJob(
        script=SCRIPT, url="https://shop.example", label="checkout", params={"a": 1}, config=JobConfig(timeout=5_000),
        priority=7, low_priority=True,
    )  # fmt: skip

    view = system.submit(CALLER, request)
    job = view.job

    assert (job.url, job.label, job.priority, job.low_priority) == ("https://shop.example", "checkout", 7, True)
    assert (job.timeout_ms, view.detail.params, view.detail.config) == (5_000, {"a": 1}, {"timeout": 5_000})
    assert job.run_by == RunBy(id="k1", name="a key")


def test_bounds_a_job_that_names_no_timeout(system: System) -> None:
    assert system.submit(CALLER, REQUEST).job.timeout_ms == system.submit.default_timeout_ms


def test_makes_a_bundle_of_a_script_under_its_digest(system: System) -> None:
    job = system.submit(CALLER, REQUEST).job

    content, content_type = system.artifacts.get(bundle_key(PROJECT, job.bundle_id or ""))
    assert content_type == "application/gzip"
    assert hashlib.sha256(content).hexdigest() == job.bundle_id
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        file = archive.extractfile("test_script.py")
        assert file is not None
        assert file.read().decode() == SCRIPT


def test_the_same_script_is_the_same_bundle(system: System) -> None:
    assert system.submit(CALLER, REQUEST).job.bundle_id == system.submit(CALLER, REQUEST).job.bundle_id
    assert len(system.artifacts.objects) == 1


def test_accepts_a_bundle_that_was_uploaded_to_this_project(system: System) -> None:
    archive = pack_files({"test_a.py": b"def test_a(): pass"})
    digest = hashlib.sha256(archive).hexdigest()
    system.artifacts.put(bundle_key(PROJECT, digest), archive, "application/gzip")

    assert system.submit(CALLER, CreateJob(bundle_id=digest)).job.bundle_id == digest
    with pytest.raises(InvalidInput):
        system.submit(a_caller("other"), CreateJob(bundle_id=digest))


def test_refuses_a_bundle_that_was_never_uploaded_and_says_how_to(system: System) -> None:
    with pytest.raises(InvalidInput) as refused:
        system.submit(CALLER, CreateJob(bundle_id="a" * 64))

    assert refused.value.field == "bundleId"
    assert "POST /v1/bundles" in refused.value.advice
    _assert_untouched(system)


@pytest.mark.parametrize(
    ("script", "line", "column"),
    [
        pytest.param("def test_a(:\n    pass\n", 1, 12, id="a stray colon"),
        pytest.param("x = 1\ny = (1,\n", 2, 5, id="a bracket that is never closed"),
        pytest.param("if True:\nx = 1\n", 2, 1, id="a missing indent"),
        pytest.param("x = '\0'", 1, 1, id="a null byte"),
        pytest.param("-" * 100_000 + "1", 1, 1, id="nested deeper than the parser goes"),
        pytest.param("x" + ".y" * 60_000, 1, 1, id="a chain longer than the parser goes"),
    ],
)
def test_refuses_a_script_that_does_not_compile_and_says_where(
    system: System, script: str, line: int, column: int
) -> None:
    with pytest.raises(InvalidInput) as refused:
        system.submit(CALLER, CreateJob(script=script))

    assert refused.value.field == "script"
    assert refused.value.extra == {"line": line, "column": column}
    assert refused.value.message.startswith(f"line {line}, column {column}: ")
    assert len(refused.value.message) > len(f"line {line}, column {column}: ")
    _assert_untouched(system)


def test_takes_a_script_with_every_letter_there_is() -> None:
    check_script("# coding: utf-8\nname = 'Zoë ✓ 漢字 🎈'\n\n\ndef test_ñ():\n    assert name\n")


def test_refuses_a_job_beyond_the_queued_limit(system: System) -> None:
    for _ in range(system.limits.queued):
        system.submit(CALLER, REQUEST)
    system.wakeups.sent.clear()

    with pytest.raises(CapacityExceeded) as refused:
        system.submit(CALLER, REQUEST)

    assert refused.value.retry_after >= 1
    assert system.wakeups.sent == []
    assert system.jobs.load(PROJECT).queued == system.limits.queued


def test_room_comes_back_when_a_job_has_started(system: System) -> None:
    for _ in range(system.limits.queued):
        system.submit(CALLER, REQUEST)
    system.dispatch()

    system.submit(CALLER, REQUEST)


def test_a_key_whose_job_was_deleted_makes_no_other_and_says_what_to_do(system: System) -> None:
    job = system.submit(CALLER, REQUEST, "k").job
    system.control.cancel(CALLER, job.id)
    system.control.delete(CALLER, job.id)

    with pytest.raises(IdempotencyConflict, match="deleted") as refused:
        system.submit(CALLER, REQUEST, "k")

    assert job.id in refused.value.message
    assert refused.value.advice


def test_a_projects_own_limits_go_before_those_of_the_stage(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    load = system.jobs.load(PROJECT).model_copy(update={"limits": Limits(running=1, queued=1)})
    monkeypatch.setattr(system.jobs, "load", lambda _project: load)
    system.submit(CALLER, REQUEST)

    with pytest.raises(CapacityExceeded):
        system.submit(CALLER, REQUEST)


class TestIdempotency:
    def test_the_same_request_under_the_same_key_is_the_same_job(self, system: System) -> None:
        first = system.submit(CALLER, REQUEST, "key")
        system.dispatch()
        second = system.submit(CALLER, REQUEST, "key")

        assert second.job.id == first.job.id
        assert second.job == system.job(first.job)  # as it is now
        assert system.jobs.load(PROJECT).queued == 0

    def test_the_same_job_is_given_though_the_line_is_full(self, system: System) -> None:
        first = system.submit(CALLER, REQUEST, "key")
        for _ in range(system.limits.queued - 1):
            system.submit(CALLER, REQUEST)

        assert system.submit(CALLER, REQUEST, "key").job.id == first.job.id

    def test_another_request_under_the_same_key_is_refused(self, system: System) -> None:
        system.submit(CALLER, REQUEST, "key")

        with pytest.raises(IdempotencyConflict) as refused:
            system.submit(CALLER, CreateJob(script=SCRIPT, label="another"), "key")

        assert refused.value.advice
        assert system.jobs.load(PROJECT).queued == 1

    def test_no_key_no_memory(self, system: System) -> None:
        assert system.submit(CALLER, REQUEST).job.id != system.submit(CALLER, REQUEST).job.id

    def test_keys_of_projects_do_not_meet(self, system: System) -> None:
        system.submit(CALLER, REQUEST, "key")

        assert system.submit(a_caller("other"), CreateJob(script=SCRIPT, label="x"), "key").job.project == "other"

    def test_of_two_at_once_the_loser_is_given_the_winners_job(
        self, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        winner = _arrives_just_before(system, monkeypatch, REQUEST)

        view = system.submit(CALLER, REQUEST, "key")

        assert [view.job.id] == winner
        assert system.jobs.load(PROJECT).queued == 1

    def test_of_two_different_ones_at_once_the_loser_is_refused(
        self, system: System, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _arrives_just_before(system, monkeypatch, CreateJob(script=SCRIPT, label="another"))

        with pytest.raises(IdempotencyConflict):
            system.submit(CALLER, REQUEST, "key")


def _arrives_just_before(system: System, monkeypatch: pytest.MonkeyPatch, request: CreateJob) -> list[str]:
    """Submit ``request`` under the same key between the other one's look and its write."""
    write = system.jobs.write
    submitted: list[str] = []

    def late(before: Job | None, after: Job, **more: Any) -> Job:
        monkeypatch.setattr(system.jobs, "write", write)
        submitted.append(system.submit(CALLER, request, "key").job.id)
        return write(before, after, **more)

    monkeypatch.setattr(system.jobs, "write", late)
    return submitted


def _assert_untouched(system: System) -> None:
    assert system.jobs.loads() == []
    assert system.wakeups.sent == []
    assert system.artifacts.objects == {}
