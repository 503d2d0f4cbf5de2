"""Access of test code to the job that it runs in. Outside a job there is none, and nothing here does anything.

The worker puts this file, and the package's ``__init__``, at the end of a suite's import path, so that ``import wainwright``
works in an environment that does not have Wainwright: nothing of the package may be imported here.
"""

import sys
from collections.abc import Mapping
from typing import Any, Protocol

_IN_TEST_PROCESS = "wainwright_child.job"
"""The module that the worker's pytest plugin loads: it knows the job."""


class CurrentJob(Protocol):
    """The job that this test process runs. What is reported goes to the worker; test code needs no credentials."""

    @property
    def id(self) -> str:
        """The job's id."""

    @property
    def label(self) -> str | None:
        """The job's label, if it has one."""

    @property
    def url(self) -> str | None:
        """The job's base URL, if it has one; pytest's ``base_url`` is the same."""

    @property
    def params(self) -> dict[str, Any]:
        """The job's parameters."""

    @property
    def attempt(self) -> int:
        """Number of this try, from 1."""

    @property
    def previous(self) -> dict[str, dict[str, Any]]:
        """Results of the jobs that this one depended on, by their ids."""

    def log_info(self, message: str, **info: Any) -> None:
        """Add a line to the job's log. ``info`` are JSON values.

        Raises:
            ValueError: the message is empty or over 10,000 characters, or ``info`` is no JSON or over 10,240 bytes of it.
        """

    def log_error(self, message: str, **info: Any) -> None:
        """Add a line at level ERROR, which sets the job's ``hasErrors`` and fails no test. Raises as :meth:`log_info`."""

    def progress(self, percent: float, message: str = "") -> None:
        """Tell how far the work has come.

        Raises:
            ValueError: ``percent`` is not between 0 and 100, or the message is over 10,000 characters.
        """

    def result(self, name: str | Mapping[str, Any], value: Any = None) -> None:
        """Put a value, or a mapping of several, into the job's ``results``. A name given again gets the new value.

        Raises:
            ValueError: a name is empty or over 512 characters, a value is no JSON, or the results would be over 200,000 bytes.
        """

    def item(self, id: str, ok: bool, response: Any = None, error_message: str | None = None) -> None:
        """Put the outcome of one of many items into ``results``: ``{id: {status, response?, errorMessage?}}``.

        At most 1,000 are kept; ``results.itemsNote`` says so if there were more.

        Raises:
            ValueError: the id is empty or over 512 characters, or the item is no JSON or over 64,000 bytes.
        """


def current_job() -> CurrentJob | None:
    """The job that this process runs a suite for, or None outside a job."""
    module = sys.modules.get(_IN_TEST_PROCESS)
    job: CurrentJob | None = getattr(module, "current", None)
    return job


def log_info(message: str, **info: Any) -> None:
    """Add a line to the current job's log; outside a job do nothing. Raises as :meth:`CurrentJob.log_info`."""
    if job := current_job():
        job.log_info(message, **info)


def log_error(message: str, **info: Any) -> None:
    """Add a line at level ERROR, which sets the job's ``hasErrors``. Otherwise the same as :func:`log_info`."""
    if job := current_job():
        job.log_error(message, **info)
