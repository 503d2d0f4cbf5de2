"""Everything that a suite reports passes without its secrets, and its tests are still told apart."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.stop import Stop
from tests.unit.worker.suites import Suite, Tell
from wainwright.domain.redaction import Redactor
from wainwright.worker.evidence.redact_events import SuiteRedaction, evidence_name, make_redactor
from wainwright.worker.runners.suite import (
    Annotation,
    Attachment,
    Collected,
    Event,
    JobLog,
    JobProgress,
    JobResult,
    LogLine,
    Step,
    StopRequest,
    SuiteEnd,
    SuiteError,
    SuiteRequest,
    Take,
    TestCase,
    TestEnded,
    TestError,
    TestResult,
    TestStarted,
)
from wainwright.worker.runners.suite_session import Session
from wainwright.worker.sandbox.process import MAX_LINE_BYTES, ExitStatus, LineSplitter

SECRET = "correct horse"
ID = f"t.py::test[{SECRET}]"
OTHER = "t.py::test[correct%20horse]"
REDACTOR = Redactor({"PHRASE": SECRET})
REQUEST = SuiteRequest(Path("bundle"), Path("output"))

RESULT = TestResult(
    ID, "t.py", 3, f"test[{SECRET}]", "failed", 5.0, "2026-11-22T02:42:45.000Z", path=(SECRET,),
    errors=(TestError(SECRET, f"stack {SECRET}", kind="assertion"),), stdout=SECRET, stderr=SECRET,
    steps=(Step(SECRET, "2026-11-22T02:42:45.000Z", 1.0, error=SECRET, steps=(Step(SECRET, "", 1.0),)),),
    attachments=(Attachment(SECRET, "text/plain", Path(SECRET)),), annotations=(Annotation("skip", SECRET),),
)  # fmt: skip

EVENTS: list[Event] = [
    Collected((TestCase(ID, "t.py", 3, f"test[{SECRET}]"), TestCase(OTHER, "t.py", 3, "other")), (f"t.py::gone[{SECRET}]",)),
    TestStarted(ID),
    LogLine("INFO", f"said {SECRET}", ID),
    JobLog("ERROR", SECRET, {"a": [SECRET], SECRET: 1}, ID),
    JobProgress(50, SECRET),
    JobResult({"v": SECRET}, {SECRET: {"status": "ok", "response": SECRET}}, OTHER),
    TestEnded(RESULT),
]  # fmt: skip
END = SuiteEnd(
    "collection_error", errors=(SuiteError(SECRET, SECRET, 1, SECRET),), stderr=SECRET, collected=2, deselected=1,
    unfinished=(OTHER,),
)  # fmt: skip


def suite(request: SuiteRequest, on_event: Callable[[Event], None], _stop: StopRequest) -> SuiteEnd:
    for event in EVENTS:
        on_event(event)
    return END


def run_redacted(run: Suite, request: SuiteRequest, on_event: Tell, redactor: Redactor = REDACTOR) -> SuiteEnd:
    redaction = SuiteRedaction(redactor)
    return redaction(run(redaction.request(request), lambda event: on_event(redaction(event)), Stop()))


def test_no_event_and_no_end_has_a_secret_in_it_but_where_files_lie() -> None:
    events: list[Event] = []

    end = run_redacted(suite, REQUEST, events.append)

    told = repr([*events, end]).replace(f"PosixPath('{SECRET}')", "")
    assert SECRET not in told
    assert "correct%20horse" not in told
    ended = events[-1]
    assert isinstance(ended, TestEnded)
    assert (ended.result.outcome, ended.result.errors[0].kind) == ("failed", "assertion")
    assert ended.result.started_at == RESULT.started_at
    assert ended.result.attachments[0].path == Path(SECRET)
    assert (end.reason, end.collected, end.deselected) == ("collection_error", 2, 1)


def test_tests_that_differ_in_the_secret_alone_keep_names_of_their_own() -> None:
    events: list[Event] = []

    end = run_redacted(suite, REQUEST, events.append)

    collected, started, *_, result, ended = events
    assert isinstance(collected, Collected)
    assert [test.id for test in collected.tests] == ["t.py::test[[secret PHRASE]]", "t.py::test[[secret PHRASE]]#2"]
    assert isinstance(started, TestStarted)
    assert isinstance(ended, TestEnded)
    assert started.id == ended.result.id == "t.py::test[[secret PHRASE]]"
    assert isinstance(result, JobResult)
    assert result.test_id == end.unfinished[0] == "t.py::test[[secret PHRASE]]#2"


def test_without_secrets_everything_passes_as_it_is() -> None:
    events: list[Event] = []

    assert run_redacted(suite, REQUEST, events.append, Redactor({})) is END
    assert events == EVENTS


def test_tests_are_passed_over_and_fed_by_the_names_that_they_have_inside() -> None:
    named: list[Take] = ["wait", ("t.py::test[[secret PHRASE]]#2", "t.py::test[[secret PHRASE]]"), "over"]

    class Feed:
        def take(self) -> Take:
            return named.pop(0)

    asked: list[SuiteRequest] = []
    fed: list[Take] = []

    def fed_suite(request: SuiteRequest, on_event: Callable[[Event], None], _stop: StopRequest) -> SuiteEnd:
        asked.append(request)
        on_event(EVENTS[0])
        assert request.feed is not None
        fed.extend(request.feed.take() for _ in range(3))
        return END

    request = SuiteRequest(
        Path("bundle"), Path("output"), deselect=frozenset({"t.py::gone[[secret PHRASE]]", "t.py::plain"}), feed=Feed(),
        select=frozenset({"t.py::x[[secret PHRASE]]"}),
    )  # fmt: skip
    run_redacted(fed_suite, request, lambda _event: None)

    assert {f"t.py::gone[{SECRET}]", "t.py::plain"} <= asked[0].deselect
    assert asked[0].select is not None
    assert f"t.py::x[{SECRET}]" in asked[0].select
    assert fed == ["wait", (OTHER, ID), "over"]


def test_a_value_too_short_to_be_found_does_not_keep_the_others_from_being_redacted() -> None:
    redactor = make_redactor({"PIN": "12", "PHRASE": SECRET})

    assert redactor.text(f"12 {SECRET}") == "12 [secret PHRASE]"


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("aaaaaa-00001-000.json", "aaaaaa-00001-000-data of [secret TOKEN].json"),
        ("aaaaaa-00001-001", "aaaaaa-00001-001-data of [secret TOKEN]"),
        ("aaaaaa-00001-log.log", "aaaaaa-00001-log.log"),
        ("trace of c2VjcmV0LXY=.zip", "trace of [secret TOKEN].zip"),
        (None, "data of [secret TOKEN]"),
    ],
)
def test_names_files_without_the_secrets_in_their_attachments_names(file: str | None, expected: str) -> None:
    attachment = Attachment("data of c2VjcmV0LXY=", "application/json", Path(file) if file else None)
    assert evidence_name(attachment, Redactor({"TOKEN": "c2VjcmV0LXY="})) == expected


LONG_SECRET = "correct-horse-Battery9-staple_Zx7kQw2uV5yB"
PARTS = {LONG_SECRET[at : at + 5] for at in range(len(LONG_SECRET) - 4)}


@pytest.mark.parametrize("shift", range(0, 44, 3))
def test_a_text_that_is_too_long_has_no_part_of_a_secret_at_its_end(shift: int, tmp_path: Path) -> None:
    text = "-" * shift + "".join(LONG_SECRET + "." * (number % 7 + 1) for number in range(600))
    case = {"id": "a", "file": text, "line": 1, "title": text, "path": [text]}
    step = {"title": text, "startedAt": "", "durationMs": 1, "file": text, "error": text}
    ended = {
        **case, "type": "ended", "outcome": "failed", "durationMs": 1, "startedAt": text, "stdout": text, "stderr": text,
        "errors": [{"message": text, "stack": text, "file": text, "phase": text}], "steps": [{**step, "steps": [step]}],
        "attachments": [{"name": text, "contentType": text, "path": "none"}],
        "annotations": [{"type": text, "description": text}],
    }  # fmt: skip
    error = {"type": "session_error", "message": text, "file": text, "stack": text}
    records = [
        {"type": "tests", "tests": [case]}, {"type": "deselected", "ids": [text]}, {"type": "collected", "total": 1},
        {"type": "job_log", "level": "INFO", "message": text}, {"type": "job_progress", "percent": 1, "message": text},
        error, ended,
    ]  # fmt: skip
    redaction = SuiteRedaction(Redactor({"SECRET": LONG_SECRET}))
    told: list[Event | SuiteEnd] = []
    session = Session(tmp_path, tmp_path, lambda event: told.append(redaction(event)))
    lines = LineSplitter(MAX_LINE_BYTES["stderr"], keep_start=True)

    for record in records:
        session.take("events", json.dumps(record).encode())
    for line in lines.feed(f"{text}\n".encode()):
        session.take("stderr", line)
    told.append(redaction(session.end(ExitStatus(1, None), None, 0, None)))

    assert [type(event).__name__ for event in told][:1] == ["Collected"]
    assert sum(isinstance(event, TestEnded) for event in told) == 1
    assert [part for part in PARTS if part in repr(told)] == []
    assert repr(told).count("… cut …") > 20
