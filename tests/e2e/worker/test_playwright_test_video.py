"""Videos of Playwright Test, made with the ffmpeg that is there."""

from __future__ import annotations

import pytest

from tests.e2e.worker.suites import SuiteFolder
from wainwright.worker.runners.suite import Keep
from wainwright.worker.sandbox import video_encoder as video

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

SUITE = """
    import { expect, test } from '@playwright/test';
    test('passes', async ({ page }) => { await page.goto('/'); });
    test('fails', async ({ page }) => { await page.goto('/'); expect(await page.title()).toBe('Another title'); });
"""


@pytest.mark.parametrize(
    ("keep", "of"), [("on", {"passes", "fails"}), ("retain-on-failure", {"fails"}), ("off", set[str]())]
)
def test_videos_are_kept_as_the_job_says(ts_suite: SuiteFolder, site: str, keep: Keep, of: set[str]) -> None:
    ts_suite.write("a.spec.ts", SUITE)
    run = ts_suite.run(base_url=site, video=keep)
    videos = {
        result.title: item.path.read_bytes()
        for result in run.results
        for item in result.attachments
        if item.name == "video" and item.path is not None
    }
    assert videos.keys() == of, run.results
    assert all(content.startswith(b"\x1a\x45\xdf\xa3") for content in videos.values()), "the head of a WebM file"


def test_says_what_is_missing_where_there_is_no_ffmpeg(
    ts_suite: SuiteFolder, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "find_ffmpeg", lambda _environ: None)
    ts_suite.write("a.spec.ts", SUITE)
    run = ts_suite.run(base_url=site, video="on")
    assert run.end.reason == "browser_missing", run.end
    assert run.end.errors[0].message.startswith(
        "No ffmpeg was found, which videos are made with. Install one on the worker"
    )
    assert run.results == []


def test_needs_no_ffmpeg_where_it_makes_no_videos(
    ts_suite: SuiteFolder, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "find_ffmpeg", lambda _environ: None)
    ts_suite.write("playwright.config.ts", "export default { projects: [{ name: 'one' }] };")
    ts_suite.write("a.spec.ts", SUITE)
    run = ts_suite.run(base_url=site, trace="off", screenshot="off")
    assert [result.outcome for result in run.results] == ["passed", "failed"], run.end
