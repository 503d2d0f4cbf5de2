"""The line that says what a job costs."""

from typing import Any

import httpx
import pytest

from tests.unit.cli.conftest import Run
from tests.unit.client.fake_api import CREATED, JOB_ID, KEY, FakeApi, job_record
from wainwright.cli import costs
from wainwright.cli.costs import cost_line, dollars, settled
from wainwright.client import Client
from wainwright.contracts.job_records import JobCost, JobRecord
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


def metered_job(lines: list[dict[str, Any]], started: str | None = CREATED) -> JobRecord:
    found = cost(CostBasis.METERED, lines).model_dump(mode="json", by_alias=True)
    return job_record(JobStatus.COMPLETED, started_at=started, cost=found)


def settled_by(api: FakeApi, job: JobRecord) -> JobRecord:
    with Client(api.url, KEY) as client:
        return settled(client, job)


def answer(job: JobRecord) -> httpx.Response:
    return httpx.Response(200, json={"job": job.model_dump(mode="json", by_alias=True)})


def test_waits_until_the_transitions_of_a_metered_job_are_counted(api: FakeApi) -> None:
    early = metered_job([line for line in LINES if line["what"] != "stepfunctions.transition"])
    complete = metered_job(LINES)
    api.planned = [answer(early), answer(early), answer(complete)]

    assert settled_by(api, early).cost == complete.cost
    assert len(api.asked) == 3


def test_does_not_wait_for_an_execution_that_a_job_may_never_have_had(api: FakeApi) -> None:
    canceled = metered_job(LINES[:1], started=None)
    api.planned = [answer(canceled)]

    settled_by(api, canceled)

    assert len(api.asked) == 1


def test_does_not_wait_where_nobody_meters(api: FakeApi) -> None:
    estimated = job_record(JobStatus.COMPLETED, started_at=CREATED)
    api.planned = [answer(estimated)]

    settled_by(api, estimated)

    assert len(api.asked) == 1


def test_says_so_when_the_transitions_are_not_counted_in_time(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(costs, "SETTLE_SECONDS", 0.0)
    early = metered_job(LINES[:1])
    api.planned = [answer(early)]

    settled_by(api, early)

    assert f"the cost is not complete yet; later: wainwright jobs get {JOB_ID}" in capsys.readouterr().err
