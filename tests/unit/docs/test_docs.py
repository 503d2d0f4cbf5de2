"""The documentation names everything that a user can call, set or be answered with."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from functions.api.openapi import operations
from functions.api.operations import Operation
from wainwright import settings
from wainwright.contracts.events import EventKind
from wainwright.contracts.problems import TYPES
from wainwright.domain.failures import FailureCategory

DOCS = Path(__file__).parents[3] / "docs"
API = (DOCS / "api.md").read_text()
SETTINGS = (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.id)
def test_names_every_call_with_its_scope_and_parameters(operation: Operation) -> None:
    path = operation.path.replace("{path+}", "{path}")
    row = re.search(rf"^\| `{operation.method} /v1{re.escape(path)}` \| (\w+) \| (.+) \|$", API, re.MULTILINE)
    assert row is not None
    assert row[1] == operation.scope
    assert all(f"`{name}`" in row[2] for name in operation.queries)


def test_names_no_call_that_does_not_exist() -> None:
    documented = set(re.findall(r"^\| `([A-Z]+ /v1[^`]*)`", API, re.MULTILINE))
    assert documented == {f"{each.method} /v1{each.path.replace('{path+}', '{path}')}" for each in operations()}


@pytest.mark.parametrize("name", [*TYPES, *FailureCategory, *EventKind])
def test_names_every_problem_category_and_event(name: str) -> None:
    assert f"`{name}`" in API


def _models(base: type[BaseModel]) -> set[type[BaseModel]]:
    return {base}.union(*(_models(each) for each in base.__subclasses__()))


def test_names_every_setting() -> None:
    models = _models(settings.Settings) | _models(settings.CapacitySettings)
    names = {field.alias for model in models for field in model.model_fields.values()}
    assert names
    assert {name for name in names if f"`{name}`" not in SETTINGS} == set()
