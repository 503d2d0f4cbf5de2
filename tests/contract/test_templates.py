"""Every TemplateStore, in memory and on AWS."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.builders import PROJECT, START
from tests.support.faults import Faults
from tests.support.memory.stores import MemoryTemplateStore
from wainwright.adapters.aws.clients import Clients
from wainwright.adapters.aws.template_store import DynamoTemplateStore
from wainwright.domain.errors import Conflict, InvalidInput
from wainwright.domain.retry import RetryPolicy
from wainwright.domain.templates import Template
from wainwright.ports.template_store import TemplateStore

LATER = START + timedelta(hours=1)


@pytest.fixture
def dynamodb_templates(table: str, aws_clients: Clients) -> DynamoTemplateStore:
    return DynamoTemplateStore(aws_clients.dynamodb, table)


@pytest.fixture
def memory_templates() -> MemoryTemplateStore:
    return MemoryTemplateStore()


@pytest.fixture(params=["memory_templates", "dynamodb_templates"])
def templates(request: pytest.FixtureRequest) -> TemplateStore:
    """Each implementation of TemplateStore in turn."""
    store: TemplateStore = request.getfixturevalue(request.param)
    return store


def a_template(id: str = "t1", version: int = 1, **fields: Any) -> Template:
    defaults: dict[str, Any] = {
        "project": PROJECT, "name": f"version {version}", "bundle_id": "0" * 64, "created_at": START, "updated_at": START,
    }  # fmt: skip
    return Template(id=id, version=version, **(defaults | fields))


def test_gives_back_the_newest_version_and_each_other(templates: TemplateStore) -> None:
    versions = [
        a_template(url="https://shop.example/", config={"timeout": 5}, parameters={"type": "object"}),
        a_template(version=2, retry=RetryPolicy(max_attempts=3), updated_at=LATER, output_schema={"type": "object"}),
        a_template(version=3, instructions="Buy Ünïcode ✓ " * 1_000, updated_at=LATER),
    ]
    for version in versions:
        templates.put(version)

    assert templates.get(PROJECT, "t1") == versions[-1]
    assert [templates.get(PROJECT, "t1", number) for number in (1, 2, 3)] == versions


def test_there_is_none_that_nobody_wrote(templates: TemplateStore) -> None:
    templates.put(a_template())

    assert templates.get(PROJECT, "t2") is None
    assert templates.get("other", "t1") is None
    assert [templates.get(PROJECT, "t1", number) for number in (0, 2)] == [None, None]


@pytest.mark.parametrize("version", [1, 2, 4])
def test_refuses_a_version_that_exists_or_has_no_predecessor(templates: TemplateStore, version: int) -> None:
    templates.put(a_template())
    templates.put(a_template(version=2))

    with pytest.raises(Conflict):
        templates.put(a_template(version=version, name="another"))

    newest = templates.get(PROJECT, "t1")
    assert newest is not None
    assert (newest.version, newest.name) == (2, "version 2")
    assert templates.get(PROJECT, "t1", 4) is None


def test_refuses_a_second_version_of_what_is_not_there(templates: TemplateStore) -> None:
    with pytest.raises(Conflict):
        templates.put(a_template(version=2))

    assert templates.get(PROJECT, "t1") is None


def test_lists_the_newest_versions_in_order_of_creation(templates: TemplateStore) -> None:
    for place, id in enumerate(["c", "a", "e", "b", "d"]):
        templates.put(a_template(id, created_at=START + timedelta(seconds=place)))
    templates.put(a_template("a", 2, created_at=START + timedelta(seconds=1), updated_at=LATER))
    templates.put(a_template("f", project="other"))

    found: list[tuple[str, int]] = []
    cursor = None
    for _ in range(3):
        page, cursor = templates.list(PROJECT, 2, cursor)
        found += [(template.id, template.version) for template in page]

    assert found == [("c", 1), ("a", 2), ("e", 1), ("b", 1), ("d", 1)]
    assert cursor is None


def test_lists_templates_of_one_instant_once_each(templates: TemplateStore) -> None:
    for id in "cab":
        templates.put(a_template(id))

    first, cursor = templates.list(PROJECT, 1, None)
    rest, last = templates.list(PROJECT, 5, cursor)

    assert [each.id for each in (*first, *rest)] == ["a", "b", "c"]
    assert last is None


def test_refuses_a_cursor_that_is_none_of_this_list(templates: TemplateStore) -> None:
    for id in "ab":
        templates.put(a_template(id, project="other"))
    _, cursor = templates.list("other", 1, None)

    for wrong in (cursor, "nonsense"):
        with pytest.raises(InvalidInput):
            templates.list(PROJECT, 1, wrong)


def test_a_deleted_template_is_gone_with_all_its_versions(templates: TemplateStore) -> None:
    templates.put(a_template())
    templates.put(a_template(version=2))
    templates.put(a_template("t2"))
    templates.mark_run(PROJECT, "t1", START)

    assert templates.delete(PROJECT, "t1") is True

    assert [templates.get(PROJECT, "t1", version) for version in (None, 1, 2)] == [None, None, None]
    assert [each.id for each in templates.list(PROJECT, 9, None)[0]] == ["t2"]
    assert templates.last_run(PROJECT, ["t1"]) == {}
    assert templates.delete(PROJECT, "t1") is False
    with pytest.raises(Conflict):
        templates.put(a_template(version=3))


def test_tells_when_jobs_were_last_made(templates: TemplateStore) -> None:
    templates.put(a_template())
    for at in (START, LATER, START + timedelta(minutes=1)):
        templates.mark_run(PROJECT, "t1", at)
    templates.mark_run("other", "t2", START)

    assert templates.last_run(PROJECT, ["t1", "t2"]) == {"t1": LATER}
    assert templates.last_run(PROJECT, []) == {}


def test_a_run_does_not_hinder_a_new_version(templates: TemplateStore) -> None:
    templates.put(a_template())
    templates.mark_run(PROJECT, "t1", START)

    templates.put(a_template(version=2))

    newest = templates.get(PROJECT, "t1")
    assert newest is not None
    assert newest.version == 2


@pytest.mark.usefixtures("no_pauses")
def test_knows_its_own_version_again(dynamodb_templates: DynamoTemplateStore, aws_clients: Clients) -> None:
    dynamodb_templates.put(a_template())
    with Faults(aws_clients.dynamodb).installed() as faults:
        faults.lose_answers = 1
        dynamodb_templates.put(a_template(version=2))
        assert faults.left == 0

    assert dynamodb_templates.get(PROJECT, "t1") == a_template(version=2)
