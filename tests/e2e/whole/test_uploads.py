"""A system whose S3 refuses the report of one job."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.whole.local_system import Up, ended, eventually, job, results, submit

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.thorough]

SUITE = """
import pathlib, time

def test_waits_until_s3_refuses(page):
    page.set_content("<h1>Ready</h1>")
    deadline = time.monotonic() + 120
    while not pathlib.Path({gate!r}).exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)

def test_price(page):
    page.set_content("<h1>19.90</h1>")
    assert page.inner_text("h1") == {price!r}
"""


class UpWithoutUploads(Up):
    """Its S3 refuses the files of the jobs that :meth:`refuse` names."""

    def _command(self) -> list[str]:
        program = Path(__file__).with_name("up_without_uploads.py")
        return [sys.executable, "-P", str(program), str(self.data_dir), str(self._refused)]

    @property
    def _refused(self) -> Path:
        return self.data_dir.parent / "refused"

    def refuse(self, *job_ids: str) -> None:
        """Take nothing of these jobs from now on, and everything of all others."""
        new = self._refused.with_suffix(".new")
        new.write_text("\n".join(job_ids))
        new.replace(self._refused)

    def left(self) -> list[Path]:
        """Contents that lie on the workers' disk."""
        return list((self.data_dir / "spool").glob("*.content"))


@pytest.fixture
def system(tmp_path: Path) -> Iterator[UpWithoutUploads]:
    system = UpWithoutUploads(tmp_path / "data", tmp_path / "up.log")
    system.refuse()
    try:
        system.start()
        yield system
    finally:
        system.stop()


def _refused_job(system: UpWithoutUploads, client: httpx.Client, gate: Path, *, price: str) -> dict[str, Any]:
    """A job that ended although nothing of its report could be uploaded."""
    job_id = submit(client, SUITE.format(gate=str(gate), price=price))
    system.refuse(job_id)
    gate.touch()
    return ended(client, job_id, within=180)


def _whole(client: httpx.Client, job_id: str) -> bool:
    return bool(job(client, job_id)["report"]["complete"])


def test_a_failed_jobs_report_opens_from_the_workers_disk_until_it_can_be_uploaded(
    system: UpWithoutUploads, tmp_path: Path, chromium: Browser
) -> None:
    with system.client() as client:
        record = _refused_job(system, client, tmp_path / "gate", price="9.90")

        # Its outcome is that of its tests, and the record names what is missing, and why.
        assert (record["status"], record["failure"]["category"]) == ("failed", "assertion")
        assert (record["tests"]["passed"], record["tests"]["failed"]) == (1, 1)
        report = record["report"]
        assert (report["ready"], report["complete"], report["missingReason"]) == (True, False, "S3 answered SlowDown")
        assert {"index.html", "results.json", "junit.xml", "manifest.json"} <= set(report["missing"])
        attachments = [item for test in results(client, record["id"])["tests"] for item in test["attachments"]]
        assert {item["href"] for item in attachments} <= set(report["missing"])
        assert report["missingCount"] == len(report["missing"])
        log = client.get(f"/v1/jobs/{record['id']}/logs", params={"level": "ERROR"}).json()["logs"]
        assert any("could not be uploaded (S3 answered SlowDown)" in line["message"] for line in log)

        # All of it can be read, by a browser too; and it survives the system.
        assert system.left()
        system.stop()
        system.start()
    with system.client() as client:
        page = chromium.new_page()
        page.goto(client.post(f"/v1/jobs/{record['id']}/ticket").json()["reportUrl"])
        expect(page.get_by_role("link", name="test_price").first).to_be_visible()
        page.close()
        for item in attachments:
            answer = client.get(f"/v1/jobs/{record['id']}/report/{item['href']}")
            assert (answer.status_code, len(answer.content)) == (200, item["sizeBytes"])
        assert client.get(f"/v1/jobs/{record['id']}/report/trace/index.html").status_code == 200
        shown = system.run("jobs", "get", record["id"])
        assert "index.html" in shown.stdout, shown

        # Another job goes its way, and its worker uploads what was left when it is idle.
        system.refuse()
        other = ended(client, submit(client, "def test_nothing():\n    pass\n"))
        assert (other["status"], other["report"]["complete"]) == ("completed", True)
        eventually(lambda: _whole(client, record["id"]), within=120, what="the report was uploaded")
        after = job(client, record["id"])
        assert (after["report"]["missing"], after["report"]["missingReason"]) == ([], None)
        assert (after["status"], after["failure"]) == (record["status"], record["failure"])
        eventually(lambda: not system.left(), within=30, what="the disk was cleared")
        assert results(client, record["id"])["complete"]
        for item in attachments:
            assert client.get(f"/v1/jobs/{record['id']}/report/{item['href']}").status_code == 200


def test_a_job_whose_tests_passed_but_whose_report_is_not_stored_has_not_passed(
    system: UpWithoutUploads, tmp_path: Path
) -> None:
    with system.client() as client:
        record = _refused_job(system, client, tmp_path / "gate", price="19.90")

        assert (record["status"], record["failure"]["category"]) == ("failed", "infrastructure")
        assert record["tests"]["passed"] == 2
        assert "index.html" in record["failure"]["message"]
        assert "S3 answered SlowDown" in record["failure"]["message"]
        assert [test["outcome"] for test in results(client, record["id"])["tests"]] == ["passed", "passed"]

        # A retry makes it good without running what had passed.
        system.refuse()
        assert client.post(f"/v1/jobs/{record['id']}/retry").status_code == 200
        record = ended(client, record["id"])
        assert (record["status"], record["attempt"], record["tests"]["passed"]) == ("completed", 2, 2)
        assert record["report"]["complete"]
