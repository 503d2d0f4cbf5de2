"""Settings from the environment."""

import pytest

from wainwright.domain.capacity import Limits
from wainwright.settings import (
    ApiSettings,
    DispatchSettings,
    JobSettings,
    PublishSettings,
    Settings,
    SettingsInvalid,
    StoreSettings,
    WorkerSettings,
    WorkflowSettings,
)

COMPLETE = {
    "WAINWRIGHT_STAGE": "test",
    "WAINWRIGHT_TABLE": "table",
    "WAINWRIGHT_BUCKET": "bucket",
    "WAINWRIGHT_JOBS_QUEUE_URL": "https://sqs/jobs",
    "WAINWRIGHT_WORK_QUEUE_URL": "https://sqs/work",
    "WAINWRIGHT_REPORTS_URL": "https://reports",
    "WAINWRIGHT_STATE_MACHINE_ARN": "arn:machine",
    "WAINWRIGHT_EVENT_BUS": "bus",
    "WAINWRIGHT_WORKER_ID": "w1",
    "WAINWRIGHT_CLUSTER": "cluster",
    "WAINWRIGHT_TASK_DEFINITION": "task:1",
    "WAINWRIGHT_SUBNETS": "a,b",
    "WAINWRIGHT_SECURITY_GROUP": "sg",
    "MAX_CONCURRENT_TESTS": "10",
}
ALL = (
    Settings, StoreSettings, JobSettings, ApiSettings, WorkflowSettings, DispatchSettings, PublishSettings,
    WorkerSettings,
)  # fmt: skip


@pytest.mark.parametrize("kind", ALL)
def test_reads_a_complete_environment_and_minds_no_other_variables(kind: type[Settings]) -> None:
    assert kind.read(COMPLETE | {"PATH": "/bin"}).stage == "test"


@pytest.mark.parametrize("kind", ALL)
def test_names_each_variable_that_is_missing(kind: type[Settings]) -> None:
    required = [info.alias or name for name, info in kind.model_fields.items() if info.is_required()]
    assert "WAINWRIGHT_STAGE" in required

    for name in required:
        with pytest.raises(SettingsInvalid, match=name):
            kind.read({key: value for key, value in COMPLETE.items() if key != name})


def test_names_all_that_are_missing_at_once() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        ApiSettings.read({})

    for name in ("WAINWRIGHT_STAGE", "WAINWRIGHT_TABLE", "WAINWRIGHT_BUCKET", "WAINWRIGHT_REPORTS_URL"):
        assert name in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNNING_CAPACITY", "0"),
        ("QUEUED_CAPACITY", "many"),
        ("TEST_EXECUTION_TIMEOUT_MS", "1"),
        ("WAINWRIGHT_TABLE", ""),
    ],
)
def test_names_a_variable_whose_value_is_wrong(name: str, value: str) -> None:
    with pytest.raises(SettingsInvalid, match=name):
        ApiSettings.read(COMPLETE | {name: value})


def test_has_the_capacity_of_the_requirements_where_nothing_is_said() -> None:
    settings = ApiSettings.read(COMPLETE)

    assert settings.limits == Limits(running=5, queued=50)
    assert settings.timeout_ms == 900_000


def test_reads_the_capacity_that_is_said() -> None:
    environment = COMPLETE | {"RUNNING_CAPACITY": "7", "QUEUED_CAPACITY": "70", "TEST_EXECUTION_TIMEOUT_MS": "60000"}
    settings = ApiSettings.read(environment)

    assert (settings.limits, settings.timeout_ms) == (Limits(running=7, queued=70), 60_000)
