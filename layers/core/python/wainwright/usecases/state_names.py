"""Names of states as users write them: ours, and those of the job-control API, in any case (requirement C3)."""

from types import MappingProxyType

from wainwright.domain.errors import InvalidInput
from wainwright.domain.states import JobStatus

ALIASES: MappingProxyType[str, frozenset[JobStatus]] = MappingProxyType(
    {
        "finished": frozenset({JobStatus.COMPLETED, JobStatus.FAILED}),
        "cancelling": frozenset({JobStatus.CANCELING}),
        "cancelled": frozenset({JobStatus.CANCELED}),
    }
)
"""Names besides the states' own, in lower case."""


def read_states(text: str, field: str = "status") -> frozenset[JobStatus]:
    """The states that a list of names, separated by commas, stands for.

    Raises:
        InvalidInput: one of the names stands for none.
    """
    return frozenset[JobStatus]().union(*(_read(word, field) for word in text.split(",")))


def _read(word: str, field: str) -> frozenset[JobStatus]:
    name = word.strip().lower()
    if name in ALIASES:
        return ALIASES[name]
    try:
        return frozenset({JobStatus(name)})
    except ValueError as error:
        known = ", ".join([*JobStatus, *ALIASES])
        raise InvalidInput(field, f"there is no state {word[:40]!r}", advice=f"States are {known}.") from error
