"""State machines whose definitions are parsed once."""

from __future__ import annotations

import json
import queue
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import json_path

from wainwright.local.patches import Patches
from wainwright.local.stepfunctions import Interpreter

WAIT_SECONDS = 60
ROLE = "arn:aws:iam::123456789012:role/any"
MACHINE: dict[str, Any] = {
    "StartAt": "Fixed",
    "States": {
        "Fixed": {
            "Type": "Pass",
            "Result": {"deep": {"n": 1}, "seen": "no"},
            "ResultPath": "$.made",
            "Next": "Change",
        },
        "Change": {"Type": "Pass", "InputPath": "$.name", "ResultPath": "$.made.deep.n", "Next": "Again"},
        "Again": {
            "Type": "Pass",
            "Parameters": {"text.$": "States.Format('{} {}', $.name, $.made.deep.n)", "was.$": "$.made"},
            "End": True,
        },
    },
}


class Machines:
    """Runs state machines to their ends."""

    def __init__(self) -> None:
        self.ended: queue.Queue[dict[str, Any]] = queue.Queue()
        self.parsed: Counter[str] = Counter()
        self.paths: Counter[str] = Counter()
        self.client: Any = boto3.client("stepfunctions", region_name="us-east-1")

    def create(self, name: str, definition: dict[str, Any]) -> str:
        text = json.dumps(definition)
        return str(self.client.create_state_machine(name=name, definition=text, roleArn=ROLE)["stateMachineArn"])

    def run(self, arn: str, **given: Any) -> dict[str, Any]:
        self.client.start_execution(stateMachineArn=arn, name=uuid4().hex, input=json.dumps(given))
        return self.ended.get(timeout=WAIT_SECONDS)


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}), Patches() as patches:
        made = Machines()
        parse, parse_path = AmazonStateLanguageParser.parse, vars(json_path)["parse"]

        def counted(definition: str) -> Any:
            made.parsed[definition] += 1
            return parse(definition)

        def counted_path(path: str) -> Any:
            made.paths[path] += 1
            return parse_path(path)

        monkeypatch.setattr(AmazonStateLanguageParser, "parse", staticmethod(counted))
        monkeypatch.setattr(json_path, "parse", counted_path)
        Interpreter(made.ended.put, lambda _arn, _events: None).install(patches)
        yield made


def test_parses_a_definition_once_for_all_its_executions(machines: Machines) -> None:
    arn = machines.create("counted", MACHINE | {"Comment": "counted"})
    created = machines.parsed.total()
    for name in "abcd":
        assert machines.run(arn, name=name)["status"] == "SUCCEEDED"
    assert machines.parsed.total() == created + 1
    assert set(machines.paths.values()) == {1}


def test_executions_leave_no_marks_on_those_after_them(machines: Machines) -> None:
    arn = machines.create("marks", MACHINE | {"Comment": "marks"})
    for name in ("first", "second", "third"):
        output = json.loads(machines.run(arn, name=name)["output"])
        assert output == {"text": f"{name} {name}", "was": {"deep": {"n": name}, "seen": "no"}}


def test_a_changed_definition_is_what_runs(machines: Machines) -> None:
    arn = machines.create("changed", {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 1, "End": True}}})
    assert json.loads(machines.run(arn)["output"]) == 1
    changed = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 2, "End": True}}})
    machines.client.update_state_machine(stateMachineArn=arn, definition=changed)
    assert json.loads(machines.run(arn)["output"]) == 2
