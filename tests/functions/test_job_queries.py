"""Parameters of a search for jobs."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from functions.api.openapi import operations
from tests.support.events import http_event
from wainwright.domain.errors import InvalidInput
from wainwright.domain.job_query import SortBy
from wainwright.domain.states import JobStatus

TEMPLATE = "7f4df6f4-3a54-4c60-9a4e-7a4f4c7f1a01"


def arguments(query: dict[str, str]) -> dict[str, Any]:
    (list_jobs,) = (operation for operation in operations() if operation.id == "listJobs")
    return list_jobs.read(APIGatewayProxyEventV2(http_event("GET", "/v1/jobs", query=query)))


def test_nothing_asked_for_is_everything() -> None:
    assert arguments({}) == {}


def test_reads_every_parameter() -> None:
    found = arguments(
        {
            "status": "FINISHED", "type": "Browser", "templateId": TEMPLATE, "batchId": "b-1", "hasErrors": "TRUE",
            "label": "nightly", "createFrom": "0", "createTo": "1", "startFrom": "2", "endTo": "2026-11-22T00:00:00Z",
            "sortBy": "completedAt", "sortOrder": "ASC", "cursor": "c", "limit": "7",
        },
    )  # fmt: skip

    assert found == {
        "status": {JobStatus.COMPLETED, JobStatus.FAILED}, "type": frozenset({"browser"}), "template_id": TEMPLATE,
        "batch_id": "b-1", "has_errors": True, "label": "nightly",
        "create_from": datetime(1970, 1, 1, tzinfo=UTC),
        "create_to": datetime(1970, 1, 1, 0, 0, 0, 1_000, tzinfo=UTC),
        "start_from": datetime(1970, 1, 1, 0, 0, 0, 2_000, tzinfo=UTC),
        "end_to": datetime(2026, 11, 22, tzinfo=UTC),
        "sort_by": SortBy.COMPLETED, "sort_order": True, "cursor": "c", "limit": 7,
    }  # fmt: skip


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
        arguments({name: value})

    assert refused.value.field == name
