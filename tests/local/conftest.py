"""A local system over the small template, and what tests of it share."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest

from tests.local.templates import template, write_functions
from wainwright.local.system import LocalSystem

T = TypeVar("T")


def eventually(check: Callable[[], T | None], timeout: float = 20.0) -> T:
    """The result of `check` once it is truthy; fails when that takes too long."""
    deadline = time.monotonic() + timeout
    while not (result := check()):
        if time.monotonic() > deadline:
            pytest.fail(f"did not come true within {timeout} s")
        time.sleep(0.005)
    return result


def seen(function: str) -> list[Any]:
    """The events that a handler of the small repository remembers."""
    events: list[Any] = sys.modules[f"functions.{function}.handler"].SEEN
    return events


# A stand-in for the worker: says what it got, then does what it is told by its environment.
WORKER = """
import json, os, signal, sys, time
from wainwright.worker.loop.parent_watch import watch_parent
watch_parent(os.environ)
print(json.dumps({"pid": os.getpid(), **dict(os.environ)}), flush=True)
if os.environ.get("DO") == "exit":
    sys.exit(3)
if os.environ.get("DO") == "ignore":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.environ.get("DO") == "put":
    import boto3
    boto3.client("dynamodb").put_item(TableName=os.environ["SHOP_TABLE"], Item={"pk": {"S": "worker"}, "sk": {"S": "1"}})
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody="from the worker")
    sys.exit(0)
while True:
    signal.pause()
"""


@pytest.fixture(scope="module", autouse=True)
def functions_of_this_repository() -> Iterator[None]:
    """Unload the ``functions`` of a module of tests, for the next one may want the real ones."""

    def loaded() -> dict[str, ModuleType]:
        return {name: module for name, module in sys.modules.items() if name.split(".", 1)[0] == "functions"}

    before = loaded()
    yield
    for name in loaded():
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_functions(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="module")
def system(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSystem]:
    data_dir = tmp_path_factory.mktemp("data")
    command = (sys.executable, "-c", WORKER)
    with pytest.MonkeyPatch.context() as users:
        # Settings of a user's own, which nothing of ours may go by.
        users.setenv("AWS_PROFILE", "production")
        users.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
        users.setenv("WAINWRIGHT_API_KEY", "secret")
        with LocalSystem(template(), repository, data_dir, api_port=0, worker_command=command) as running:
            yield running


def worker_report(data_dir: Path, task_arn: str) -> dict[str, str]:
    """The first line that the worker of a task printed."""
    identity = task_arn.rpartition("/")[2]

    def read() -> str:
        logs = list((data_dir / "logs" / "workers").glob(f"*-{identity}.log"))
        return logs[0].read_text() if logs and logs[0].read_text().endswith("\n") else ""

    report: dict[str, str] = json.loads(eventually(read).splitlines()[0])
    return report
