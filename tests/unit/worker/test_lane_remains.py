"""What a lane tells of tests that were ended by force in it."""

from __future__ import annotations

import json

from wainwright.domain.lanes import LaneEnd
from wainwright.worker.run.suite_outcome import MAX_LANE_BYTES, build_lane_end
from wainwright.worker.runners.suite import Attachment, SuiteEnd, TestResult

_CANCELED = SuiteEnd("canceled")


def _left(number: int, printed: int) -> TestResult:
    log = Attachment("log", "text/plain", None, f"data/1.1-{number}-log", 5)
    return TestResult(
        f"test_a.py::test_{number}", "test_a.py", 1, f"test_{number}", "failed", 1.0, "2026-01-01T00:00:00.000Z",
        stdout="x" * printed, attachments=(log,),
    )  # fmt: skip


def _end_of(interrupted: list[TestResult]) -> LaneEnd:
    told = build_lane_end(_CANCELED, None, interrupted)
    assert told is not None
    return told


def test_a_lane_that_no_test_was_ended_in_has_nothing_to_tell() -> None:
    assert build_lane_end(_CANCELED, None, [], ["trace: withheld"]) is None


def test_all_tests_that_ran_at_once_are_told_of() -> None:
    end = _end_of([_left(n, 10) for n in range(12)])

    assert [TestResult.from_json(body).id for body in end.interrupted] == [f"test_a.py::test_{n}" for n in range(12)]
    assert end.interrupted[3]["stdout"] == "x" * 10
    assert end.missing == ()


def test_what_is_too_long_goes_without_its_output_and_never_without_its_files() -> None:
    end = _end_of([_left(n, MAX_LANE_BYTES) for n in range(3)])

    assert len(json.dumps(end.interrupted)) < 2 * MAX_LANE_BYTES
    assert [body["stdout"] for body in end.interrupted] == ["", "", ""]
    assert [item.href for body in end.interrupted for item in TestResult.from_json(body).attachments] == [
        f"data/1.1-{n}-log" for n in range(3)
    ]


def test_what_there_is_no_room_for_is_named() -> None:
    end = _end_of([_left(n, 0) for n in range(2_000)])

    assert len(json.dumps(end.interrupted)) < 2 * MAX_LANE_BYTES
    assert 0 < len(end.interrupted) < 2_000
    assert end.missing[0].startswith(f"test_a.py::test_{len(end.interrupted)}: ")


def test_files_that_could_not_be_kept_are_told_of() -> None:
    end = build_lane_end(
        SuiteEnd("crashed"), "test_a.py::test_1", [_left(1, 0)], ["trace: withheld"], ["data/1.1-1-log"]
    )

    assert end is not None
    assert (end.missing, end.spooled, end.test_id) == (("trace: withheld",), ("data/1.1-1-log",), "test_a.py::test_1")
