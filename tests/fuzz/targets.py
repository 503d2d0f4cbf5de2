"""Declares a property and what it is tried with, once for the two ways to run it: in `make test`, and for long."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Verbosity, example, given, settings
from hypothesis import strategies as st

Check = Callable[..., None]

_CHECKS = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
    HealthCheck.filter_too_much,
]
QUICK = settings(derandomize=True, database=None, deadline=None, suppress_health_check=_CHECKS)
"""Always the same examples: what a change of the code breaks is found, and nothing else fails."""
LONG = settings(
    derandomize=False, database=None, deadline=None, suppress_health_check=_CHECKS, report_multiple_bugs=False,
    print_blob=False, verbosity=Verbosity.quiet,
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A property, the strategies of its arguments, and arguments that it is always tried with."""

    name: str
    check: Check
    strategies: Mapping[str, st.SearchStrategy[Any]]
    seeds: Sequence[Mapping[str, Any]]
    prepare: Callable[[], AbstractContextManager[Any]]
    examples: list[int] = field(default_factory=lambda: [0])

    def test(self, profile: settings) -> Check:
        """Return the property as a test without arguments."""

        # Hypothesis tells tests apart by their names and sources, and wants the names of the arguments.
        def counted(**arguments: Any) -> None:
            self.examples[0] += 1
            self.check(**arguments)

        counted.__name__ = counted.__qualname__ = self.check.__name__
        test: Check = given(**self.strategies)(counted)
        for seed in self.seeds:
            test = example(**seed)(test)
        return profile(test)


TARGETS: dict[str, Target] = {}
"""All targets of the modules that are imported, by module and name."""


def fuzz(
    *, quick: int = 60, seeds: Sequence[Mapping[str, Any]] = (),
    prepare: Callable[[], AbstractContextManager[Any]] = nullcontext, **strategies: st.SearchStrategy[Any],
) -> Callable[[Check], Check]:  # fmt: skip
    """Make a function of these arguments a test, with so many examples in `make test` besides the seeds. In the long run it is
    called within `prepare`; in `make test` a fixture of the module does the same."""

    def declare(check: Check) -> Check:
        name = f"{check.__module__.rpartition('.')[2].removeprefix('test_')}.{check.__name__.removeprefix('test_')}"
        TARGETS[name] = Target(name, check, strategies, seeds, prepare)
        test: Check = given(**strategies)(check)
        for seed in seeds:
            test = example(**seed)(test)
        return settings(QUICK, max_examples=quick)(test)

    return declare


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty folder for one example."""
    with TemporaryDirectory(prefix="ww-fuzz-") as folder:
        yield Path(folder)
