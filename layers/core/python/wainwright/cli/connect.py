"""The system that a command talks to: the configured one, a running local one, or one started for its own time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wainwright.cli.errors import PlatformProblem, UsageProblem
from wainwright.cli.paths import data_directory, published
from wainwright.cli.terminal import note

if TYPE_CHECKING:
    from wainwright.client import Client

ENDPOINT_VARIABLE = "WAINWRIGHT_ENDPOINT"
KEY_VARIABLE = "WAINWRIGHT_API_KEY"

HEALTH_TIMEOUT = 3.0
"""Seconds that a local system has to answer."""


@dataclass(frozen=True)
class System:
    """A system to talk to. ``own``: it was started for this command, and goes away with it."""

    client: "Client"
    own: bool


@contextmanager
def connect(*, start: bool = True, looking_back: bool = False, secrets: Path | None = None) -> Iterator[System]:
    """Connect to a system; a local one is started if there is none and ``start`` allows it.

    ``looking_back``: the command asks for what was, so that an empty local system is of no use to it. ``secrets``: a file for
    the system that is started.

    Raises:
        UsageProblem: the configuration is half a configuration.
        PlatformProblem: there is no system, or none can be started.
    """
    from wainwright.cli.ephemeral import ephemeral_system
    from wainwright.client import Client

    data_dir = data_directory()
    if (access := configured() or running(data_dir)) is not None:
        if secrets is not None:
            raise UsageProblem(
                "--secrets is for a local system that this command starts, and one is running already",
                advice="Give the file to `wainwright up`, or set each by `wainwright secrets set`.",
            )
        with Client(*access) as client:
            yield System(client, own=False)
        return
    if not start or (looking_back and not data_dir.exists()):
        none_kept = f"no system is running, and there is no data of one in {data_dir}"
        raise UsageProblem(
            none_kept if start else "no system is running that could continue the job after this command",
            advice=f"Start one with `wainwright up`, or set {ENDPOINT_VARIABLE} and {KEY_VARIABLE}.",
        )
    note("No system is running: starting a temporary one for this command.")
    with ephemeral_system(data_dir, secrets) as access, Client(*access) as client:
        yield System(client, own=True)


def configured() -> tuple[str, str] | None:
    """Return endpoint and key of the system that the environment names."""
    endpoint, key = os.environ.get(ENDPOINT_VARIABLE), os.environ.get(KEY_VARIABLE)
    if endpoint and key:
        return endpoint, key
    if not endpoint and not key:
        return None
    missing, there = (KEY_VARIABLE, ENDPOINT_VARIABLE) if endpoint else (ENDPOINT_VARIABLE, KEY_VARIABLE)
    raise UsageProblem(f"{there} is set and {missing} is not", advice=f"Set both, or unset {there}.")


def running(data_dir: Path) -> tuple[str, str] | None:
    """Return endpoint and key of the local system that runs on this data directory, if it answers."""
    from wainwright.client import Client, ClientError, RetryRules

    local = published(data_dir)
    if local is None:
        return None
    try:
        with Client(local.endpoint, local.key, timeout=HEALTH_TIMEOUT, retries=RetryRules(tries=1)) as client:
            client.health()
    except ClientError as error:
        raise PlatformProblem(
            f"the local system of process {local.pid} does not answer: {error.message}",
            advice=f"Stop it with `kill {local.pid}` and start it again with `wainwright up`.",
        ) from error
    return local.endpoint, local.key
