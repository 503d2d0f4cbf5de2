"""Test code as somebody else than the worker: what it cannot reach, and what it can still do."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.worker.apart import Apart, apart
from wainwright.worker.sandbox.isolation import Isolation, ProcessUser, find_shared

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root on Linux can become another user"
)

PROBES = """
    import os, signal, subprocess
    from pathlib import Path
    import pytest
    import wainwright

    @pytest.fixture
    def params(job):
        return job.params

    def test_is_somebody_else(params):
        assert params["agentUid"] == 0
        assert os.getuid() == os.geteuid() != 0
        assert len({*os.getresuid(), *os.getresgid()}) <= 2
        assert 0 not in {*os.getresuid(), *os.getresgid(), *os.getgroups()}

    def test_cannot_become_the_worker_again():
        with pytest.raises(PermissionError):
            os.setuid(0)
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        assert status["NoNewPrivs"].strip() == "1"
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapAmb"], 16) == 0

    def test_cannot_read_the_workers_environment_or_memory(params):
        for name in ("environ", "mem", "fd"):
            with pytest.raises(PermissionError):
                path = Path("/proc", str(params["agent"]), name)
                list(path.iterdir()) if name == "fd" else path.open("rb").read(1)

    def test_cannot_read_the_supervisors_environment():
        with pytest.raises(PermissionError):
            Path("/proc", str(os.getppid()), "environ").read_bytes()

    def test_cannot_signal_the_worker_nor_the_supervisor(params):
        for pid in (params["agent"], os.getppid()):
            with pytest.raises(PermissionError):
                os.kill(pid, 0)

    def test_cannot_see_what_else_the_worker_has(params):
        with pytest.raises(PermissionError):
            (Path(params["other"]) / "secret.txt").read_text()
        with pytest.raises(PermissionError):
            os.listdir(Path(params["other"]).parent)
        with pytest.raises(PermissionError):
            os.listdir(Path.cwd().parent)

    def test_has_no_credentials_and_knows_no_address_of_any():
        names = set(os.environ)
        assert not {name for name in names if name.startswith(("AWS_", "ECS_"))}
        assert "key-of-the-worker" not in str(dict(os.environ))

    def test_has_a_home_and_a_temporary_folder_of_its_own(tmp_path):
        for name in ("HOME", "TMPDIR"):
            found = os.stat(os.environ[name])
            assert (found.st_uid, found.st_mode & 0o007) == (os.getuid(), 0)
        (tmp_path / "file").write_text("mine")
        assert not (tmp_path / "file").stat().st_mode & 0o007

    def test_owns_its_bundle_which_its_own_user_unpacked():
        for path in (Path.cwd() / "test_probes.py", Path.cwd() / "pages", Path.cwd() / "pages" / "basket.py"):
            assert path.stat().st_uid == os.getuid()
        assert os.listdir("pages") == ["basket.py"]

    def test_writes_in_its_own_folder():
        Path("written-by-the-test.txt").write_text("as ever")
        Path("a-folder").mkdir(mode=0o700)
        assert os.getsid(0) != os.getsid(os.getppid())
"""
BROWSER = """
    def test_opens_a_page(page):
        page.set_content("<title>Shop</title>")
        assert page.title() == "Shop"
"""


@pytest.fixture(scope="module")
def workers() -> Iterator[Apart]:
    with apart() as found:
        yield found


@pytest.mark.parametrize(
    "capabilities",
    [pytest.param(True, marks=pytest.mark.thorough, id="root"), pytest.param(False, id="root-as-on-fargate")],
)
def test_test_code_reaches_nothing_of_the_workers(workers: Apart, capabilities: bool) -> None:
    became = workers.run({"test_probes.py": PROBES, "pages/basket.py": ""}, capabilities=capabilities)

    assert became["user"] > 0
    assert became["errors"] == []
    assert set(became["outcomes"].values()) == {"passed"}
    assert became["status"] == "completed"
    assert became["left"] == []


@pytest.mark.parametrize(
    "capabilities",
    [pytest.param(True, marks=pytest.mark.thorough, id="root"), pytest.param(False, id="root-as-on-fargate")],
)
def test_a_browser_runs_and_leaves_its_evidence(workers: Apart, capabilities: bool) -> None:
    became = workers.run({"test_browser.py": BROWSER}, capabilities=capabilities)

    assert became["errors"] == []
    assert became["status"] == "completed"
    assert became["left"] == []


def test_a_spare_is_as_far_from_the_worker_as_any_process(workers: Apart) -> None:
    environment = {"WAINWRIGHT_SPARES": "true"}
    files = {"test_probes.py": PROBES, "test_browser.py": BROWSER, "pages/basket.py": ""}
    became = workers.run(files, capabilities=False, environment=environment)

    assert became["errors"] == []
    assert set(became["outcomes"].values()) == {"passed"}
    assert "a spare runs the suite" in became["stderr"]
    assert became["left"] == []


def test_a_named_user_is_the_one(workers: Apart) -> None:
    code = "import os\ndef test_user(): assert (os.getuid(), os.getgid()) == (34567, 34567)\n"
    became = workers.run({"test_user.py": code}, environment={"WAINWRIGHT_TEST_USER": "34567"})

    assert (became["status"], became["user"]) == ("completed", 34567)


def test_the_workers_own_user_is_one_that_may_be_named(workers: Apart) -> None:
    code = "import os\ndef test_user(): assert os.getuid() == 0\n"
    became = workers.run({"test_user.py": code}, environment={"WAINWRIGHT_TEST_USER": "root"})

    assert (became["status"], became["user"]) == ("completed", None)
    assert "WARNING:wainwright.worker.sandbox.hosting:test code runs as the worker itself" in became["stderr"]


LITTERING = """
    import os
    from pathlib import Path

    def test_litters(job):
        for place in job.params["places"]:
            mine = Path(place, job.params["name"])
            (mine / "below").mkdir(parents=True)
            (mine / "below" / "secret.txt").write_text("of this job")
            (mine / "below").chmod(0)
            Path(f"{mine}.txt").write_text("of this job")
            Path(f"{mine}.link").symlink_to(job.params["kept"])
            Path(f"{mine}.txt").chmod(0)
            for number in range(1_100):
                Path(f"{mine}-{number}").touch()
"""


def test_what_test_code_left_where_anybody_may_write_is_gone_when_its_job_has_ended(workers: Apart) -> None:
    name, places = f"litter-{uuid.uuid4()}", [str(place) for place in find_shared()]
    kept = Path("/tmp", f"{name}-of-somebody-else")
    kept.write_text("not theirs")
    try:
        asked = {"places": places, "name": name, "kept": str(kept)}
        became = workers.run({"test_litters.py": LITTERING}, params=asked)

        assert became["status"] == "completed", became["errors"]
        assert {*places} >= {"/tmp", "/var/tmp", "/dev/shm"}
        assert [path for place in places for path in Path(place).glob(f"{name}*")] == [kept]
        assert kept.read_text() == "not theirs"
    finally:
        kept.unlink()


def test_nothing_is_removed_while_another_process_of_that_user_runs(
    workers: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(workers.python))  # ours may lie where they cannot read it
    user = ProcessUser(uid=1_987_654, gid=1_987_654, name="1987654")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o1777)
        file = place / "theirs"
        file.write_text("of a suite that runs")
        os.chown(file, user.uid, user.gid)
        running = subprocess.Popen(["sleep", "60"], user=user.uid, group=user.gid, extra_groups=[])
        try:
            Isolation(user).clear_shared([place])
            assert file.exists()
        finally:
            running.kill()
            running.wait()
        Isolation(user).clear_shared([place])
        assert not file.exists()
        (place / "ours").touch()
        Isolation().clear_shared([place])
        assert (place / "ours").exists()


UNREADABLE = """
    def test_keeps_it_to_itself(request):
        reporter = request.config.pluginmanager.getplugin("wainwright-reporter")
        real = reporter.channel.send

        def send(kind, **fields):
            from pathlib import Path
            for item in fields.get("attachments", []):
                Path(item["path"]).chmod(0o600)
            real(kind, **fields)

        reporter.channel.send = send
"""


def test_an_attachment_that_the_worker_may_not_read_is_named_as_missing(workers: Apart) -> None:
    became = workers.run({"test_it.py": UNREADABLE}, capabilities=False)

    assert became["attachments"] == {}
    assert became["category"] == "infrastructure"
    [missing] = became["missing"]
    assert missing == "log: the worker may not read it: give its group read permission, as the umask of the tests does"


SWAPPING = """
    from pathlib import Path

    def test_swaps(request, job):
        reporter = request.config.pluginmanager.getplugin("wainwright-reporter")
        real = reporter.channel.send

        def send(kind, **fields):
            for item in fields.get("attachments", []):
                path, other = Path(item["path"]), Path(job.params["other"])
                {swap}
            real(kind, **fields)

        reporter.channel.send = send
"""


@pytest.mark.parametrize(
    "swap",
    [
        "path.unlink(); path.symlink_to(other / 'secret.txt')",
        (
            "path.parent.rename(path.parent.with_name('moved')); path.parent.symlink_to(other); "
            "item['path'] = str(path.with_name('secret.txt'))"
        ),
        "item['path'] = str(other / 'secret.txt')",
        "item['path'] = str(path.parent / '../../another-job/secret.txt')",
    ],
    ids=["link", "folder", "path", "way-out"],
)
def test_a_file_of_the_workers_in_the_place_of_evidence_does_not_leave(workers: Apart, swap: str) -> None:
    became = workers.run({"test_swaps.py": SWAPPING.format(swap=swap)})

    assert became["outcomes"] == {"test_swaps": "passed"}
    assert became["attachments"] == {}
    assert became["missing"] == ["log: it is not a file of the tests in the folder for evidence"]


@pytest.mark.parametrize(
    ("setting", "value", "code", "category", "said"),
    [
        (
            "MEMORY_BYTES", "300000000",
            "import time\ndef test_it():\n    kept = bytearray(700_000_000)\n    time.sleep(60)\n",
            "out_of_memory", "WAINWRIGHT_TEST_MEMORY_BYTES",
        ),
        ("CPU_SECONDS", "3", "def test_it():\n    while True: pass\n", "script_error", "WAINWRIGHT_TEST_CPU_SECONDS"),
        (
            "DISK_BYTES", "20000000",
            ("import time\nfrom pathlib import Path\ndef test_it(tmp_path):\n"
            "    (tmp_path / 'large').write_bytes(bytes(50_000_000))\n    time.sleep(60)\n"),
            "script_error", "WAINWRIGHT_TEST_DISK_BYTES",
        ),
    ],
    ids=["memory", "cpu", "disk"],
)  # fmt: skip
def test_a_suite_that_takes_too_much_is_ended_and_told_so(
    workers: Apart, setting: str, value: str, code: str, category: str, said: str
) -> None:
    became = workers.run({"test_it.py": code}, capabilities=False, environment={f"WAINWRIGHT_TEST_{setting}": value})

    assert (became["status"], became["category"]) == ("failed", category)
    assert said in became["message"]


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        (
            "PROCESSES", "64",
            ("import pytest, subprocess\ndef test_it():\n    started = []\n    with pytest.raises(BlockingIOError):\n"
            "        for _ in range(100): started.append(subprocess.Popen(['sleep', '100']))\n"
            "    assert 30 < len(started) < 64\n"),
        ),
        (
            "OPEN_FILES", "256",
            ("import os, pytest\ndef test_it():\n    with pytest.raises(OSError, match='Too many open files'):\n"
            "        held = [os.open('/dev/null', os.O_RDONLY) for _ in range(300)]\n    os.closerange(100, 256)\n"),
        ),
        (
            "FILE_BYTES", "1048576",
            ("import pytest\ndef test_it(tmp_path):\n    with pytest.raises(OSError, match='File too large'):\n"
            "        (tmp_path / 'large').write_bytes(bytes(2_000_000))\n"),
        ),
    ],
    ids=["processes", "open-files", "file-size"],
)  # fmt: skip
def test_the_kernel_refuses_what_is_beyond_a_bound(workers: Apart, setting: str, value: str, code: str) -> None:
    became = workers.run({"test_it.py": code}, environment={f"WAINWRIGHT_TEST_{setting}": value})

    assert became["errors"] == []
    assert became["status"] == "completed"
