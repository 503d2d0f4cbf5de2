"""A worker that is root, with its suites run as somebody else: in a process of its own, since it joins groups and sets its umask.

Run as a script it is that worker: it takes {files, params, config} as JSON on its standard input, runs one job of them, and
prints what became of it.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
KEPT_CAPABILITIES = (5, 6, 7)
"""KILL, SETGID and SETUID of <linux/capability.h>: what the workers' task definition leaves."""
PR_CAPBSET_DROP = 24


class Apart:
    """Such workers, below a folder that everybody may go through."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = _interpreter(folder / "python")

    def run(
        self,
        files: Mapping[str, str],
        *,
        capabilities: bool = True,
        environment: Mapping[str, str] | None = None,
        **job: Any,
    ) -> dict[str, Any]:
        """Run one job; what became of it. Without `capabilities` the worker is root as it is on Fargate."""
        work = Path(tempfile.mkdtemp(dir=self.folder))
        work.chmod(0o755)
        given = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT / "layers/core/python"), str(ROOT)]),
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1",
            "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/1",
            "AWS_SECRET_ACCESS_KEY": "key-of-the-worker",
            "WAINWRIGHT_SPARES": "false",
            **(environment or {}),
        }
        worker = subprocess.run(
            [self.python, str(Path(__file__).resolve()), str(work)],
            input=json.dumps({"files": dict(files), **job}),
            env=given,
            cwd="/",
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            preexec_fn=None if capabilities else drop_capabilities,
        )
        assert worker.returncode == 0, worker.stderr
        became: dict[str, Any] = json.loads(worker.stdout.splitlines()[-1])
        return {**became, "stderr": worker.stderr, "left": sorted(path.name for path in work.iterdir())}


def drop_capabilities() -> None:
    """All but those that a worker has on Fargate, from the next program on."""
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(64):
        if number not in KEPT_CAPABILITIES:
            libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)


def _interpreter(folder: Path) -> Path:
    """Our Python with our packages, where everybody can read it: linked together anew if ours is in a private folder."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    program = Path(sys.base_prefix, "bin", name)
    if not all(parent.stat().st_mode & 0o001 for parent in program.resolve().parents):
        program = _elsewhere(Path(sys.base_prefix), name, folder / "base")
    packages = folder / "lib" / name / "site-packages"
    (folder / "bin").mkdir(parents=True)
    packages.parent.mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(program)
    (folder / "pyvenv.cfg").write_text(f"home = {program.parent}\n")
    packages.symlink_to(Path(sys.prefix) / "lib" / name / "site-packages")
    return folder / "bin" / "python"


def _elsewhere(base: Path, name: str, folder: Path) -> Path:
    """An installation of Python in another place, of links where there can be any. It finds its library beside itself."""
    left_out = shutil.ignore_patterns("site-packages", "test", "idlelib", "config-*")
    shutil.copytree(base / "lib" / name, folder / "lib" / name, copy_function=_link, ignore=left_out)
    for library in (base / "lib").glob("libpython*"):
        _link(str(library), str(folder / "lib" / library.name))
    (folder / "bin").mkdir()
    program = folder / "bin" / name
    there = f"{base}/lib".encode() + b"\0"
    program.write_bytes((base / "bin" / name).read_bytes().replace(there, b"$ORIGIN/../lib".ljust(len(there), b"\0")))
    program.chmod(0o755)
    return program


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


@contextmanager
def apart() -> Iterator[Apart]:
    """Workers in a new folder."""
    with tempfile.TemporaryDirectory(prefix="apart-") as name:
        Path(name).chmod(0o755)
        yield Apart(Path(name))


def main(folder: str) -> None:
    """Be the worker."""
    import logging

    from tests.e2e.worker.one_worker import OneWorker
    from wainwright.domain.jobs import JobDetail
    from wainwright.settings import SuiteSettings
    from wainwright.worker.sandbox.hosting import host

    logging.basicConfig(level=logging.INFO)
    asked = json.load(sys.stdin)
    work_dir = Path(folder) / "work"
    work_dir.mkdir(mode=0o700)
    other = work_dir / "another-job"
    other.mkdir(mode=0o750)
    (other / "secret.txt").write_text("of another job")
    hosting = host(SuiteSettings.model_validate(dict(os.environ)), work_dir)
    params = {"agent": os.getpid(), "agentUid": os.getuid(), "other": str(other), **asked.get("params", {})}
    detail = JobDetail(params=params, config=asked.get("config", {}))
    worker = OneWorker(work_dir, asked["files"], detail)
    outcome = worker.run(hosting=hosting)
    assert outcome is not None
    hosting.close()
    hosting.clear(work_dir)
    failure = outcome.failure
    became = {
        "status": outcome.status,
        "category": failure.category if failure else None,
        "message": failure.message if failure else None,
        "outcomes": worker.outcomes(),
        "errors": worker.lines("ERROR"),
        "info": worker.lines("INFO"),
        "attachments": {
            name: worker.report(name).decode(errors="replace")
            for name in (each["path"] for each in json.loads(worker.report("manifest.json"))["files"])
            if name.endswith(".log")
        },
        "missing": worker.report_results()["missing"],
        "user": hosting.isolation.user.uid if hosting.isolation.user else None,
    }
    sys.stdout.write(json.dumps(became) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
