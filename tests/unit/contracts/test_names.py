"""Names that several parts must agree on."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import job_id
from wainwright.contracts.bundles import pack_files
from wainwright.contracts.names import (
    artifact_name,
    bundle_key,
    check_job_id,
    check_project,
    execution_name,
    new_job_id,
    parse_execution_name,
    report_key,
    viewer_key,
)
from wainwright.domain.errors import InvalidInput


def test_new_ids_are_job_ids_and_differ() -> None:
    ids = {new_job_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(check_job_id(id) == id for id in ids)


@pytest.mark.parametrize("text", ["", "x", job_id(1)[:-1], job_id(1) + "\n", job_id(10).upper().replace("0", "A"), "é"])
def test_refuses_what_is_no_job_id(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_job_id(text)


@pytest.mark.parametrize("text", ["a", "0", "shop-2", "a" * 40])
def test_takes_a_project(text: str) -> None:
    assert check_project(text) == text


@pytest.mark.parametrize("text", ["", "-a", "A", "a_b", "a#b", "a/b", "a\n", "a" * 41])
def test_refuses_what_is_no_project(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_project(text)


@given(st.uuids().map(str), st.integers(1, 10_000))
def test_an_executions_name_is_read_back(id: str, run: int) -> None:
    name = execution_name(id, run)

    assert parse_execution_name(name) == (id, run)
    assert len(name) <= 80


@pytest.mark.parametrize("name", ["", "x-1", job_id(1), f"{job_id(1)}-", f"{job_id(1)}-x", f"{job_id(1)}--1"])
def test_refuses_names_of_other_executions(name: str) -> None:
    with pytest.raises(ValueError, match="not the name"):
        parse_execution_name(name)


@given(st.text(max_size=300))
def test_an_attachments_name_is_one_that_a_report_can_have(name: str) -> None:
    made = artifact_name("3", 7, name)

    assert re.fullmatch(r"data/3-7-[A-Za-z0-9._-]{1,80}", made)
    assert ".." not in made.split("/")


def test_attachments_are_shared_by_later_fences_and_pages_are_not() -> None:
    keys = {fence: report_key("p", "j", fence=fence, path="data/1-1-trace.zip") for fence in (1, 2)}
    assert keys == dict.fromkeys((1, 2), "reports/30d/p/j/data/1-1-trace.zip")

    assert report_key("p", "j", fence=2, path="index.html") == "reports/30d/p/j/f2/index.html"
    assert report_key("p", "j", fence=2, path="index.html", days=7) == "reports/7d/p/j/f2/index.html"


def test_objects_of_a_kind_lie_together() -> None:
    assert bundle_key("p", "d") == "uploads/p/d.tar.gz"
    assert viewer_key("1.2.3", "index.html") == "assets/trace-viewer/1.2.3/index.html"


def test_a_bundles_bytes_depend_on_nothing_but_its_files() -> None:
    files = {"b.py": b"b", "a/a.py": b"a"}

    assert pack_files(files) == pack_files(dict(reversed(files.items())))
    assert pack_files(files) != pack_files({**files, "b.py": b"c"})
