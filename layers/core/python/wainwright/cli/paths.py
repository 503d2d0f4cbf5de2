"""Paths: the data directory, the repository, and the running local system's address."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from wainwright.cli.errors import PlatformProblem

DATA_DIR_VARIABLE = "WAINWRIGHT_DATA_DIR"
ENDPOINT_FILE = "endpoint.json"


def data_directory(given: Path | None = None) -> Path:
    """Return the local system's data directory: the given one, else WAINWRIGHT_DATA_DIR, else the platform's place for it."""
    chosen = str(given) if given is not None else os.environ.get(DATA_DIR_VARIABLE)
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return platformdirs.user_data_path("wainwright", appauthor=False)


def repository() -> Path:
    """Return the checkout that this package runs from: the local system reads its functions and its infrastructure.

    Raises:
        PlatformProblem: the package was installed without one.
    """
    here = Path(__file__).resolve()
    for parent in here.parents:
        if (parent / "app.py").is_file() and (parent / "infra").is_dir() and (parent / "functions").is_dir():
            return parent
    raise PlatformProblem(
        "the local system needs a checkout of the repository, and this wainwright was installed without one",
        advice="Clone the repository and run `make up` in it, or set WAINWRIGHT_ENDPOINT and WAINWRIGHT_API_KEY.",
    )


@dataclass(frozen=True)
class LocalEndpoint:
    """A running local system: its address, its key, its process."""

    endpoint: str
    key: str
    pid: int


def publish(data_dir: Path, running: LocalEndpoint) -> Path:
    """Write the endpoint file, which holds the key: readable by its owner alone, and never seen half written."""
    file = data_dir / ENDPOINT_FILE
    new = data_dir / f".{ENDPOINT_FILE}.{running.pid}"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        json.dump(asdict(running), stream)
    new.replace(file)
    return file


def withdraw(data_dir: Path, running: LocalEndpoint) -> None:
    """Remove the endpoint file, unless it is another system's by now."""
    if published(data_dir) == running:
        (data_dir / ENDPOINT_FILE).unlink(missing_ok=True)


def published(data_dir: Path) -> LocalEndpoint | None:
    """Read the endpoint file, if it is there and its process lives."""
    try:
        running = LocalEndpoint(**json.loads((data_dir / ENDPOINT_FILE).read_text()))
        os.kill(running.pid, 0)
    except (FileNotFoundError, ProcessLookupError, ValueError, TypeError):
        return None
    except PermissionError as error:
        raise PlatformProblem(
            f"{data_dir} belongs to somebody else's local system",
            advice=f"Set {DATA_DIR_VARIABLE} to a directory of your own.",
        ) from error
    return running
