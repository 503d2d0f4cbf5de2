"""Which system a command talks to: the configured one, a running local one, or one started for its own time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from wainwright.cli.failures import PlatformProblem, UsageProblem
from wainwright.cli.places import data_directory, published
from wainwright.cli.terminal import note
from wainwright.client import Client, ClientError, RetryRules

ENDPOINT_VARIABLE = "WAINWRIGHT_ENDPOINT"
KEY_VARIABLE = "WAINWRIGHT_API_KEY"

HEALTH_TIMEOUT = 3.0
"""Seconds that a local system has to say that it lives."""


@dataclass(frozen=True)
class System:
    """A system to talk to. ``own``: it was started for this command, and goes away with it."""

    endpoint: str
    key: str = field(repr=False)
    own: bool = False

    def client(self) -> Client:
        """A client of it."""
        return Client(self.endpoint, self.key)


@contextmanager
def connect(*, start: bool = True, looking_back: bool = False, secrets: Path | None = None) -> Iterator[System]:
    """The system to talk to; a local one is started if there is none and ``start`` allows it.

    ``looking_back``: the command asks for what was, so that an empty local system is of no use to it. ``secrets``: a file for
    the system that is started.

    Raises:
        UsageProblem: the configuration is half a configuration.
        PlatformProblem: there is no system, or none can be started.
    """
    found = configured() or running(data_directory())
    if found is not None:
        if secrets is not None:
            raise UsageProblem(
                "--secrets goes with a local system that is started for this command, and one is running already",
                advice="Give the file to `wainwright up`, or set each by `wainwright secrets set`.",
            )
        yield found
        return
    if not start:
        raise UsageProblem(
            "no system is running that could go on with the job after this command",
            advice=f"Start one with `wainwright up`, or set {ENDPOINT_VARIABLE} and {KEY_VARIABLE}.",
        )
    if looking_back and not data_directory().exists():
        raise UsageProblem(
            f"no system is running, and none has kept anything in {data_directory()}",
            advice=f"Start one with `wainwright up`, or set {ENDPOINT_VARIABLE} and {KEY_VARIABLE}.",
        )
    from wainwright.cli.ephemeral import ephemeral_system

    note("No system is running: starting one for the length of this command.")
    with ephemeral_system(data_directory(), secrets) as (endpoint, key):
        yield System(endpoint, key, own=True)


def configured() -> System | None:
    """The system that the environment names."""
    endpoint, key = os.environ.get(ENDPOINT_VARIABLE), os.environ.get(KEY_VARIABLE)
    if not endpoint and not key:
        return None
    if not endpoint or not key:
        missing, there = (KEY_VARIABLE, ENDPOINT_VARIABLE) if endpoint else (ENDPOINT_VARIABLE, KEY_VARIABLE)
        raise UsageProblem(f"{there} is set and {missing} is not", advice=f"Set both, or unset {there}.")
    return System(endpoint, key)


def running(data_dir: Path) -> System | None:
    """The local system that runs on this data directory, if it answers."""
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
    return System(local.endpoint, local.key)
