"""The page that a run of Playwright Test has written, made fit to be the job's."""

import base64
import io
import json
import zipfile
from typing import Any

import pytest

from wainwright.domain.redaction import Redactor
from wainwright.worker.evidence.report.run_page import NOT_A_PAGE, finish_page

ATTEMPTS = {"aaaaaa-00001": "one", "aaaaaa-00002": "one", "aaaaaa-00003": "two"}
LINKS = {
    "aaaaaa-00001-000": "data/1-1-aaaaaa-00001-000-trace.zip",
    "aaaaaa-00001-log": "data/1-2-aaaaaa-00001-log.log",
    "aaaaaa-00002-log": "data/1-3-aaaaaa-00002-log.log",
    "aaaaaa-00003-log": "data/1-4-aaaaaa-00003-log.log",
}
NOBODY = Redactor({})


def stub(name: str) -> dict[str, Any]:
    return {"name": name[13:], "contentType": "text/plain", "path": f"wainwright-evidence:{name}"}


def attempt(name: str, *further: str) -> dict[str, Any]:
    return {
        "status": "passed",
        "duration": 123456,
        "attachments": [stub(f"{name}-{each}") for each in (*further, "log")],
    }


def documents() -> dict[str, Any]:
    one = {"title": "one", "results": [attempt("aaaaaa-00001", "000"), attempt("aaaaaa-00002", "001")]}
    return {
        "f1.json": {"tests": [one]},
        "f2.json": {"tests": [{"title": "two", "results": [attempt("aaaaaa-00003")]}]},
        "report.json": {"files": [{"tests": [{"results": [{"attachments": [stub("aaaaaa-00001-000")]}]}]}]},
    }


def page(documents: dict[str, Any], shell: str = "<template>data:application/zip;base64,{}</template>") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, document in documents.items():
            archive.writestr(name, json.dumps(document))
    return shell.format(base64.b64encode(packed.getvalue()).decode()).encode()


def read(content: bytes) -> dict[str, Any]:
    data = content.split(b"base64,")[1].split(b"<")[0]
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(data))) as archive:
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_makes_links_of_stubs() -> None:
    made = finish_page(page(documents()), ATTEMPTS, LINKS, NOBODY)

    assert made.startswith(b"<template>data:application/zip;base64,")
    assert made.endswith(b"</template>")
    first, second = read(made)["f1.json"]["tests"][0]["results"]
    assert [each["path"] for each in first["attachments"]] == [LINKS["aaaaaa-00001-000"], LINKS["aaaaaa-00001-log"]]
    assert second["attachments"][0] == {
        "name": "001", "contentType": "text/plain", "path": None, "body": "This could not be stored.",
    }  # fmt: skip
    [summary] = read(made)["report.json"]["files"][0]["tests"][0]["results"][0]["attachments"]
    assert summary["path"] == LINKS["aaaaaa-00001-000"]


def test_takes_secrets_out_and_leaves_the_structure() -> None:
    given = documents()
    given["f1.json"]["tests"][0]["title"] = 'opens "quoted" and so on'
    redactor = Redactor({"TITLE": '"quoted"', "NUMBER": "123456", "KEY": "results"})

    made = read(finish_page(page(given), ATTEMPTS, LINKS, redactor))

    [test] = made["f1.json"]["tests"]
    assert test["title"] == "opens [secret TITLE] and so on"
    assert made["f2.json"]["tests"][0]["[secret KEY]"][0]["duration"] == 0


def test_is_not_used_with_a_secret_beside_the_data() -> None:
    content = page(documents(), "planted-secret<template>data:application/zip;base64,{}</template>")

    with pytest.raises(NOT_A_PAGE):
        finish_page(content, ATTEMPTS, LINKS, Redactor({"PLANTED": "planted-secret"}))


@pytest.mark.parametrize("name", [*ATTEMPTS, "another"])
def test_is_not_used_without_each_recorded_attempt_once(name: str) -> None:
    recorded = {each: test for each, test in ATTEMPTS.items() if each != name}
    recorded |= {"aaaaaa-00009": "nine"} if name == "another" else {}

    with pytest.raises(NOT_A_PAGE):
        finish_page(page(documents()), recorded, LINKS, NOBODY)


def test_is_not_used_with_a_test_that_did_not_run() -> None:
    given = documents()
    given["f2.json"]["tests"].append({"title": "three", "results": []})

    with pytest.raises(NOT_A_PAGE):
        finish_page(page(given), ATTEMPTS, LINKS, NOBODY)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<template>data:application/zip;base64,</template>",
        b"<template>data:application/zip;base64," + 100 * b"A" + b"</template>",
        page(documents()) * 2,
        page({"f1.json": []}),
        page({"f1.json": {"tests": [{"results": [{"attachments": [{"name": "log"}]}]}]}}),
    ],
    ids=["nothing", "no data", "no archive", "two archives", "no tests", "no name"],
)
def test_is_not_used_when_it_is_something_else(content: bytes) -> None:
    with pytest.raises(NOT_A_PAGE):
        finish_page(content, ATTEMPTS, LINKS, NOBODY)
