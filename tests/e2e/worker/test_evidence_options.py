"""Traces, screenshots and videos: kept as the job says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.worker.one_worker import OneWorker
from wainwright.domain.jobs import JobDetail

pytestmark = pytest.mark.browser

SUITE = """
def test_passes(page):
    page.goto("/")

def test_fails(page):
    page.goto("/")
    assert page.title() == "Another title"
"""
OTHERWISE = "[pytest]\naddopts = --tracing={other} --screenshot={other} --video={other}\n"
KINDS = {"trace", "screenshot", "video"}


@pytest.mark.parametrize(
    ("keep", "other", "of_passed", "of_failed"),
    [("on", "off", KINDS, KINDS), ("off", "on", set(), set()), ("retain-on-failure", "on", set(), KINDS)],
)
def test_evidence_is_kept_as_the_job_says(
    tmp_path: Path, site: str, keep: str, other: str, of_passed: set[str], of_failed: set[str]
) -> None:
    files = {"test_shop.py": SUITE, "pytest.ini": OTHERWISE.format(other=other)}
    one = OneWorker(tmp_path, files, JobDetail(config=dict.fromkeys(KINDS, keep)), url=site)

    one.run()

    kept = {
        test["title"]: {item["name"] for item in test["attachments"]} for test in one.report_results()["tests"]
    }  # fmt: skip
    assert kept == {"test_passes": of_passed | {"log"}, "test_fails": of_failed | {"log"}}
