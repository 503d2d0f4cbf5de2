"""An async suite with requirements of its own through the whole system: installed from the index once, then from the cache."""

import json

import httpx
import pytest

from tests.e2e.whole.local_system import ROOT, Up, results

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.slow]


def test_runs_an_async_suite_with_its_own_requirements(up: Up, client: httpx.Client, shop: str) -> None:
    suite = str(ROOT / "examples" / "async-suite")
    said = []
    for _ in range(2):
        run = up.run("run", suite, "--base-url", shop, "--json")
        assert run.returncode == 0, run.stderr
        job = json.loads(run.stdout)
        assert (job["status"], job["tests"]["total"], job["tests"]["passed"]) == ("completed", 4, 4)
        logs = client.get(f"/v1/jobs/{job['id']}/logs").json()["logs"]
        said += [line["message"] for line in logs if "requirements.txt" in line["message"]]
    # Only what the worker has not got in these very versions: price-parser, pytest, the plugins and what they need.
    assert said[0].startswith("installing ")
    assert said[1:] == ["dependencies of requirements.txt from the cache"]
    by_title = {test["title"]: test for test in results(client, job["id"])["tests"]}
    evidence = {item["name"] for item in by_title["test_every_product_has_a_price"]["attachments"]}
    assert {"trace", "screenshot", "log"} <= evidence
