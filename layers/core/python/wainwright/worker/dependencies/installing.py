"""Running an installer as test code is run: its own home, no credentials, ended with all that it started, within bounds."""

from __future__ import annotations

import os
import ssl
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from wainwright.worker.dependencies.needs import NotPrepared, failed_install, without_credentials
from wainwright.worker.runners.suite import StopRequest
from wainwright.worker.sandbox.environment import PrivateFolders, child_environment
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, Isolation
from wainwright.worker.sandbox.process import ExitStatus, SuiteProcess

INDEX_VARIABLES = frozenset(
    {
        # uv
        *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX"),
        *(
            "UV_INDEX_STRATEGY",
            "UV_INSECURE_HOST",
            "UV_SYSTEM_CERTS",
            "UV_HTTP_TIMEOUT",
            "UV_HTTP_RETRIES",
            "UV_OFFLINE",
        ),
        # pip, as far as uv has a word for it
        *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT"),
        # npm
        *(
            "NPM_CONFIG_REGISTRY",
            "npm_config_registry",
            "NPM_CONFIG_CAFILE",
            "npm_config_cafile",
            "NODE_EXTRA_CA_CERTS",
        ),
        # certificates and proxies
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    }
)
"""Variables of the worker by which an installer finds its index. Test code gets none of them."""

PIP_WORDS = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CERT": "SSL_CERT_FILE",
}
"""What pip is told -> how uv is told the same; what is set for uv itself wins."""

MOST_READ = 10_000_000
LINES_KEPT = 40
MOST_LOGGED = 20
POLL_SECONDS = 0.1
MEASURE_SECONDS = 5.0
"""How often the size of what is being installed is looked at."""


@dataclass(frozen=True)
class Bounds:
    """The most that one environment may take: seconds to install, bytes and files on disk."""

    seconds: float = 600.0
    bytes: int = 2 * 1024**3
    files: int = 200_000


@dataclass(frozen=True)
class Installing:
    """Where and within what an installer runs.

    ``target`` is the folder that it fills, ``scratch`` a private one that is removed afterwards, ``until`` the time of
    ``time.monotonic()`` at which the job's own time is over, ``log`` takes lines for the job's log.
    """

    bundle: Path
    target: Path
    place: PrivateFolders
    stop: StopRequest
    log: Callable[[str], None]
    until: float | None
    bounds: Bounds
    variables: Mapping[str, str]
    isolation: Isolation = NOT_ISOLATED

    @property
    def scratch(self) -> Path:
        """A folder for files in between, which the installer may write to as well."""
        return self.place.home.parent

    def run(self, file: str, command: list[str], folder: Path, extra: Mapping[str, str]) -> list[str]:
        """What the command printed on its standard output, which is short.

        Raises:
            NotPrepared: it failed (``file`` names what was to be installed), was stopped, or took more than it may.
        """
        environment = child_environment({**self.variables, **extra}, self.place, Path())
        environment.pop("PYTHONPATH")
        said: deque[str] = deque(maxlen=LINES_KEPT)
        printed: deque[str] = deque(maxlen=10_000)
        watch = _Watch(self)
        own = (self.place.home, self.place.temporary)
        folders = (self.target, *own)
        with SuiteProcess(command, folder, environment, isolation=self.isolation, folders=folders, own=own) as process:
            while process.running:
                for stream, line in process.read(POLL_SECONDS):
                    said.append(line.decode("utf-8", "replace").rstrip())
                    if stream == "stdout":
                        printed.append(said[-1])
                if watch.ended_by is None and watch.should_end():
                    process.kill()
            status = process.exit_status()
        watch.measure()
        if watch.ended_by is not None:
            raise watch.ended_by
        self._check(file, status, list(said))
        return list(printed)

    def _check(self, file: str, status: ExitStatus, said: list[str]) -> None:
        if status.bound is not None:
            found = f"{status.bound.name}: {status.bound.found:,}, of at most {status.bound.limit:,}"
            raise NotPrepared.because(f"installing the dependencies takes too much ({found})", file)
        if status.exit_code != 0:
            for each in said[-MOST_LOGGED:]:
                if each.strip():
                    self.log(without_credentials(each))
            if status.signal is not None:
                said.append(f"the installer was killed by signal {status.signal}")
            raise failed_install(file, said)


def read_back(path: Path) -> bytes:
    """A file that an installer wrote, and nothing that it only leads to.

    Raises:
        NotPrepared: it is no file, or too large to be one of ours.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and len(content := file.read(MOST_READ + 1)) <= MOST_READ:
                return content
    except OSError as error:
        raise NotPrepared.because(f"the installer left no list of packages: {error.strerror}", "") from error
    raise NotPrepared.because("the installer left no list of packages", "")


class _Watch:
    """Whether an installer is to be ended."""

    def __init__(self, installing: Installing) -> None:
        self._installing = installing
        self._began = self._measured = time.monotonic()
        self.ended_by: NotPrepared | None = None

    def should_end(self) -> bool:
        """Look at the clock, at what the user asks, and now and then at the disk."""
        now = time.monotonic()
        at = self._installing
        self.ended_by = asked_to_end(at.stop, at.until)
        if self.ended_by is None and now - self._began > at.bounds.seconds:
            message = f"the dependencies were not installed within {at.bounds.seconds:.0f} seconds"
            self.ended_by = NotPrepared.because(message, "")
        if self.ended_by is None and now - self._measured > MEASURE_SECONDS:
            self.measure()
            self._measured = time.monotonic()
        return self.ended_by is not None

    def measure(self) -> None:
        """Look at the disk."""
        at = self._installing
        if self.ended_by is None and not within(at.target, at.bounds):
            message = f"the dependencies take more than {at.bounds.bytes:,} bytes or {at.bounds.files:,} files"
            self.ended_by = NotPrepared.because(message, "")


def asked_to_end(stop: StopRequest, until: float | None) -> NotPrepared | None:
    """The end of a suite whose user or time ends it before its first test."""
    if stop.mode != "run":
        return NotPrepared.ended("canceled" if stop.mode == "cancel" else "stopped")
    if until is not None and time.monotonic() > until:
        return NotPrepared.ended("timed_out")
    return None


def within(folder: Path, bounds: Bounds) -> bool:
    """Whether what is in a folder is within the bounds."""
    size, files = measured(folder)
    return size <= bounds.bytes and files <= bounds.files


def measured(folder: Path) -> tuple[int, int]:
    """Bytes and number of what is in a folder; links count, what they lead to does not."""
    size = files = 0
    folders = [str(folder)]
    while folders:
        try:
            entries = list(os.scandir(folders.pop()))
        except OSError:
            continue  # an installer moves folders while we look
        for entry in entries:
            files += 1
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                size += _size(entry)
    return size, files


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def index_variables(environ: Mapping[str, str], further: Iterable[str] = ()) -> dict[str, str]:
    """What an installer gets of the worker's own environment: how to reach its index, and nothing else."""
    passed = {name: value for name, value in environ.items() if name in INDEX_VARIABLES or name in set(further)}
    for pip_name, uv_name in PIP_WORDS.items():
        value = passed.pop(pip_name, None)
        if value is not None:
            passed.setdefault(uv_name, value)
    if system_has_certificates():
        # Both trust lists of their own otherwise, which fails behind a proxy that the system trusts.
        passed.setdefault("UV_SYSTEM_CERTS", "1")
        passed.setdefault("NODE_USE_SYSTEM_CA", "1")
    return passed


def system_has_certificates() -> bool:
    """Whether this system says whom it trusts; a slim container may not."""
    trusted = ssl.get_default_verify_paths()
    return bool(trusted.cafile) or bool(trusted.capath and any(Path(trusted.capath).glob("*")))
