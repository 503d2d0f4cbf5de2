"""The examples of ``docs/test-code.md`` run in a job as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.worker.one_worker import OneWorker
from wainwright.domain.jobs import JobDetail
from wainwright.domain.states import JobStatus

pytestmark = pytest.mark.browser

PAGE = (Path(__file__).parents[3] / "docs" / "test-code.md").read_text()


def examples() -> dict[str, str]:
    """Code of the page by the file that its first line names."""
    blocks = re.findall(r"^```python\n# (\S+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    return dict(blocks)


def test_every_example_is_run() -> None:
    assert PAGE.count("```python") == len(examples())


def test_the_examples_do_what_the_page_says(tmp_path: Path, site: str) -> None:
    one = OneWorker(tmp_path, examples(), JobDetail(params={"start": "/index.html"}), url=site)

    outcome = one.run()

    assert outcome is not None
    assert (outcome.status, outcome.failure) == (JobStatus.COMPLETED, None)
    assert outcome.tests.passed == sum(code.count("def test_") for code in examples().values())
    results = one.results or {}
    assert {name: results[name] for name in ("title", "finalUrl", "secure")} == {
        "title": "A shop", "finalUrl": f"{site}/index.html", "secure": False,
    }  # fmt: skip
    assert results["lantern"] == {"status": "ok", "response": 200}
    assert sorted(one.lines("INFO")) == ["buying", "opened"]
    assert one.lines("ERROR") == ["this is no shop"]
