"""Start, stop, and start again."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import boto3
import httpx
import pytest

from tests.local.conftest import WORKER, eventually, seen, worker_report
from tests.local.templates import template, write_functions
from wainwright.local.errors import LocalError
from wainwright.local.system import LocalSystem


def put(sk: str) -> None:
    item = {"pk": {"S": "job"}, "sk": {"S": sk}, "entity": {"S": "job"}}
    boto3.client("dynamodb").put_item(TableName="Table", Item=item)


# A server of its own, for tests that kill it: prints its addresses, writes what it is told, runs until it is killed.
SERVER = """
import json, sys, threading
from pathlib import Path
import boto3
from tests.local.templates import template
from wainwright.local.system import LocalSystem
root, data, worker = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
system = LocalSystem(template(), root, data, api_port=0, worker_command=(sys.executable, "-c", worker))
system.start()
boto3.client("dynamodb").put_item(TableName="Table", Item={"pk": {"S": "kept"}, "sk": {"S": "1"}})
boto3.client("s3").put_object(Bucket="bucket", Key="kept.txt", Body=b"kept", ContentType="text/plain", Metadata={"a": "b"})
boto3.client("s3").put_object(Bucket="bucket", Key="gone.txt", Body=b"gone")
boto3.client("s3").delete_object(Bucket="bucket", Key="gone.txt")
task = boto3.client("ecs").run_task(taskDefinition="worker")["tasks"][0]["taskArn"]
print(json.dumps({"task": task, "endpoint": system.endpoint_url}), flush=True)
threading.Event().wait()
"""


def alive(pid: int) -> bool:
    """Return True if a process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_rows_and_objects_outlive_kill_9_and_workers_do_not(tmp_path: Path) -> None:
    root, data = write_functions(tmp_path), tmp_path / "data"
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(root), str(data), WORKER],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert server.stdout is not None
    told = json.loads(server.stdout.readline())
    worker = int(worker_report(data, told["task"])["pid"])
    assert alive(worker)
    server.send_signal(signal.SIGKILL)
    server.wait()
    server.stdout.close()
    assert eventually(lambda: not alive(worker))

    with LocalSystem(template(), root, data, api_port=0):
        key = {"pk": {"S": "kept"}, "sk": {"S": "1"}}
        assert boto3.client("dynamodb").get_item(TableName="Table", Key=key)["Item"] == key
        kept = boto3.client("s3").get_object(Bucket="bucket", Key="kept.txt")
        assert (kept["Body"].read(), kept["ContentType"], kept["Metadata"]) == (b"kept", "text/plain", {"a": "b"})
        assert kept["ETag"] == f'"{hashlib.md5(b"kept").hexdigest()}"'  # noqa: S324 - what S3 calls an entity tag
        assert [each["Key"] for each in boto3.client("s3").list_objects_v2(Bucket="bucket")["Contents"]] == ["kept.txt"]
        assert {"recover": True} in eventually(lambda: seen("sweep")), "the sweep is told that executions are gone"


def test_stream_records_that_no_reader_had_passed_are_read_after_a_restart(tmp_path: Path) -> None:
    root, data = write_functions(tmp_path), tmp_path / "data"
    document = template()
    document["Resources"]["StreamMapping"]["Properties"]["Enabled"] = False
    document["Resources"]["Other"] = template()["Resources"]["StreamMapping"]
    # Finish fails on such an event, which is handed to it again and again.
    document["Resources"]["Other"]["Properties"] |= {"FunctionName": {"Ref": "Finish"}, "MaximumRetryAttempts": -1}
    with LocalSystem(document, root, data, api_port=0):
        put("unread")
    with LocalSystem(template(), root, data, api_port=0):
        assert eventually(lambda: seen("events")) == ["unread"]
    with LocalSystem(template(), root, data, api_port=0) as system:
        put("later")
        assert eventually(lambda: seen("events")) == ["later"], "what was passed is not read again"
        eventually(lambda: system._dynamodb.unread("Table") == [])


def test_gives_back_ports_directory_and_environment(tmp_path: Path) -> None:
    root, before = write_functions(tmp_path), dict(os.environ)
    with LocalSystem(template(), root, tmp_path / "data", api_port=0) as system:
        url, port = system.api_url, int(system.api_url.rpartition(":")[2])
        assert os.environ["SHOP_TABLE"] == "Table"
    assert dict(os.environ) == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    with LocalSystem(template(), root, tmp_path / "data", api_port=port) as system:
        assert system.api_url == url


def test_a_port_in_use_is_explained_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        system = LocalSystem(template(), write_functions(tmp_path), tmp_path / "data", api_port=port)
        with pytest.raises(LocalError, match=f"port {port} is in use") as refusal:
            system.start()
    assert "\n" not in str(refusal.value)
    with system:
        assert system.api_url.endswith(str(port)), "what a failed start took is given back"


def test_a_broken_state_machine_is_an_error_at_start(tmp_path: Path) -> None:
    document = template()
    document["Resources"]["Machine"]["Properties"]["DefinitionString"] = (
        '{"StartAt": "A", "States": {"A": {"Type": "Nap"}}}'
    )
    with pytest.raises(LocalError, match=r"refused: .*CreateStateMachine"):
        LocalSystem(document, write_functions(tmp_path), tmp_path / "data", api_port=0).start()


def test_gives_back_the_functions_that_were_imported_before(tmp_path: Path) -> None:
    ours = importlib.import_module("functions.api.handler")

    with LocalSystem(template(), write_functions(tmp_path), tmp_path / "data", api_port=0):
        assert sys.modules.get("functions.api.handler") is not ours
    assert importlib.import_module("functions.api.handler") is ours
