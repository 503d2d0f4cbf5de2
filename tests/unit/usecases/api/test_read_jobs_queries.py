"""What the parameters of a search stand for, and waiting."""

import pytest

from tests.unit.usecases.api.desk import CALLER, Desk
from wainwright.domain.errors import InvalidInput, NotFound
from wainwright.domain.find import JobQuery, SortBy
from wainwright.domain.states import JobStatus
from wainwright.usecases.read_jobs import ReadJobs, read_query

TEMPLATE = "7f4df6f4-3a54-4c60-9a4e-7a4f4c7f1a01"


def test_nothing_asked_for_is_everything_newest_first() -> None:
    assert read_query({}, limit=50) == JobQuery(limit=50)


def test_reads_every_parameter() -> None:
    query = read_query(
        {
            "status": "FINISHED", "type": "Browser", "templateId": TEMPLATE, "batchId": "b-1", "hasErrors": "TRUE",
            "label": "nightly", "createFrom": "0", "createTo": "1", "startFrom": "2", "endTo": "2026-11-22T00:00:00Z",
            "sortBy": "completedAt", "sortOrder": "ASC", "cursor": "c",
        },
        limit=7,
    )  # fmt: skip

    assert query.statuses == {JobStatus.COMPLETED, JobStatus.FAILED}
    assert (query.types, query.template_id, query.batch_id) == (frozenset({"browser"}), TEMPLATE, "b-1")
    assert (query.has_errors, query.label) == (True, "nightly")
    assert query.created.start is not None
    assert query.created.end is not None
    assert (query.started.end, query.ended.start) == (None, None)
    assert (query.sort_by, query.ascending, query.limit, query.cursor) == (SortBy.COMPLETED, True, 7, "c")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "done"), ("type", "IMPORT_RECORDS"), ("templateId", "my template"), ("batchId", "b#1"),
        ("hasErrors", "yes"), ("label", ""), ("label", "x" * 201), ("createFrom", "today"), ("endTo", ""),
        ("sortBy", "label"), ("sortOrder", "up"),
    ],
)  # fmt: skip
def test_names_the_parameter_whose_value_is_none(name: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_query({name: value}, limit=50)

    assert refused.value.field == name


def test_an_expired_job_is_not_there_any_more(desk: Desk) -> None:
    job = desk.ended()
    desk.jobs.write(job, job.model_copy(update={"expires_at": desk.clock()}))

    with pytest.raises(NotFound):
        desk.read.get(CALLER, job.id)
    with pytest.raises(NotFound):
        desk.read.wait(CALLER, job.id, seconds=20)
    assert desk.read.find(CALLER, JobQuery()).jobs == []


def test_waits_for_one_of_several_states(desk: Desk) -> None:
    job = desk.submitted()
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            desk.jobs.write(job, job.cancel(desk.clock()))

    read = ReadJobs(desk.jobs, desk.clock, pause)
    found = read.wait(CALLER, job.id, seconds=20, states={JobStatus.RUNNING, JobStatus.CANCELED})

    assert found.job.status is JobStatus.CANCELED
    assert len(pauses) == 2


def test_answers_as_it_is_when_the_time_is_up(desk: Desk) -> None:
    job = desk.submitted()
    assert desk.read.wait(CALLER, job.id, seconds=1).job.status is JobStatus.PENDING
