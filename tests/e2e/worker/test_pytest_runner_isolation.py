"""What a suite's process is given, and that nothing of it is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.worker.suites import SuiteFolder, processes_of
from tests.support.stop import Stop
from wainwright.worker.runners.suite import TestStarted

pytestmark = pytest.mark.browser


def test_the_child_sees_none_of_our_variables(suite: SuiteFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("WAINWRIGHT_API_KEY", "secret")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    suite.write(
        "test_environment.py",
        """
        import os, pathlib, tempfile

        def test_environment():
            assert not [name for name in os.environ if name.startswith(("AWS_", "WAINWRIGHT_"))]
            assert "secret" not in str(dict(os.environ))
            assert os.environ["JOB_ID"] == "job-7"
            assert pathlib.Path.home() == pathlib.Path(os.environ["HOME"])
            assert tempfile.gettempdir() == os.environ["TMPDIR"]
            print(os.environ["HOME"], os.environ["TMPDIR"])
        """,
    )
    run = suite.run(env={"JOB_ID": "job-7"})
    assert run.results[0].outcome == "passed", run.results[0].errors
    for folder in run.results[0].stdout.split():
        assert not Path(folder).exists()


def test_leaves_no_process_behind_that_a_test_started(suite: SuiteFolder) -> None:
    suite.write(
        "test_daemon.py",
        """
        import subprocess, sys

        def test_starts_a_daemon():
            code = "import subprocess, sys; subprocess.Popen(['sleep', '600'], start_new_session=True)"
            subprocess.run([sys.executable, "-c", code], check=True)
        """,
    )
    run = suite.run()
    assert run.results[0].outcome == "passed"
    assert processes_of(suite.mark) == []


def test_an_error_of_the_listener_kills_the_suite(suite: SuiteFolder) -> None:
    suite.write("test_long.py", "import time\ndef test_long(): time.sleep(600)\n")

    def refuse(event: object) -> None:
        if isinstance(event, TestStarted):
            raise ConnectionError("the lease is gone")

    with pytest.raises(ConnectionError, match="the lease is gone"):
        suite.run(also=refuse)
    assert processes_of(suite.mark) == []


def test_a_stop_that_comes_before_the_suite_runs_nothing(suite: SuiteFolder) -> None:
    suite.write("test_one.py", "def test_one(): pass\n")
    stop = Stop()
    stop.stop()
    run = suite.run(stop=stop)
    assert (run.end.reason, run.results) == ("stopped", [])
