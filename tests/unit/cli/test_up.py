"""``wainwright up``, around a fake of the local system: how it starts, says where it is, and ends."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from wainwright.cli import ephemeral
from wainwright.cli.errors import PlatformProblem
from wainwright.cli.paths import LocalEndpoint, publish, published, repository, withdraw

DEADLINE = 30.0
REAL_PYTHON = sys.executable

PROGRAM = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from wainwright.cli import up

    class Fake:
        api_url = "http://127.0.0.1:4711"
        def start(self): pass
        def stop(self): Path(sys.argv[1], "stopped").touch()

    options = up.UpOptions(0, Path(sys.argv[1]), ephemeral=sys.argv[2] == "ephemeral")
    sys.exit(up.serve(options, make=lambda *_: Fake(), access=lambda: "ww_local"))
    """
)


@contextmanager
def started(data_dir: Path, how: str = "") -> Iterator["subprocess.Popen[str]"]:
    data_dir.mkdir(exist_ok=True)
    command = [sys.executable, "-c", PROGRAM, str(data_dir), how]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().rstrip("\n") for _ in range(count)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_says_where_everything_is_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    data = tmp_path / "data"
    with started(data) as process:
        told = read_lines(process, 4)
        assert told[0] == "Wainwright is up at http://127.0.0.1:4711"
        assert str(data / "endpoint.json") in told[1]
        assert "ww_local" not in "\n".join(told)
        file = data / "endpoint.json"
        assert file.stat().st_mode & 0o777 == 0o600
        assert json.loads(file.read_text()) == {
            "endpoint": "http://127.0.0.1:4711", "key": "ww_local", "pid": process.pid,
        }  # fmt: skip
        process.send_signal(number)
        assert process.wait(DEADLINE) == 0
    assert not file.exists()
    assert (data / "stopped").exists()


def test_an_ephemeral_system_tells_its_key_through_the_pipe_alone_and_ends_with_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(data, "ephemeral") as process:
        assert json.loads(read_lines(process, 1)[0]) == {"endpoint": "http://127.0.0.1:4711", "key": "ww_local"}
        assert not (data / "endpoint.json").exists()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(DEADLINE) == 0
    assert (data / "stopped").exists()


def test_names_the_variable_that_leads_to_another_data_directory(tmp_path: Path) -> None:
    with started(tmp_path / "elsewhere") as process:
        assert f"  export WAINWRIGHT_DATA_DIR={tmp_path / 'elsewhere'}" in read_lines(process, 5)


def test_refuses_to_run_twice_on_one_data_directory(wainwright: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    publish(tmp_path / "data", LocalEndpoint("http://127.0.0.1:8787", "ww_x", os.getppid()))
    result = wainwright("up")
    assert result.exit_code == 3
    assert result.stderr == (
        f"error: a local system runs on {tmp_path / 'data'} already, at http://127.0.0.1:8787 (process {os.getppid()}). "
        f"Use that one, end it with `kill {os.getppid()}`, or give another --data-dir.\n"
    )


def test_says_how_to_get_a_browser(wainwright: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from wainwright.worker.sandbox import find_browser as browsers

    missing = browsers.BrowserMissing(
        "chromium", "fetch it", "No chromium browser was found. Install one with: fetch it"
    )
    monkeypatch.setattr(browsers, "find_browser", lambda: missing)
    result = wainwright("up")
    assert (result.exit_code, result.stderr) == (3, f"error: {missing.message}.\n")


def test_what_keeps_it_from_starting_is_one_line_and_nothing_is_left(
    wainwright: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from wainwright.local.errors import LocalError

    def refuse(root: Path, cache: Path) -> object:
        raise LocalError("the template cannot be synthesized: there is no Node")

    monkeypatch.setattr("wainwright.worker.sandbox.find_browser.find_browser", lambda: None)
    monkeypatch.setattr("wainwright.local.synth.is_cached", lambda root, cache: True)
    monkeypatch.setattr("wainwright.local.synth.template_for", refuse)
    before = signal.getsignal(signal.SIGTERM)
    result = wainwright("up")
    assert result.exit_code == 3
    assert result.stderr == "error: the template cannot be synthesized: there is no Node.\n"
    assert signal.getsignal(signal.SIGTERM) is before
    assert not (tmp_path / "data" / "endpoint.json").exists()


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--workers", "0"]])
def test_refuses_numbers_out_of_range(wainwright: Run, arguments: list[str]) -> None:
    assert wainwright("up", *arguments).exit_code == 2


# The endpoint file


def test_a_file_whose_process_is_gone_counts_for_nothing(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    publish(tmp_path, LocalEndpoint("http://127.0.0.1:1", "k", ended.pid))
    assert published(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"endpoint": 1}', "null"])
def test_a_broken_file_counts_for_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "endpoint.json").write_text(text)
    assert published(tmp_path) is None


def test_withdraws_its_own_file_alone(tmp_path: Path) -> None:
    ours = LocalEndpoint("http://127.0.0.1:1", "k", os.getpid())
    theirs = LocalEndpoint("http://127.0.0.1:2", "k", os.getppid())
    publish(tmp_path, theirs)
    withdraw(tmp_path, ours)
    assert published(tmp_path) == theirs
    withdraw(tmp_path, theirs)
    assert published(tmp_path) is None


def test_finds_the_checkout_it_runs_from() -> None:
    assert (repository() / "layers" / "core").is_dir()


# A system for the length of a command


@pytest.fixture
def fake_child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Replace the program that is started by one around a fake system."""
    data = tmp_path / "data"
    data.mkdir()
    shim = tmp_path / "python"
    program = tmp_path / "child.py"
    program.write_text(PROGRAM)
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "{data}" ephemeral\n')
    shim.chmod(0o755)
    monkeypatch.setattr(ephemeral.sys, "executable", str(shim))  # type: ignore[attr-defined]
    return data


def test_a_system_for_one_command_ends_with_it(fake_child: Path) -> None:
    with ephemeral.ephemeral_system(fake_child) as (endpoint, key):
        assert (endpoint, key) == ("http://127.0.0.1:4711", "ww_local")
        assert not (fake_child / "stopped").exists()
    assert (fake_child / "stopped").exists()


def test_a_system_for_one_command_ends_when_the_command_is_killed(fake_child: Path) -> None:
    program = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from wainwright.cli import ephemeral
        ephemeral.sys.executable = {sys.executable!r}
        with ephemeral.ephemeral_system(Path({str(fake_child)!r})):
            print("ready", flush=True)
            sys.stdin.read()
        """
    )
    with subprocess.Popen(
        [REAL_PYTHON, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as command:
        assert read_lines(command, 1) == ["ready"]
        command.kill()
    deadline = time.monotonic() + DEADLINE
    while not (fake_child / "stopped").exists():
        assert time.monotonic() < deadline, "the system outlived its command"
        time.sleep(0.02)


def test_a_system_that_does_not_start_ends_the_command_with_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wainwright: Run, suite: Path
) -> None:
    shim = tmp_path / "python"
    shim.write_text("#!/bin/sh\necho 'error: no room.' >&2\nexit 3\n")
    shim.chmod(0o755)
    monkeypatch.setattr(ephemeral.sys, "executable", str(shim))  # type: ignore[attr-defined]
    result = wainwright("run", suite)
    assert result.exit_code == 3
    assert "error: this" not in result.stderr


def test_an_unreadable_announcement_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shim = tmp_path / "python"
    shim.write_text("#!/bin/sh\necho hello\n")
    shim.chmod(0o755)
    monkeypatch.setattr(ephemeral.sys, "executable", str(shim))  # type: ignore[attr-defined]
    with (
        pytest.raises(PlatformProblem, match="printed an unreadable address: 'hello"),
        ephemeral.ephemeral_system(tmp_path),
    ):
        pass
