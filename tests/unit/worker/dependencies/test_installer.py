"""Running an installer: what it sees, what ends it, and what is said of its failure."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.stop import Stop
from wainwright.worker.dependencies.installer import (
    Bounds,
    Installer,
    failed_install,
    index_variables,
    without_credentials,
)
from wainwright.worker.dependencies.requirements import NotPrepared
from wainwright.worker.sandbox.environment import private_folders


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Installer]:
    for name in ("bundle", "target", "output"):
        (tmp_path / name).mkdir()
    with private_folders(tmp_path / "output") as place:
        yield Installer(
            tmp_path / "bundle", tmp_path / "target", place, Stop(), print, None, Bounds(), {"UV_DEFAULT_INDEX": "here"}
        )  # fmt: skip


def run(at: Installer, code: str) -> list[str]:
    return at.run("requirements.txt", [sys.executable, "-c", code], at.bundle, {"EXTRA": "given"})


def test_an_installer_sees_no_credentials_and_a_home_of_its_own(at: Installer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "WAINWRIGHT_API_KEY", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.setenv(name, "secret")
    seen = run(at, "import os; [print(f'{name}={value}') for name, value in os.environ.items()]")
    assert not any("secret" in line for line in seen)
    assert f"HOME={at.place.home}" in seen
    assert "UV_DEFAULT_INDEX=here" in seen
    assert "EXTRA=given" in seen
    assert not any(line.startswith("PYTHONPATH=") for line in seen)


FOREVER = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"


def test_a_cancel_ends_the_installer(at: Installer) -> None:
    stop = Stop()
    stop.cancel()
    with pytest.raises(NotPrepared) as caught:
        run(replace(at, stop=stop), FOREVER)
    assert caught.value.end.reason == "canceled"


def test_a_stop_ends_the_installer(at: Installer) -> None:
    stop = Stop()
    stop.stop()
    with pytest.raises(NotPrepared) as caught:
        run(replace(at, stop=stop), FOREVER)
    assert caught.value.end.reason == "stopped"


def test_the_jobs_time_covers_the_install(at: Installer) -> None:
    with pytest.raises(NotPrepared) as caught:
        run(replace(at, until=time.monotonic()), FOREVER)
    assert caught.value.end.reason == "timed_out"


def test_an_install_has_a_bound_of_its_own(at: Installer) -> None:
    with pytest.raises(NotPrepared, match="not installed within 0 seconds") as caught:
        run(replace(at, bounds=Bounds(seconds=0)), FOREVER)
    assert caught.value.end.reason == "dependencies_failed"


def test_an_install_may_not_fill_the_disk(at: Installer) -> None:
    code = f"open({str(at.target / 'large')!r}, 'wb').write(b'x' * 2000)"
    with pytest.raises(NotPrepared, match="more than 1,000 bytes"):
        run(replace(at, bounds=Bounds(bytes=1_000)), code)


def test_a_failure_has_the_installers_last_lines(at: Installer) -> None:
    logged: list[str] = []
    code = "import sys; [print(f'line {n}', file=sys.stderr) for n in range(100)]; sys.exit(3)"
    with pytest.raises(NotPrepared) as caught:
        run(replace(at, log=logged.append), code)
    [error] = caught.value.end.errors
    assert error.file == "requirements.txt"
    assert error.message.splitlines()[-1] == "line 99"
    assert error.message.startswith("the dependencies could not be installed: line 92")
    assert logged[-1] == "line 99"
    assert len(logged) == 20


def test_an_index_out_of_reach_names_the_next_step() -> None:
    failure = failed_install("requirements.txt", ["error: Request failed", "tcp connect error", "Connection refused"])
    assert "UV_DEFAULT_INDEX or NPM_CONFIG_REGISTRY" in str(failure)


def test_an_untrusted_certificate_names_the_next_step() -> None:
    assert "SSL_CERT_FILE" in str(
        failed_install("a", ["client error (Connect)", "invalid peer certificate: UnknownIssuer"])
    )


def test_the_password_of_an_index_is_not_told() -> None:
    failure = failed_install("a", ["Failed to fetch: https://user:hunter2@index.example/simple/a/"])
    assert "hunter2" not in str(failure) + failure.end.errors[0].stack
    assert without_credentials("see https://a.example/@b") == "see https://a.example/@b"


def test_passes_on_how_the_index_is_reached_and_nothing_else() -> None:
    ours = {
        "PIP_INDEX_URL": "https://pip.example/simple",
        "PIP_CERT": "/certs.pem",
        "HTTPS_PROXY": "http://proxy",
        "NPM_CONFIG_REGISTRY": "https://npm.example",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "MY_TOKEN": "token",
    }
    passed = index_variables(ours, ["MY_TOKEN"])
    assert passed.pop("UV_SYSTEM_CERTS", "1") == "1"
    assert passed.pop("NODE_USE_SYSTEM_CA", "1") == "1"
    assert passed == {
        "UV_DEFAULT_INDEX": "https://pip.example/simple",
        "SSL_CERT_FILE": "/certs.pem",
        "HTTPS_PROXY": "http://proxy",
        "NPM_CONFIG_REGISTRY": "https://npm.example",
        "MY_TOKEN": "token",
    }


def test_what_uv_is_told_itself_wins_over_what_pip_is_told() -> None:
    passed = index_variables({"PIP_INDEX_URL": "pip", "UV_DEFAULT_INDEX": "uv"})
    assert passed["UV_DEFAULT_INDEX"] == "uv"
