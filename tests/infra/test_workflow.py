"""The state machine of one run."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.synthesized import ROOT, Synthesized, target

DEFINITION = ROOT / "infra" / "workflows" / "job.asl.json"


@pytest.fixture
def definition() -> Any:
    """The state machine as it is written down."""
    return json.loads(DEFINITION.read_text(encoding="utf-8"))


def resolved(text: str, values: dict[str, str]) -> Any:
    """A definition with ``${…}`` filled in, as CloudFormation does; paths like ``$.run`` stay as they are."""
    return json.loads(re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], text))


def happy_path(definition: Any) -> Iterator[str]:
    """The states of a run that ends well, in order."""
    name: str | None = definition["StartAt"]
    while name is not None:
        yield name
        name = definition["States"][name].get("Next")


def test_template_holds_the_file_with_references_resolved(each: Synthesized) -> None:
    machine = each.one("AWS::StepFunctions::StateMachine")
    substitutions = machine["DefinitionSubstitutions"]
    values = {"WorkQueueUrl": "a queue", "FinishJobFunction": "a function"}

    assert each.resources[target(substitutions["WorkQueueUrl"])]["Type"] == "AWS::SQS::Queue"
    assert target(substitutions["WorkQueueUrl"]).startswith("QueuesWork")
    assert each.function_name(substitutions["FinishJobFunction"]) == "finish_job"
    assert set(substitutions) == set(values)

    definition = resolved(machine["DefinitionString"], values)
    assert definition == resolved(DEFINITION.read_text(encoding="utf-8"), values)
    assert definition["States"]["Execute"]["Parameters"]["QueueUrl"] == "a queue"
    assert definition["States"]["Finish"]["Parameters"]["FunctionName"] == "a function"


def test_is_a_standard_machine_that_logs_no_tokens(each: Synthesized) -> None:
    machine = each.one("AWS::StepFunctions::StateMachine")

    assert machine["StateMachineType"] == "STANDARD"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_an_ordinary_run_takes_at_most_three_transitions(definition: Any) -> None:
    states = list(happy_path(definition))

    assert states == ["Execute", "Finish"]
    assert len(states) + 1 <= 3, "each state and the end of the execution"


def test_every_state_is_a_task_that_cannot_wait_for_ever(definition: Any) -> None:
    for state in definition["States"].values():
        assert state["Type"] == "Task"
        assert "TimeoutSeconds" in state or "TimeoutSecondsPath" in state
        assert state["Retry"]


def test_the_machine_itself_has_no_timeout_since_that_would_skip_finish(definition: Any) -> None:
    assert "TimeoutSeconds" not in definition


def test_the_message_is_what_a_worker_reads(definition: Any) -> None:
    from wainwright.contracts.messages import ExecutionInput, WorkMessage

    parameters = definition["States"]["Execute"]["Parameters"]
    body = {name.removesuffix(".$") for name in parameters["MessageBody"]}
    given = ExecutionInput(project="p", job_id="j", run=1, timeout_seconds=60).model_dump(by_alias=True)

    assert body == {"project", "jobId", "run", "taskToken"}
    WorkMessage.model_validate({"project": "p", "jobId": "j", "run": 1, "taskToken": "t"})
    for path in [*parameters["MessageBody"].values(), parameters["MessageGroupId.$"]]:
        assert path == "$$.Task.Token" or path.removeprefix("$.") in given
    assert definition["States"]["Execute"]["TimeoutSecondsPath"].removeprefix("$.") in given


def test_whatever_ends_the_work_finish_is_told_of_it(definition: Any) -> None:
    from wainwright.contracts.messages import FinishInput

    execute = definition["States"]["Execute"]
    fields = {field.alias or name for name, field in FinishInput.model_fields.items()}

    assert execute["Catch"] == [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Finish"}]
    assert execute["Next"] == "Finish"
    assert {"ended", "error"} <= fields
    assert execute["ResultPath"] == "$.ended"
    assert definition["States"]["Finish"]["Parameters"]["Payload.$"] == "$"


def test_only_the_queue_itself_is_tried_again_never_the_work(definition: Any) -> None:
    retried = {error for retry in definition["States"]["Execute"]["Retry"] for error in retry["ErrorEquals"]}

    assert retried
    assert all(error.startswith("SQS.") for error in retried)
