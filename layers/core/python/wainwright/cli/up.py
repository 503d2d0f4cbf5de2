"""``wainwright up``: the local system, in this process."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wainwright.cli.errors import LOCAL_EXTRA, ExitCode, PlatformProblem
from wainwright.cli.paths import (
    DATA_DIR_VARIABLE,
    LocalEndpoint,
    data_directory,
    publish,
    published,
    repository,
    withdraw,
)
from wainwright.cli.secrets_file import read_secrets, secrets_file
from wainwright.cli.terminal import note

LOCAL_PROJECT = "default"
"""The project of the local system's own key."""

KEY_NAME = "wainwright up"
"""The name of that key, by which the next run finds it."""


@dataclass(frozen=True)
class UpOptions:
    """Options of ``up``. ``ephemeral``: for one command, whose pipe is this process's standard input."""

    port: int
    data_dir: Path | None = None
    workers: int | None = None
    ephemeral: bool = False
    secrets: Path | None = None


class Startable(Protocol):
    """The local system, as far as it is served."""

    @property
    def api_url(self) -> str: ...  # once it is started

    def start(self) -> None: ...

    def stop(self) -> None: ...


def _serve(running: LocalEndpoint, data_dir: Path, *, ephemeral: bool) -> None:
    if ephemeral:
        sys.stdout.write(json.dumps({"endpoint": running.endpoint, "key": running.key}) + "\n")
        sys.stdout.flush()
        _wait()
    file = publish(data_dir, running)
    try:
        _announce(running, data_dir, file)
        _wait()
    finally:
        withdraw(data_dir, running)


def local_access() -> str:
    """Return a new key to the local system that runs in this process, and revoke that of the run before."""
    from wainwright.adapters.aws.clients import Clients
    from wainwright.contracts.scopes import Scope
    from wainwright.settings import StoreSettings
    from wainwright.wiring import administration

    keys = administration.manage_keys(Clients(), StoreSettings.read(os.environ).table)
    for key in keys.access.list_keys(LOCAL_PROJECT):
        if key.name == KEY_NAME and not key.revoked:
            keys.revoke(LOCAL_PROJECT, key.id)
    _, secret = keys.create(LOCAL_PROJECT, Scope.ADMIN, KEY_NAME)
    return secret


def set_local_secrets(secrets: Mapping[str, str]) -> None:
    """Set secrets in the local system that runs in this process, before any job of this run starts."""
    if not secrets:
        return
    from wainwright.adapters.aws.clients import Clients
    from wainwright.settings import StoreSettings
    from wainwright.wiring import administration

    manage = administration.manage_secrets(Clients(), StoreSettings.read(os.environ))
    for name, value in secrets.items():
        manage.put(LOCAL_PROJECT, name, value)


def _local_system(options: UpOptions, data_dir: Path) -> Startable:
    try:
        import platformdirs

        from wainwright.local.synth import is_cached, template_for
        from wainwright.local.system import LocalSystem
        from wainwright.worker.sandbox.find_browser import BrowserMissing, find_browser
    except ModuleNotFoundError as error:
        raise PlatformProblem(f"the local system needs the package {error.name}", advice=LOCAL_EXTRA) from error
    browser = find_browser()
    if isinstance(browser, BrowserMissing):
        raise PlatformProblem(browser.message)
    root = repository()
    cache = platformdirs.user_cache_path("wainwright", appauthor=False)
    if not is_cached(root, cache):
        note("Synthesizing the infrastructure, because it changed or is new: this takes half a minute.")
    template = template_for(root, cache)
    # At least two: a lost worker shall not hold up everything.
    workers = options.workers or max(2, os.cpu_count() or 1)
    return LocalSystem(template, root, data_dir, api_port=options.port, max_workers=workers)


def serve(
    options: UpOptions,
    make: Callable[[UpOptions, Path], Startable] = _local_system,
    access: Callable[[], str] = local_access,
) -> int:
    """Start the local system, print its address, and serve until a signal ends it.

    Raises:
        PlatformProblem, LocalError: it cannot start.
    """
    data_dir = data_directory(options.data_dir)
    _refuse_second(data_dir)
    file = secrets_file(options.secrets)
    secrets = {} if file is None else read_secrets(file)
    system: Startable | None = None
    with _stoppable(watch_input=options.ephemeral):
        try:
            system = make(options, data_dir)
            system.start()
            set_local_secrets(secrets)
            running = LocalEndpoint(system.api_url, access(), os.getpid())
            _serve(running, data_dir, ephemeral=options.ephemeral)
        except KeyboardInterrupt:
            if not options.ephemeral:
                note("Stopping.")
        finally:
            _stop_hard_next_time()
            if system is not None:
                system.stop()
    return ExitCode.PASSED


def _refuse_second(data_dir: Path) -> None:
    there = published(data_dir)
    if there is not None and there.pid != os.getpid():
        raise PlatformProblem(
            f"a local system runs on {data_dir} already, at {there.endpoint} (process {there.pid})",
            advice=f"Use that one, end it with `kill {there.pid}`, or give another --data-dir.",
        )


def _announce(running: LocalEndpoint, data_dir: Path, file: Path) -> None:
    lines = [
        f"Wainwright is up at {running.endpoint}",
        f"  key    in {file}",
        f"  data   {data_dir}",
        "  `wainwright run`, `jobs` and `report` find it automatically. Ctrl-C ends it.",
    ]
    if data_dir != data_directory():
        lines.insert(3, f"  export {DATA_DIR_VARIABLE}={data_dir}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _wait() -> None:
    """Wait for the signal that ends everything; wake every second for one that came just before the wait began."""
    never = threading.Event()
    while not never.wait(1.0):
        pass


@contextmanager
def _stoppable(*, watch_input: bool) -> Iterator[None]:
    """SIGTERM, and the end of standard input if that is watched, come as KeyboardInterrupt, as Ctrl-C does."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    if watch_input:
        threading.Thread(target=_end_with_input, name="parent-watch", daemon=True).start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with_input() -> None:
    """End with the command that this system is for, whose end of standard input is then closed."""
    while os.read(sys.stdin.fileno(), 4_096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _stop_hard_next_time() -> None:
    """While it shuts down, a second Ctrl-C ends the process at once: what was accepted is on disk."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
