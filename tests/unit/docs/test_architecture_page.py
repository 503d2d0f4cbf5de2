"""``docs/architecture.md`` leads to files that exist, and names the files that calls cross, as their stacks show them."""

import re
import subprocess
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.support.builders import PROJECT, SCRIPT
from tests.support.system import NO_WAIT, System
from tests.unit.worker.suites import worker
from tests.unit.worker.test_agent import ENVIRONMENT
from wainwright.contracts.http.jobs import CreateJob
from wainwright.contracts.messages import WorkMessage
from wainwright.domain.capacity import Limits
from wainwright.settings import WorkerSettings
from wainwright.worker.loop.agent import Agent
from wainwright.worker.run.shutdown import ShutdownSignal

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "layers" / "core" / "python" / "wainwright"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
QUESTIONS, STACKS = PAGE.partition("## Where do I find")[2].split("## From a call")
PLACES = re.findall(r"^\| (?!…)[^|]+ \| (`[^|]+) \|$", QUESTIONS, re.MULTILINE)
PATHS = sorted(set(re.findall(r"`([\w/]+[/.][\w.]*)`", QUESTIONS + STACKS)))


@pytest.fixture
def crossed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files of the worker on the stack when a test process is started, in order."""
    files: list[str] = []
    popen = subprocess.Popen

    def start(*arguments: Any, **options: Any) -> Any:
        paths = [Path(frame.filename) for frame in traceback.extract_stack()]
        names = [path.relative_to(PACKAGE).as_posix() for path in paths if path.is_relative_to(PACKAGE / "worker")]
        if names[-1] != "worker/sandbox/process.py":
            return popen(*arguments, **options)
        files.extend(dict.fromkeys(names))
        raise OSError("no process is started here")

    monkeypatch.setattr(subprocess, "Popen", start)
    return files


def documented(subject: str) -> list[str]:
    row = next(line for line in STACKS.splitlines() if line.startswith(f"| {subject} |"))
    return re.findall(r"`([\w./]+)`", row)


def test_answers_25_questions() -> None:
    assert len(PLACES) >= 25


@pytest.mark.parametrize("path", PATHS)
def test_leads_to_files_that_exist(path: str) -> None:
    folder = ROOT if path.startswith(("functions/", "infra/")) else PACKAGE
    assert (folder / path).exists()


@pytest.mark.parametrize(("subject", "lane", "most"), [("a claim", 0, 5), ("a lane's test", 1, 6)])
def test_a_claim_crosses_these_files_to_its_test_process(
    crossed: list[str], tmp_path: Path, subject: str, lane: int, most: int
) -> None:
    system = System(limits=Limits(running=4, queued=4))
    job = system.admitted(CreateJob.model_validate({"script": SCRIPT, "parallelism": lane + 1}))
    if lane:
        owner = system.next_claim("w0")
        system.queue.send(WorkMessage(project=PROJECT, job_id=job.id, run=job.run, lane=lane, fence=owner.job.fence))
    settings = WorkerSettings.read(ENVIRONMENT | {"WAINWRIGHT_WORK_DIR": str(tmp_path)})
    settings.home.mkdir()
    agent = Agent(worker(system), settings, ShutdownSignal(), settings.home)
    work = system.queue.receive(NO_WAIT)
    assert work is not None
    agent.take(work)
    assert crossed == documented(f"{subject}, to its test process")
    assert len(crossed) <= most


def test_the_readme_leads_there() -> None:
    assert "(docs/architecture.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
