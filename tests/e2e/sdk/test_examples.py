"""Every program under ``examples/sdk`` runs against a live local system and says what it promises."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.e2e.whole.local_system import ROOT, Up

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

EXAMPLES = ROOT / "examples" / "sdk"

ARGUMENTS = {"dashboard.py": ["--rounds", "2", "--redraw", "0.2"], "chain.py": ["--base-url", "https://shop.example/"]}

SAYS = {
    "polling.py": ["not yet (timeout)", "success: True, results: {'answer': 42}", "another id: None"],
    "chain.py": [
        "step 2 of 2",
        "completed with {'finalUrl': 'https://shop.example/account.html'}",
        "the chain failed at step 1: assertion: ",
        "by the system: completed at https://shop.example/account.html",
    ],
    "parallel.py": ["2 of 3 completed", "this page is known to be faulty"],
    "retry.py": ["one job: completed at attempt 2", "the job failed after 2 attempts"],
    "queue_priorities.py": ["created here in this order: release branch nightly", "of priority 100: completed"],
    "analytics.py": ["2 of 3 completed: 66.7 %", "errors: {'assertion': 1}"],
    "dashboard.py": ["success rate", "total"],
    "templates.py": [
        "EUR: {'price': '10.00 EUR'}",
        "GBP: {'price': '10.00 GBP'}",
        "refused with 400",
        "'all prices' is version 2",
        "jobs of it: 2",
    ],
    "logs_and_results.py": [
        "INFO  looking at links",
        "ERROR one link is broken",
        "completed, has errors: True",
        "errors: ['one link is broken']",
        "output_schema: ",
    ],
}

AT_A_TIME = 3
"""Programs that run at a time: together they stay within the project's capacity."""

Runs = dict[str, "Future[subprocess.CompletedProcess[str]]"]


def _run(name: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / name), *ARGUMENTS.get(name, [])]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def runs(up: Up) -> Iterator[Runs]:
    """All programs, begun as soon as the first is asked for."""
    environment = dict(os.environ) | {"WAINWRIGHT_ENDPOINT": up.endpoint, "WAINWRIGHT_API_KEY": up.key}
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {name: pool.submit(_run, name, environment) for name in SAYS}


def test_every_example_is_run() -> None:
    assert sorted(SAYS) == sorted(file.name for file in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_runs_and_says_what_it_promises(name: str, runs: Runs) -> None:
    run = runs[name].result()
    assert run.returncode == 0, run.stderr
    assert not run.stderr
    assert [text for text in SAYS[name] if text not in run.stdout] == [], run.stdout
