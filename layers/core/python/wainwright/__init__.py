"""Wainwright: browser tests as jobs on AWS, in your own account or whole on one machine."""

from typing import TYPE_CHECKING, Any

from wainwright.in_job import CurrentJob, current_job, log_error, log_info
from wainwright.version import __version__

if TYPE_CHECKING:
    from wainwright.client import AsyncClient, Client

__all__ = ["AsyncClient", "Client", "CurrentJob", "__version__", "current_job", "log_error", "log_info"]


def __getattr__(name: str) -> Any:
    """The clients, imported when they are asked for: test code, which has the rest, does not need them."""
    if name in {"AsyncClient", "Client"}:
        from wainwright import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
