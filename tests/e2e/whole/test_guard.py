"""Who has not this run's key, a page of another origin above all, gets nothing and changes nothing."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser

from tests.e2e.whole.local_system import Up, served

pytestmark = pytest.mark.e2e

PROBE = """
async (urls) => {
  const told = [];
  for (const url of urls) {
    for (const [method, headers] of [["GET", {}], ["POST", {}], ["POST", {"content-type": "text/plain"}],
                                     ["POST", {"x-amz-target": "DynamoDB_20120810.ListTables"}], ["DELETE", {}]]) {
      try {
        const answer = await fetch(url, {method, headers, body: method === "POST" ? "{}" : undefined});
        told.push([method, url, answer.status, await answer.text()]);
      } catch (error) { told.push([method, url, "blocked", ""]); }
      try { await fetch(url, {method, mode: "no-cors", body: method === "POST" ? "{}" : undefined}); } catch (error) {}
    }
  }
  return told;
}
"""


def _ports(pid: int) -> list[int]:
    """TCP ports that a process listens on, from the kernel's tables."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.update(re.findall(r"socket:\[(\d+)\]", str(link.readlink())))
        except FileNotFoundError:
            continue  # closed just now
    ports = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                assert address == "0100007F", f"listens beyond 127.0.0.1: {line}"
                ports.append(int(port, 16))
    return ports


def test_every_port_refuses_who_has_no_key(up: Up) -> None:
    ports = _ports(up.pid)
    assert len(ports) >= 3  # the API, the reports, the AWS endpoint

    for port in ports:
        for method, path in [
            ("GET", "/"), ("POST", "/"), ("GET", "/v1/jobs"), ("GET", "/v1/health"), ("GET", "/v1/openapi.json"),
            ("GET", "/moto-api/"), ("POST", "/moto-api/reset"), ("GET", "/r/guess/index.html"), ("PUT", "/bucket/key"),
        ]:  # fmt: skip
            answer = httpx.request(method, f"http://127.0.0.1:{port}{path}")
            assert answer.status_code in {400, 401, 403, 404}, (port, method, path, answer.text)
            assert "access-control-allow-origin" not in answer.headers


def test_another_host_name_for_this_address_is_refused_even_with_the_key(up: Up) -> None:
    answer = httpx.get(
        f"{up.endpoint}/v1/health", headers={"Authorization": f"Bearer {up.key}", "Host": "evil.example"}
    )

    assert answer.status_code in {400, 403, 421}


@pytest.mark.browser
def test_a_page_of_another_origin_can_neither_read_nor_change_anything(
    up: Up, client: httpx.Client, chromium: Browser, tmp_path: Path
) -> None:
    before = [job["id"] for job in client.get("/v1/jobs").json()["jobs"]]
    (tmp_path / "page.html").write_text("<title>elsewhere</title>")
    paths = ["/", "/v1/jobs", "/v1/bundles", "/moto-api/reset", "/moto-api/data.json", "/r/guess/index.html"]
    urls = [f"http://127.0.0.1:{port}{path}" for port in _ports(up.pid) for path in paths]

    with served(tmp_path) as elsewhere:
        page = chromium.new_page()
        page.goto(f"{elsewhere}page.html")
        told = page.evaluate(PROBE, urls)
        page.close()

    assert len(told) == 5 * len(urls)
    assert {status for _, _, status, _ in told} == {"blocked"}
    assert [job["id"] for job in client.get("/v1/jobs").json()["jobs"]] == before
    assert client.get("/v1/health").status_code == 200
