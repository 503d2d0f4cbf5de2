"""Runs one job in its own local system and prints its calls as the tables of docs/how-it-works.md.

Usage: python -m scripts.job_history
"""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx

from wainwright.adapters.aws.clients import Clients
from wainwright.contracts.scopes import Scope
from wainwright.local.meter import Call
from wainwright.local.synth import template_for
from wainwright.local.system import LocalSystem
from wainwright.wiring import administration

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = """
def test_title(page):
    page.set_content("<title>Hello</title>")
    assert page.title() == "Hello"
"""
Row = tuple[float, str, str]


def main() -> None:
    """Run the job twice and print the second run, which is that of a warm system."""
    calls: list[Call] = []
    with tempfile.TemporaryDirectory() as folder:
        template = template_for(ROOT, Path(folder) / "cache")
        system = LocalSystem(template, ROOT, Path(folder) / "data", api_port=0, max_workers=1, on_call=calls.append)
        with system:
            _, key = administration.manage_keys(Clients(), os.environ["WAINWRIGHT_TABLE"]).create(
                "default", Scope.RUN, "me"
            )
            with httpx.Client(
                base_url=system.api_url, headers={"Authorization": f"Bearer {key}"}, timeout=60
            ) as client:
                _run(client)
                calls.clear()
                began = time.time()
                job = _run(client)
            _print(began, job, list(calls), _execution(job["id"]))


def _run(client: httpx.Client) -> dict[str, Any]:
    created = client.post("/v1/jobs", json={"script": SCRIPT})
    job_id = created.raise_for_status().json()["jobId"]
    while True:
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}?wait=20").raise_for_status().json()["job"]
        if job["status"] in {"completed", "failed"}:
            # The stream reports the last change a moment later.
            time.sleep(1)
            return job


def _execution(job_id: str) -> list[dict[str, Any]]:
    client = boto3.client("stepfunctions")
    arn = os.environ["WAINWRIGHT_STATE_MACHINE_ARN"].replace(":stateMachine:", ":execution:") + f":{job_id}-1"
    events: list[dict[str, Any]] = json.loads(
        json.dumps(client.get_execution_history(executionArn=arn)["events"], default=lambda at: at.timestamp())
    )
    return events


def _print(began: float, job: dict[str, Any], calls: list[Call], execution: list[dict[str, Any]]) -> None:
    rows = sorted([*_called(calls), *_happened(execution)])
    print("| ms | who | call |\n|---:|---|---|")
    for at, who, what in rows:
        print(f"| {(at - began) * 1_000:.0f} | {who} | {what} |")
    counted = Counter((call.caller, call.service, call.operation) for call in calls)
    print(f"\nThe job was {job['status']} after {job['durationMs']} ms. The number of calls, without polling:\n")
    print("| who | service | call | times |\n|---|---|---|---:|")
    for (who, service, operation), times in sorted(counted.items()):
        if (who, operation) not in _WAITING:
            print(f"| {who} | {service} | {operation} | {times} |")


_WAITING = {("worker", "ReceiveMessage"), ("api", "Query")}
"""Calls that poll; their number depends on how long the job takes."""


def _called(calls: list[Call]) -> Iterator[Row]:
    for call in calls:
        if (call.caller, call.operation) not in _WAITING:
            yield call.at, call.caller, f"{call.service}: {call.operation}"


def _happened(execution: list[dict[str, Any]]) -> Iterator[Row]:
    for event in execution:
        name = event.get("stateEnteredEventDetails", event.get("stateExitedEventDetails", {})).get("name", "")
        yield event["timestamp"], "Step Functions", f"**{event['type']}** {name}".strip()


if __name__ == "__main__":
    main()
