"""Names of states as users write them."""

import pytest

from functions.api.parameters import read_states
from wainwright.domain.errors import InvalidInput
from wainwright.domain.states import JobStatus


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("FINISHED", {JobStatus.COMPLETED, JobStatus.FAILED}),
        ("PENDING", {JobStatus.PENDING}),
        ("Running", {JobStatus.RUNNING}),
        ("STOPPING, stopped", {JobStatus.STOPPING, JobStatus.STOPPED}),
        ("CANCELLING,CANCELLED", {JobStatus.CANCELING, JobStatus.CANCELED}),
        ("canceling,canceled,skipped", {JobStatus.CANCELING, JobStatus.CANCELED, JobStatus.SKIPPED}),
    ],
)
def test_takes_several_names_and_aliases_in_any_case(text: str, states: set[JobStatus]) -> None:
    assert read_states("status", text) == states


@pytest.mark.parametrize("text", ["", "done", "running,", "running;failed"])
def test_refuses_an_unknown_name_and_tells_the_known_ones(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_states("status", text)

    assert refused.value.field == "status"
    assert "finished" in refused.value.advice
