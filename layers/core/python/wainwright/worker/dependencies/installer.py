"""An installer, run as test code is: its own home, no credentials, ended with all that it started, within bounds."""

from __future__ import annotations

import os
import re
import ssl
import stat
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wainwright.worker.dependencies.requirements import NotPrepared
from wainwright.worker.runners.suite import StopRequest
from wainwright.worker.sandbox.environment import PrivateFolders, child_environment
from wainwright.worker.sandbox.isolation import NOT_ISOLATED, Isolation
from wainwright.worker.sandbox.process import ExitStatus, SuiteProcess

UV_NAMES = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CERT": "SSL_CERT_FILE",
}
"""Variables of pip -> those that tell uv the same; what is set for uv itself wins."""
INDEX_VARIABLES = frozenset(
    {
        *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX"),
        *("UV_INDEX_STRATEGY", "UV_INSECURE_HOST", "UV_SYSTEM_CERTS", "UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES"),
        *("UV_OFFLINE", *UV_NAMES),
        *("NPM_CONFIG_REGISTRY", "npm_config_registry", "NPM_CONFIG_CAFILE", "npm_config_cafile"),
        *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    }
)
"""Variables of the worker by which an installer finds its index. Test code gets none of them."""
MAX_LIST_BYTES = 10_000_000
"""Of a list of packages that an installer wrote."""
LINES_KEPT = 40
MAX_LOGGED_LINES = 20
MAX_MESSAGE_LINES = 8
"""Of the installer's last lines, in the failure; the log has more of them."""
POLL_SECONDS = 0.1
MEASURE_SECONDS = 5.0
"""Between two measurements of what is being installed."""

_CREDENTIALS = re.compile(r"(\w+://)[^/@\s]+@")
_ADVICE = {
    r"UnknownIssuer|invalid peer certificate|SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY)": (
        "\nThe index's certificate is not trusted: give the certificates with SSL_CERT_FILE (Node: NODE_EXTRA_CA_CERTS) "
        "in the worker's environment."
    ),
    r"error sending request|dns error|connection refused|tcp connect|network is unreachable|"
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET": (
        "\nNo package index could be reached: check the worker's network, or set a reachable index with "
        "UV_DEFAULT_INDEX or NPM_CONFIG_REGISTRY in its environment."
    ),
}
"""Pattern of an installer's words -> the next step."""


@dataclass(frozen=True)
class Bounds:
    """The most that one environment may take: seconds to install, bytes and files on disk."""

    seconds: float = 600.0
    bytes: int = 2 * 1024**3
    files: int = 200_000


@dataclass(frozen=True)
class Installer:
    """Runs installers for one environment, which fill `target`. `until` is the time of `time.monotonic()` at which the job's
    own time is over; `log` takes lines for the job's log."""

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
        """A private folder for files in between, removed afterwards; the installer may write to it as well."""
        return self.place.home.parent

    def run(self, file: str, command: list[str], folder: Path, extra: Mapping[str, str]) -> list[str]:
        """Run a command, and return the lines of its standard output, of which there are few.
        Raises NotPrepared if it failed to install `file`, was stopped, or took more than it may."""
        environment = child_environment({**self.variables, **extra}, self.place, Path())
        environment.pop("PYTHONPATH")
        said: deque[str] = deque(maxlen=LINES_KEPT)
        printed: deque[str] = deque(maxlen=10_000)
        watch = _Watch(self)
        folders, own = (self.target, *self.place.own), self.place.own
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
            raise NotPrepared.because(f"installing the dependencies exceeds a bound ({found})", file)
        if status.exit_code != 0:
            for each in said[-MAX_LOGGED_LINES:]:
                if each.strip():
                    self.log(without_credentials(each))
            if status.signal is not None:
                said.append(f"the installer was killed by signal {status.signal}")
            raise failed_install(file, said)


class _Watch:
    """Decides when an installer is to be ended."""

    def __init__(self, installer: Installer) -> None:
        self._installer = installer
        self._began = self._measured = time.monotonic()
        self.ended_by: NotPrepared | None = None

    def should_end(self) -> bool:
        """Look at the clock, at what the user asks, and now and then at the disk."""
        now = time.monotonic()
        installer = self._installer
        self.ended_by = asked_to_end(installer.stop, installer.until)
        if self.ended_by is None and now - self._began > installer.bounds.seconds:
            message = f"the dependencies were not installed within {installer.bounds.seconds:.0f} seconds"
            self.ended_by = NotPrepared.because(message, "")
        if self.ended_by is None and now - self._measured > MEASURE_SECONDS:
            self.measure()
            self._measured = time.monotonic()
        return self.ended_by is not None

    def measure(self) -> None:
        """Look at the disk."""
        bounds = self._installer.bounds
        size, files = measure_folder(self._installer.target)
        if self.ended_by is None and (size > bounds.bytes or files > bounds.files):
            message = f"the dependencies take more than {bounds.bytes:,} bytes or {bounds.files:,} files"
            self.ended_by = NotPrepared.because(message, "")


def asked_to_end(stop: StopRequest, until: float | None) -> NotPrepared | None:
    """Return the end of a suite whose user or time ends it before its first test; None if it may go on."""
    if stop.mode != "run":
        return NotPrepared.ended("canceled" if stop.mode == "cancel" else "stopped")
    if until is not None and time.monotonic() > until:
        return NotPrepared.ended("timed_out")
    return None


def failed_install(file: str, lines: list[str]) -> NotPrepared:
    """Describe an installer's failure in its own last words, with the next step where it is known."""
    said = [line for line in (without_credentials(line).strip() for line in lines) if line]
    text = "\n".join(said)
    last = "\n".join(said[-MAX_MESSAGE_LINES:]) or "the installer printed nothing"
    advice = next((advice for words, advice in _ADVICE.items() if re.search(words, text, re.IGNORECASE)), "")
    return NotPrepared.because(f"the dependencies could not be installed: {last}{advice}", file, text)


def without_credentials(line: str) -> str:
    """Return a line without the user and password of an address in it."""
    return _CREDENTIALS.sub(r"\1", line)


def read_back(path: Path) -> bytes:
    """Read a file that an installer wrote, and nothing that it only leads to. Raises NotPrepared if it is none, or too large."""
    why = ""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            content = file.read(MAX_LIST_BYTES + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
        if content is not None and len(content) <= MAX_LIST_BYTES:
            return content
    except OSError as error:
        why = f": {error.strerror}"
    raise NotPrepared.because(f"the installer left no list of packages{why}", "")


def measure_folder(folder: Path) -> tuple[int, int]:
    """Return bytes and number of what is in a folder; links count, what they lead to does not."""
    size = files = 0
    for parent, folders, names in os.walk(folder):
        files += len(folders) + len(names)
        for name in names:
            with suppress(OSError):  # an installer moves files while we look
                size += os.lstat(f"{parent}/{name}").st_size
    return size, files


def index_variables(environ: Mapping[str, str], further: Iterable[str] = ()) -> dict[str, str]:
    """Return what an installer gets of the worker's own environment: the way to its index, and nothing else."""
    passed = {name: value for name, value in environ.items() if name in INDEX_VARIABLES or name in set(further)}
    for pip_name, uv_name in UV_NAMES.items():
        value = passed.pop(pip_name, None)
        if value is not None:
            passed.setdefault(uv_name, value)
    if system_has_certificates():
        # Both trust lists of their own otherwise, which fails behind a proxy that the system trusts.
        passed.setdefault("UV_SYSTEM_CERTS", "1")
        passed.setdefault("NODE_USE_SYSTEM_CA", "1")
    return passed


def system_has_certificates() -> bool:
    """True if this system says which certificates it trusts; a slim container may not."""
    trusted = ssl.get_default_verify_paths()
    return bool(trusted.cafile) or bool(trusted.capath and any(Path(trusted.capath).glob("*")))
