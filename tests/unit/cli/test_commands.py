"""The other commands, against a fake of the API."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.unit.cli.conftest import Run
from tests.unit.client.fake_api import CREATED, JOB_ID, KEY, FakeApi, ended, job_record, manifest, problem
from wainwright import __version__
from wainwright.cli import doctor
from wainwright.cli.demo import serve_directory
from wainwright.cli.doctor import Finding, State, diagnose
from wainwright.cli.errors import explain, one_line
from wainwright.cli.paths import LocalEndpoint, publish
from wainwright.cli.terminal import clean, first_line, seconds
from wainwright.client import CreateJob
from wainwright.domain.failures import FailureCategory
from wainwright.domain.states import JobStatus
from wainwright.domain.tests import Tally

# jobs


def test_shows_one_job(api: FakeApi, wainwright: Run) -> None:
    api.final = ended(JobStatus.FAILED, tests=Tally(total=3, passed=2, failed=1), category=FailureCategory.NAVIGATION)
    result = wainwright("jobs", "get", JOB_ID)
    assert result.exit_code == 0
    for text in (
        JOB_ID,
        "failed",
        CREATED,
        "a key",
        "3 tests: 2 passed, 1 failed",
        "navigation: what happened",
        "3.1 s",
    ):
        assert text in result.stdout


def test_prints_one_job_as_json(api: FakeApi, wainwright: Run) -> None:
    assert json.loads(wainwright("jobs", "get", JOB_ID, "--json").stdout)["runBy"]["name"] == "a key"


def test_says_when_there_is_no_such_job(api: FakeApi, wainwright: Run) -> None:
    result = wainwright("jobs", "get", "unknown/../x")
    assert result.exit_code == 2
    assert result.stderr == "error: there is no GET /jobs/unknown/../x.\n"


def test_lists_jobs_over_several_pages_up_to_the_limit(api: FakeApi, wainwright: Run) -> None:
    row = job_record(label="a [label]\x1b[2J").model_dump(mode="json", by_alias=True)
    api.pages = [{"jobs": [row] * 2, "cursor": "2"}, {"jobs": [], "cursor": "3"}, {"jobs": [row], "cursor": "4"}]
    result = wainwright("jobs", "list", "--status", "pending", "--limit", "3")
    assert result.exit_code == 0
    assert result.stdout.count(JOB_ID) == 3
    assert "a [label]" in result.stdout
    assert "\x1b" not in result.stdout
    assert [dict(request.url.params) for request in api.asked] == [
        {"status": "pending", "limit": "3"},
        {"status": "pending", "limit": "1", "cursor": "2"},
        {"status": "pending", "limit": "1", "cursor": "3"},
    ]


def test_says_when_there_are_no_jobs(api: FakeApi, wainwright: Run) -> None:
    api.pages = [{"jobs": [], "cursor": None}]
    assert wainwright("jobs", "list").stdout == "no jobs\n"


def test_lists_jobs_as_json(api: FakeApi, wainwright: Run) -> None:
    api.pages = [{"jobs": [], "cursor": None}]
    assert json.loads(wainwright("jobs", "list", "--json").stdout) == {"jobs": [], "cursor": None}


def test_refuses_a_state_that_there_is_not(api: FakeApi, wainwright: Run) -> None:
    result = wainwright("jobs", "list", "--status", "done")
    assert result.exit_code == 2
    assert "'done' is not one of" in result.stderr


def test_cancels_a_job(api: FakeApi, wainwright: Run) -> None:
    api.stays_pending = True
    assert wainwright("jobs", "cancel", JOB_ID).stdout == f"{JOB_ID} canceled\n"


def test_looking_back_needs_something_to_look_at(wainwright: Run) -> None:
    result = wainwright("jobs", "list")
    assert result.exit_code == 2
    assert "no system is running, and there is no data of one in" in result.stderr


# report


def test_opens_the_report_by_its_ticket_and_prints_the_address(
    api: FakeApi, wainwright: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def take(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", take)
    result = wainwright("report", "open", JOB_ID)
    assert (result.exit_code, result.stdout, opened) == (
        0,
        f"{api.url}/r/t/index.html\n",
        [f"{api.url}/r/t/index.html"],
    )


def test_says_when_no_browser_can_be_opened(api: FakeApi, wainwright: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda url: False)
    assert "open the address above yourself" in wainwright("report", "open", JOB_ID).stderr


def test_downloads_every_file_of_the_manifest(api: FakeApi, wainwright: Run, tmp_path: Path) -> None:
    files = {"index.html": b"<html>"} | {f"data/1-{number}-a.png": bytes([number]) for number in range(30)}
    api.report = files | {"manifest.json": manifest(files)}
    result = wainwright("report", "download", JOB_ID, tmp_path / "r")
    assert result.exit_code == 0
    assert "32 files in" in result.stdout
    assert {name: (tmp_path / "r" / name).read_bytes() for name in files} == files


def test_opens_one_trace_of_the_report(api: FakeApi, wainwright: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    result = wainwright("report", "open", JOB_ID, "--trace", "data/1-2-trace.zip")
    base = f"{api.url}/r/t/"
    assert (result.exit_code, result.stdout) == (0, f"{base}trace/index.html?trace={base}data/1-2-trace.zip\n")


@pytest.mark.parametrize("path", ["index.html", "data/../x", "https://elsewhere.example/t.zip", "data/a&b", ""])
def test_opens_no_trace_from_elsewhere(api: FakeApi, wainwright: Run, path: str) -> None:
    result = wainwright("report", "open", JOB_ID, "--trace", path)
    assert result.exit_code == 2
    assert "--trace takes the path of a trace in the report" in result.stderr


def test_downloads_the_report_as_one_zip(api: FakeApi, wainwright: Run, tmp_path: Path) -> None:
    files = {"index.html": b"<html>", "data/1-1-trace.zip": b"PK", "trace/assets/a.js": b"js"}
    api.report = files | {"manifest.json": manifest(files)}
    result = wainwright("report", "download", JOB_ID, "--zip", tmp_path / "out" / "r.zip")
    assert (result.exit_code, result.stdout) == (0, f"4 files in {tmp_path / 'out' / 'r.zip'}\n"), result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["r.zip"]
    with zipfile.ZipFile(tmp_path / "out" / "r.zip") as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    assert b"http.server" in found.pop(f"report-{JOB_ID}/README.txt")
    assert found == {f"report-{JOB_ID}/{path}": content for path, content in api.report.items()}


def test_leaves_no_half_a_zip(api: FakeApi, wainwright: Run, tmp_path: Path) -> None:
    files = {"index.html": b""}
    job = {"job": api.final.model_dump(mode="json", by_alias=True)}
    refused = [problem(403, "forbidden", "the key was revoked just now")] * 2
    api.planned = [httpx.Response(200, json=job), httpx.Response(200, content=manifest(files)), *refused]
    result = wainwright("report", "download", JOB_ID, "--zip", tmp_path / "out" / "r.zip")
    assert result.exit_code == 3
    assert "the key was revoked just now" in result.stderr
    assert not list((tmp_path / "out").iterdir())


def test_a_download_goes_on_past_what_is_not_stored_and_names_it(api: FakeApi, wainwright: Run, tmp_path: Path) -> None:
    files = {"index.html": b"<html>"} | {f"data/1-{number:02}-a.png": bytes([number]) for number in range(30)}
    gone = {f"data/1-{number:02}-a.png" for number in range(0, 30, 10)}
    api.report = {path: content for path, content in files.items() if path not in gone}
    api.report["manifest.json"] = manifest(files)
    result = wainwright("report", "download", JOB_ID, tmp_path / "r")
    assert (result.exit_code, result.stdout) == (3, f"29 files in {tmp_path / 'r'}\n")
    told = result.stderr.splitlines()
    assert told[0] == "error: 3 files of the report could not be downloaded:"
    assert told[1] == "  data/1-00-a.png: the report has no file data/1-00-a.png."
    assert {path for path in files if (tmp_path / "r" / path).exists()} == files.keys() - gone


def test_no_more_missing_files_are_named_than_can_be_read(api: FakeApi, wainwright: Run, tmp_path: Path) -> None:
    api.report = {"manifest.json": manifest({f"data/{number}.png": b"" for number in range(25)})}
    result = wainwright("report", "download", JOB_ID, tmp_path / "r")
    assert result.exit_code == 3
    assert "  and 5 more" in result.stderr.splitlines()


def test_a_zip_of_what_there_is_says_what_is_missing(api: FakeApi, wainwright: Run, tmp_path: Path) -> None:
    api.report = {"index.html": b"<html>", "manifest.json": manifest({"index.html": b"<html>", "data/1-t.zip": b""})}
    result = wainwright("report", "download", JOB_ID, "--zip", tmp_path / "r.zip")
    assert (result.exit_code, result.stdout) == (3, f"2 files in {tmp_path / 'r.zip'}\n")
    assert "data/1-t.zip: the report has no file" in result.stderr
    with zipfile.ZipFile(tmp_path / "r.zip") as archive:
        assert b"data/1-t.zip" in archive.read(f"report-{JOB_ID}/README.txt")


def test_a_report_goes_into_a_directory_or_a_zip(api: FakeApi, wainwright: Run, tmp_path: Path) -> None:
    result = wainwright("report", "download", JOB_ID, tmp_path / "r", "--zip", tmp_path / "r.zip")
    assert (result.exit_code, "leave out DIR or --zip" in result.stderr) == (2, True)


def test_says_why_there_is_no_report(api: FakeApi, wainwright: Run) -> None:
    api.stays_pending = True
    result = wainwright("report", "open", JOB_ID)
    assert (result.exit_code, result.stderr) == (
        2, "error: there is no report: the job is pending and writes it at its end.\n",
    )  # fmt: skip
    api.stays_pending = False
    api.final = ended(JobStatus.CANCELED, tests=Tally(), report=False)
    assert "the job is canceled and has no report" in wainwright("report", "download", JOB_ID).stderr


def test_says_when_the_report_cannot_be_written(api: FakeApi, wainwright: Run, tmp_path: Path) -> None:
    api.report = {"manifest.json": manifest({})}
    (tmp_path / "r").write_text("in the way")
    result = wainwright("report", "download", JOB_ID, tmp_path / "r")
    assert result.exit_code == 3
    assert "cannot be written" in result.stderr


# demo


def test_the_demo_serves_the_shop_while_its_tests_run(wainwright: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(paths: list[Path], job: CreateJob, _watch: object) -> int:
        answer = httpx.get(str(job.url), trust_env=False)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html")
        assert [path.name for path in paths] == ["shop-tests"]
        return 5

    monkeypatch.setattr("wainwright.cli.demo.run_tests", fetch)
    assert wainwright("demo").exit_code == 5


# doctor


def test_passes_when_nothing_needed_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert diagnose([lambda: Finding("a", State.OK, "1.0"), lambda: Finding("b", State.ABSENT, "no", "Get it.")]) == 0
    assert "Get it." in capsys.readouterr().out


def test_fails_when_something_needed_is_missing_and_says_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert diagnose([lambda: Finding("a", State.MISSING, "not there", "Install it with [this].")]) == 1
    assert "Install it with [this]." in capsys.readouterr().out


def test_finds_the_packages_that_are_not_there() -> None:
    finding = doctor.check_packages(["pytest", "no-such-package-of-ours"])
    assert (finding.state, finding.found) == (State.MISSING, "not installed: no-such-package-of-ours")


@pytest.mark.parametrize(
    ("version", "state"),
    [
        ((3, 10, 18), State.MISSING),
        *[((3, minor, patch - 1), State.OUTDATED) for (_, minor), patch in doctor.PATCHED_PYTHON.items()],
        *[((3, minor, patch), State.OK) for (_, minor), patch in doctor.PATCHED_PYTHON.items()],
        ((3, 14, 0), State.OK),
    ],
)
def test_warns_of_a_python_with_a_known_hole(version: tuple[int, int, int], state: State) -> None:
    finding = doctor.check_python(version)
    assert finding.state is state
    assert ("3.11.13" in finding.advice) == (state is State.OUTDATED)


def test_makes_every_check_here(capsys: pytest.CaptureFixture[str]) -> None:
    diagnose()
    assert len(capsys.readouterr().out.splitlines()) >= len(doctor.CHECKS)


def test_finds_a_data_directory_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WAINWRIGHT_DATA_DIR", str(tmp_path / "file" / "data"))
    assert doctor.check_data_directory().state is State.MISSING


def test_finds_who_has_the_port(tmp_path: Path) -> None:
    with serve_directory(tmp_path) as address:
        port = int(address.rstrip("/").rpartition(":")[2])
        assert doctor.check_port(port).state is State.ABSENT
    assert doctor.check_port(port).found == f"{port} is free"


# Which system


def test_finds_the_running_local_system(
    api: FakeApi, wainwright: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import os

    monkeypatch.delenv("WAINWRIGHT_ENDPOINT")
    monkeypatch.delenv("WAINWRIGHT_API_KEY")
    (tmp_path / "data").mkdir()
    file = publish(tmp_path / "data", LocalEndpoint(api.url, KEY, os.getpid()))
    assert file.stat().st_mode & 0o777 == 0o600
    assert wainwright("jobs", "get", JOB_ID).exit_code == 0
    assert api.asked[0].url.path == "/v1/health"


def test_says_when_the_local_system_does_not_answer(wainwright: Run, tmp_path: Path) -> None:
    import os

    (tmp_path / "data").mkdir()
    publish(tmp_path / "data", LocalEndpoint("http://127.0.0.1:9", KEY, os.getpid()))
    result = wainwright("jobs", "list")
    assert result.exit_code == 3
    assert f"`kill {os.getpid()}`" in result.stderr


# Errors and the program


def test_a_fault_of_ours_is_one_line_without_a_traceback(
    wainwright: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr("wainwright.cli.doctor.diagnose", broken)
    result = wainwright("doctor")
    assert result.exit_code == 3
    assert result.stderr == (
        "error: unexpected error: KeyError: 'x'. Set WAINWRIGHT_DEBUG=1 to see where, and report it.\n"
    )
    monkeypatch.setenv("WAINWRIGHT_DEBUG", "1")
    assert isinstance(wainwright("doctor").exception, KeyError)


def test_errors_of_files_are_explained() -> None:
    assert explain(PermissionError(13, "Permission denied", "/x")) == (3, "[Errno 13] Permission denied: '/x'.")


def test_makes_one_line_of_many() -> None:
    assert one_line("a\nb\x1b[31mc", "Do   it!") == "a bc. Do it!"


def test_cleans_what_comes_from_tests() -> None:
    assert (
        clean("a\x1b[31mb\x1b[0m\tc\n\x1b]0;t\x07") == "ab\tc\n\N{REPLACEMENT CHARACTER}]0;t\N{REPLACEMENT CHARACTER}"
    )
    assert first_line("\n \n  x\ny") == "x"
    assert len(first_line("y" * 500)) == 200


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(None, ""), (40, "0.0 s"), (59_940, "59.9 s"), (125_000, "2 min 05 s")]
)
def test_writes_durations_for_people(milliseconds: float | None, text: str) -> None:
    assert seconds(milliseconds) == text


def test_prints_its_version_and_help(wainwright: Run) -> None:
    assert wainwright("--version").stdout == f"wainwright {__version__}\n"
    assert "Commands:" in wainwright().stdout


def test_says_when_a_command_is_missing(wainwright: Run) -> None:
    result = wainwright("jobs")
    assert (result.exit_code, result.stderr) == (2, "error: Missing command. See `wainwright jobs --help`.\n")


def test_offers_shell_completion(wainwright: Run) -> None:
    assert "--install-completion" in wainwright("--help").stdout


def test_help_imports_neither_the_network_nor_the_local_system() -> None:
    heavy = ["httpx", "rich", "boto3", "moto", "aws_cdk", "pydantic", "playwright"]
    program = (
        "import sys, runpy\n"
        "sys.argv = ['wainwright', '--help']\n"
        "try: runpy.run_module('wainwright.cli', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "[]"
