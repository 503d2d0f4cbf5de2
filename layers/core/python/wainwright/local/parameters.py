"""Parameter Store, as far as secrets need it, kept in one file that its owner alone can read.

moto's own is not used: loading it takes longer than all the rest of the start, for it brings EC2 along. Values are not in the
journal either, where a deleted one would stay in the pages of its database until they are used again: the file is written anew
with each change, and what is deleted is gone from it.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wainwright.local.errors import LocalError

FILE = "secrets.json"
_MOST_PER_PAGE = 10
_MAX_VALUE_BYTES = 4_096
_Answer = tuple[int, dict[str, Any]]


class ParameterStore:
    """Answers Systems Manager's calls about parameters."""

    def __init__(self, data_dir: Path) -> None:
        """Read what is kept. Raises LocalError if the file is not readable, or others may read it."""
        self._file = data_dir / FILE
        self._lock = threading.Lock()
        self._parameters = _read(self._file)

    def call(self, operation: str, parameters: dict[str, Any]) -> _Answer:
        """Status and JSON answer of one operation."""
        operations: dict[str, Callable[[dict[str, Any]], _Answer]] = {
            "PutParameter": self._put,
            "DeleteParameter": self._delete,
            "GetParametersByPath": self._get_by_path,
        }
        if operation not in operations:
            return _error("UnknownOperationException", f"the local system has no ssm:{operation}", 501)
        with self._lock:
            return operations[operation](parameters)

    def _put(self, parameters: dict[str, Any]) -> _Answer:
        name, value = parameters["Name"], parameters["Value"]
        if parameters.get("Type") != "SecureString" or not name.startswith("/"):
            return _error("ValidationException", "the local system keeps SecureStrings with a path, and nothing else")
        if not value or len(value.encode()) > _MAX_VALUE_BYTES or "{{" in value:
            return _error("ValidationException", "the value is empty, too long, or has {{ in it")
        known = self._parameters.get(name)
        if known is not None and not parameters.get("Overwrite"):
            return _error("ParameterAlreadyExists", "The parameter already exists.")
        version = known["version"] + 1 if known else 1
        self._keep(self._parameters | {name: {"value": value, "version": version, "modified": time.time()}})
        return 200, {"Version": version, "Tier": "Standard"}

    def _delete(self, parameters: dict[str, Any]) -> _Answer:
        if parameters["Name"] not in self._parameters:
            return _error("ParameterNotFound", "")
        self._keep({name: each for name, each in self._parameters.items() if name != parameters["Name"]})
        return 200, {}

    def _get_by_path(self, parameters: dict[str, Any]) -> _Answer:
        if not parameters.get("WithDecryption"):
            return _error("ValidationException", "the local system has no values but decrypted ones")
        prefix = parameters["Path"].rstrip("/") + "/"
        start, most = parameters.get("NextToken", ""), min(parameters.get("MaxResults", _MOST_PER_PAGE), _MOST_PER_PAGE)
        below = sorted(
            name
            for name in self._parameters
            if name.startswith(prefix) and "/" not in name.removeprefix(prefix) and name > start
        )
        answer: dict[str, Any] = {"Parameters": [self._describe(name) for name in below[:most]]}
        return 200, answer | ({"NextToken": below[most - 1]} if len(below) > most else {})

    def _describe(self, name: str) -> dict[str, Any]:
        kept = self._parameters[name]
        return {
            "Name": name,
            "Type": "SecureString",
            "Value": kept["value"],
            "Version": kept["version"],
            "LastModifiedDate": kept["modified"],
            "DataType": "text",
        }

    def _keep(self, parameters: dict[str, dict[str, Any]]) -> None:
        """Written before the answer is given, and never seen half written."""
        new = self._file.with_name(f".{FILE}.{os.getpid()}")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            json.dump(parameters, stream)
        new.replace(self._file)
        self._parameters = parameters


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        if file.stat().st_mode & 0o077:
            raise LocalError(f"others may read {file}, which holds secrets: run `chmod 600 {file}`")
        parameters: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise LocalError(
            f"{file} cannot be read ({type(error).__name__}): remove it, and set the secrets again"
        ) from None
    return parameters


def _error(kind: str, message: str, status: int = 400) -> _Answer:
    return status, {"__type": kind, "message": message}
