"""The line that says what a job costs."""

from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.client.fake_api import JOB_ID, FakeApi, job_record
from wainwright.cli.costs import cost_line, dollars
from wainwright.contracts.http.jobs import JobCost
from wainwright.domain.costs import WORKER_SECONDS, CostBasis
from wainwright.domain.states import JobStatus

LINES: list[dict[str, Any]] = [
    {"group": "controlPlane", "what": "dynamodb.write", "count": 80, "unit": "write units", "usd": 0.00005},
    {"group": "controlPlane", "what": "stepfunctions.transition", "count": 3, "unit": "transitions", "usd": 0.00007},
    {"group": "artifacts", "what": "s3.put", "count": 7, "unit": "PUT requests", "usd": 0.00004},
    {"group": "looking", "what": "httpapi.request", "count": 9, "unit": "requests", "usd": 0.5},
    {"group": "compute", "what": WORKER_SECONDS, "count": 20.04, "unit": "seconds", "usd": 0.00022},
    {"group": "compute", "what": "ipv4.hour", "count": 0.006, "unit": "hours", "usd": 0.00003},
]


def cost(basis: CostBasis, lines: list[dict[str, Any]]) -> JobCost:
    usd = sum(line["usd"] for line in lines if line["group"] != "looking")
    return JobCost.model_validate({"seconds": 20.0, "usd": usd, "basis": basis, "breakdown": lines})


def test_says_what_was_metered_and_that_nobody_is_billed() -> None:
    assert cost_line(cost(CostBasis.METERED, LINES)) == (
        "$0.00041 on AWS (us-east-1, arm64 on demand; metered here, where nothing is billed): "
        "20 s of a worker $0.00025, control plane $0.00012, report $0.00004"
    )


def test_says_that_an_estimate_is_one() -> None:
    lines = [line for line in LINES if line["group"] != "artifacts"]

    assert cost_line(cost(CostBasis.ESTIMATED, lines)) == (
        "about $0.00037 on AWS (us-east-1, arm64 on demand; an estimate): 20 s of a worker $0.00025, control plane $0.00012"
    )


def test_says_nothing_where_nothing_is_known() -> None:
    assert cost_line(JobCost(seconds=3)) is None


@pytest.mark.parametrize(
    ("usd", "shown"), [(0.000012, "$0.00001"), (0.0123, "$0.012"), (1.2, "$1.20"), (0.0, "$0.00000")]
)
def test_amounts_have_as_many_digits_as_say_something(usd: float, shown: str) -> None:
    assert dollars(usd) == shown


def test_jobs_get_shows_it(api: FakeApi, wainwright: Run) -> None:
    found = cost(CostBasis.METERED, LINES).model_dump(mode="json", by_alias=True)
    api.final = job_record(JobStatus.COMPLETED, cost=found)

    shown = " ".join(wainwright("jobs", "get", JOB_ID).stdout.split())

    assert "cost $0.00041 on AWS" in shown
    assert "control plane $0.00012" in shown
