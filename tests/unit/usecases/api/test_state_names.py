"""Names of states as users write them."""

import pytest

from wainwright.domain.errors import InvalidInput
from wainwright.domain.states import JobStatus
from wainwright.usecases.state_names import read_states


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
    assert read_states(text) == states


@pytest.mark.parametrize("text", ["", "done", "running,", "running;failed"])
def test_refuses_an_unknown_name_and_tells_the_known_ones(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_states(text)

    assert refused.value.field == "status"
    assert "finished" in refused.value.advice
