"""Analytics of tests and quarantine as over HTTP."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.functions.stage import TABLE, Stage
from tests.support.builders import a_running_job
from wainwright.adapters.aws.job_store import DynamoJobStore
from wainwright.adapters.aws.test_history_store import DynamoTestHistory
from wainwright.contracts.scopes import Scope
from wainwright.domain.test_history import Sample
from wainwright.domain.tests import TestOutcome

PASSED, FAILED, FLAKY = TestOutcome.PASSED, TestOutcome.FAILED, TestOutcome.FLAKY
NAME = "tests/cart.spec.ts › [chromium] › pays & smiles? 100 %"


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


@pytest.fixture(scope="module")
def tested(stage: Stage) -> Stage:
    history = DynamoTestHistory(stage.clients.dynamodb, TABLE)
    now = datetime.now(UTC)
    job = a_running_job(DynamoJobStore(stage.clients.dynamodb, TABLE), project="tested")
    for cart, pays in ((PASSED, FLAKY), (FLAKY, FLAKY), (PASSED, FAILED)):
        samples = {"test_shop.py": {"cart": Sample(cart, 500), "pays": Sample(pays, 100), "opens": Sample(PASSED, 900)}}
        history.note(job, samples, now=now)
    history.note(job, {"test_other.py": {"other": Sample(PASSED, 1)}}, now=now)
    return stage


def names(answer: httpx.Response) -> list[str]:
    return [test["id"] for test in answer.json()["tests"]]


def test_ranks_tests_by_what_is_asked_for(tested: Stage) -> None:
    with tested.other_project("tested") as client:
        flakiest = client.get("/v1/analytics/tests")
        slowest = client.get("/v1/analytics/tests?sortBy=duration&file=test_shop.py")
        failing = client.get("/v1/analytics/tests?sortBy=failureRate&limit=1")

        assert names(flakiest) == ["pays", "cart", "opens", "other"]
        assert names(slowest) == ["opens", "cart", "pays"]
        assert names(failing) == ["pays"]
        pays = flakiest.json()["tests"][0]
        assert (pays["runs"], pays["flaky"], pays["failed"], pays["lastOutcomes"]) == (3, 2, 1, "KKF")
        assert (pays["flakeRate"], pays["failureRate"], pays["quarantined"]) == (0.6667, 0.3333, False)
        assert names(client.get("/v1/analytics/tests?flaky=true")) == ["pays", "cart"]
        assert names(client.get("/v1/analytics/tests?flaky=false")) == ["opens", "other"]


def test_pages_through_the_tests(tested: Stage) -> None:
    with tested.other_project("tested") as client:
        first = client.get("/v1/analytics/tests?limit=3")
        second = client.get("/v1/analytics/tests", params={"limit": 3, "cursor": first.json()["cursor"]})
        elsewhere = client.get("/v1/analytics/tests", params={"flaky": "true", "cursor": first.json()["cursor"]})

        assert names(first) + names(second) == ["pays", "cart", "opens", "other"]
        assert second.json()["cursor"] is None
        assert (first.json()["truncated"], second.json()["truncated"]) == (False, False)
        assert (elsewhere.status_code, elsewhere.json()["field"]) == (400, "cursor")


@pytest.mark.parametrize(
    ("query", "field"),
    [("flaky=perhaps", "flaky"), ("sortBy=name", "sortBy"), ("cursor=x", "cursor"), ("days=1", "days")],
)
def test_a_question_that_is_wrong_is_refused_by_name(client: httpx.Client, query: str, field: str) -> None:
    answer = client.get(f"/v1/analytics/tests?{query}")

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_test_is_put_into_quarantine_listed_and_taken_out(stage: Stage) -> None:
    with stage.other_project("quarantining") as client:
        put = client.put("/v1/quarantine", json={"testId": NAME, "until": in_days(3), "reason": "flickers"})
        changed = client.put("/v1/quarantine", json={"testId": NAME, "until": in_days(5), "reason": "still does"})
        listed = client.get("/v1/quarantine").json()["quarantine"]
        removed = client.delete("/v1/quarantine", params={"testId": NAME})

        assert (put.status_code, put.json()["quarantine"]["until"]) == (200, in_days(3))
        assert listed == [changed.json()["quarantine"]]
        assert (listed[0]["testId"], listed[0]["reason"]) == (NAME, "still does")
        assert removed.status_code == 204
        assert client.get("/v1/quarantine").json() == {"quarantine": []}
        assert client.delete("/v1/quarantine", params={"testId": NAME}).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [({"until": in_days(-2)}, "until"), ({"until": in_days(92)}, "until"), ({"until": "soon"}, "until"),
     ({"reason": ""}, "reason"), ({"testId": ""}, "testId"), ({"testId": "x" * 4_001}, "testId"), ({"glob": "*"}, "glob")],
    ids=["over", "too-far", "no-date", "no-reason", "no-test", "long-test", "unknown"],
)  # fmt: skip
def test_a_quarantine_that_cannot_be_is_refused_by_name(
    client: httpx.Client, change: dict[str, str], field: str
) -> None:
    answer = client.put("/v1/quarantine", json={"testId": "t", "until": in_days(1), "reason": "r"} | change)

    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_taking_out_names_the_test(client: httpx.Client) -> None:
    answer = client.delete("/v1/quarantine")

    assert (answer.status_code, answer.json()["field"]) == (400, "testId")


def test_who_only_reads_puts_nothing_into_quarantine(stage: Stage) -> None:
    with stage.client(Scope.READ) as client:
        body = {"testId": "t", "until": in_days(1), "reason": "r"}
        assert client.put("/v1/quarantine", json=body).status_code == 403
        assert client.delete("/v1/quarantine?testId=t").status_code == 403
        assert client.get("/v1/quarantine").status_code == 200
