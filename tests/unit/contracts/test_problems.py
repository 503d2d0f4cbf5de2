"""Problem documents: one for every error there is."""

import json

import pytest

from wainwright.contracts import problems
from wainwright.contracts.problems import TYPES, problem_of, to_json
from wainwright.domain import errors
from wainwright.domain.errors import WainwrightError

EXAMPLES: list[tuple[WainwrightError, int, str]] = [
    (errors.InvalidInput("config.timeout", "too short"), 400, "invalid-input"),
    (errors.Unauthenticated("no key"), 401, "unauthenticated"),
    (errors.Forbidden("read only"), 403, "forbidden"),
    (errors.NotFound("no job"), 404, "not-found"),
    (errors.NotStored("not uploaded"), 404, "not-stored"),
    (errors.Refused("it has ended"), 409, "refused"),
    (errors.TransitionRefused("completed", "canceled"), 409, "refused"),
    (errors.IdempotencyConflict("taken"), 409, "idempotency-conflict"),
    (errors.Conflict("changed"), 409, "changed"),
    (errors.FenceLost("displaced"), 409, "changed"),
    (errors.TooLarge("too large"), 413, "too-large"),
    (errors.CapacityExceeded("full", retry_after=5), 429, "capacity-exceeded"),
    (errors.Unavailable("busy"), 503, "unavailable"),
    (WainwrightError("whatever"), 500, "internal"),
]


@pytest.mark.parametrize(("error", "status", "kind"), EXAMPLES, ids=lambda value: type(value).__name__)
def test_says_what_happened(error: WainwrightError, status: int, kind: str) -> None:
    problem = problem_of(error, "request-1")

    assert (problem.status, problem.type, problem.detail) == (status, f"urn:wainwright:problem:{kind}", error.message)
    assert problem.type in TYPES
    assert problem.title
    assert problem.instance == "request-1"


def test_there_is_an_example_of_every_error() -> None:
    def all_of(kind: type[WainwrightError]) -> set[type[WainwrightError]]:
        return {kind}.union(*(all_of(sub) for sub in kind.__subclasses__() if sub.__module__ == errors.__name__))

    assert {type(error) for error, _, _ in EXAMPLES} | {errors.Lost} == all_of(WainwrightError)


def test_names_the_field_and_the_advice_where_there_are_any() -> None:
    with_both = errors.InvalidInput("url", "no address", advice="Give an address.", extra={"line": 3})

    document = json.loads(to_json(problem_of(with_both), with_both.extra))

    assert (document["field"], document["advice"], document["line"]) == ("url", "Give an address.", 3)
    assert "instance" not in document
    assert set(json.loads(to_json(problem_of(errors.NotFound("gone"))))) == {"type", "title", "status", "detail"}


def test_a_fault_of_ours_tells_nothing_of_the_inside() -> None:
    problem = problem_of(KeyError("of the inside"), "request-1")

    assert (problem.status, problem.type, problem.instance) == (500, problems.TYPE_PREFIX + "internal", "request-1")
    assert problem.advice
    assert "of the inside" not in to_json(problem)


def test_types_are_distinct() -> None:
    assert len(TYPES) == len(set(TYPES))
