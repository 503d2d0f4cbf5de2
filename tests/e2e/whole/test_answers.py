"""What goes wrong is answered clearly, each in its own way."""

import json
import re
import socket
from pathlib import Path

import httpx
import pytest

from tests.e2e.whole.local_system import Up, ended, eventually, results, submit

pytestmark = pytest.mark.e2e


def _folder(path: Path, **files: str) -> str:
    path.mkdir()
    for name, text in files.items():
        (path / f"{name}.py").write_text(text)
    return str(path)


def test_a_suite_with_a_syntax_error_fails_as_script_error_naming_file_and_line(up: Up, tmp_path: Path) -> None:
    run = up.run("run", _folder(tmp_path / "suite", test_broken="def test_a():\n    assert (\n"), "--json")

    assert run.returncode == 1, run.stderr
    job = json.loads(run.stdout)
    assert (job["status"], job["failure"]["category"]) == ("failed", "script_error")
    assert "test_broken.py" in job["failure"]["message"]
    assert ":2" in job["failure"]["message"]


def test_an_inline_script_with_a_syntax_error_is_refused_with_line_and_column(client: httpx.Client) -> None:
    answer = client.post("/v1/jobs", json={"script": "def test_a():\n    assert (\n"})

    problem = answer.json()
    assert answer.status_code == 400
    assert (problem["field"], problem["line"], problem["column"]) == ("script", 2, 12)


def test_an_empty_directory_is_a_usage_error(up: Up, tmp_path: Path) -> None:
    run = up.run("run", _folder(tmp_path / "empty"))

    assert run.returncode == 2
    assert run.stdout == ""
    assert len(run.stderr.strip().splitlines()) == 1
    assert "no test" in run.stderr


def test_a_directory_over_the_size_bound_is_a_usage_error_that_names_what_is_large(up: Up, tmp_path: Path) -> None:
    suite = Path(_folder(tmp_path / "large", test_a="def test_a(): pass\n"))
    with (suite / "video.bin").open("wb") as file:
        file.truncate(1_200 * 1_048_576)

    run = up.run("run", str(suite))

    assert run.returncode == 2
    assert "video.bin" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.browser
def test_a_base_url_that_refuses_connections_fails_as_navigation(up: Up, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refusing = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        suite = _folder(tmp_path / "suite", test_home='def test_home(page):\n    page.goto("")\n')

        run = up.run("run", suite, "--base-url", refusing, "--json")

    assert run.returncode == 1, run.stderr
    job = json.loads(run.stdout)
    assert (job["status"], job["failure"]["category"]) == ("failed", "navigation")
    assert "ERR_CONNECTION_REFUSED" in job["failure"]["message"]


def test_a_suite_without_tests_does_not_pass(client: httpx.Client) -> None:
    record = ended(client, submit(client, "x = 1\n"))

    assert (record["status"], record["failure"]["category"]) == ("failed", "script_error")
    assert "no tests" in record["failure"]["message"]
    assert record["report"]["ready"]
    assert not record["report"]["complete"]


def test_a_job_past_its_timeout_fails_as_job_timeout_and_keeps_what_had_ended(client: httpx.Client) -> None:
    script = "import time\ndef test_quick(): pass\ndef test_slow(): time.sleep(60)\n"

    record = ended(client, submit(client, script, config={"timeout": 12_000}))

    assert (record["status"], record["failure"]["category"]) == ("failed", "job_timeout")
    assert record["tests"]["passed"] == 1
    outcomes = {test["title"]: test["outcome"] for test in results(client, record["id"])["tests"]}
    assert outcomes["test_quick"] == "passed"


def test_a_running_job_can_be_canceled_and_keeps_its_evidence(client: httpx.Client) -> None:
    script = "import time\ndef test_quick(): pass\ndef test_slow(): time.sleep(60)\n"
    job_id = submit(client, script)
    assert client.get(f"/v1/jobs/{job_id}?wait=20&status=running").json()["job"]["status"] == "running"

    assert client.post(f"/v1/jobs/{job_id}/cancel").status_code == 200

    record = ended(client, job_id, within=30)
    assert (record["status"], record["failure"]["category"]) == ("canceled", "canceled_by_user")
    assert record["report"]["ready"]
    assert client.post(f"/v1/jobs/{job_id}/cancel").status_code == 409


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic d3c6d3c="}])
def test_a_missing_or_wrong_key_is_a_401_that_says_how_to_send_one(up: Up, headers: dict[str, str]) -> None:
    answer = httpx.post(f"{up.endpoint}/v1/jobs", json={"script": "def test_a(): pass"}, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["advice"]


def test_the_command_line_says_so_when_its_key_is_wrong(up: Up, tmp_path: Path) -> None:
    suite = _folder(tmp_path / "suite", test_a="def test_a(): pass\n")
    up_with_wrong_key = Up(up.data_dir, up.log, environment=up.environment | {
        "WAINWRIGHT_ENDPOINT": up.endpoint, "WAINWRIGHT_API_KEY": "ww_wrong",
    })  # fmt: skip

    run = up_with_wrong_key.run("run", suite)

    assert run.returncode == 3
    assert "API key" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_job_tells_what_it_cost_and_its_parts_add_up(up: Up, client: httpx.Client, tmp_path: Path) -> None:
    suite = _folder(tmp_path / "suite", test_sum="def test_sum():\n    assert 1 + 1 == 2\n")

    run = up.run("run", suite)

    assert run.returncode == 0, run.stderr
    (said,) = re.findall(
        r"^cost +\$0\.\d+ on AWS \(.+metered here, where nothing is billed\): (.+)$", run.stdout, re.MULTILINE
    )
    assert re.fullmatch(r"[\d.]+ s of a worker \$0\.\d+, control plane \$0\.\d+, report \$0\.\d+", said)
    (job_id,) = re.findall(r"^job +(\S+)$", run.stdout, re.MULTILINE)
    cost = client.get(f"/v1/jobs/{job_id}").json()["job"]["cost"]
    assert cost["basis"] == "metered"
    own = [line for line in cost["breakdown"] if line["group"] != "looking"]
    assert cost["usd"] == pytest.approx(sum(line["usd"] for line in own))
    counts = {(line["group"], line["what"]): line["count"] for line in own}
    assert counts["controlPlane", "stepfunctions.transition"] == 3
    assert counts["controlPlane", "dynamodb.write"] >= 20
    assert counts["artifacts", "s3.put"] >= 3
    assert counts["compute", "worker.second"] >= cost["seconds"]
    assert "the meter missed a call" not in (up.data_dir / "logs" / "local.log").read_text()
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    eventually(lambda: not (up.data_dir / "costs" / f"{job_id}.json").exists(), within=30, what="its figures are gone")
