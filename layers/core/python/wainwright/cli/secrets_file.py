"""A file of secrets for the local system: ``NAME=value`` lines, as many tools know them as ``.env``."""

import os
import re
import stat
from pathlib import Path

from wainwright.cli.errors import UsageProblem
from wainwright.client import Bundle
from wainwright.domain.errors import InvalidInput
from wainwright.domain.secrets import MAX_SECRETS, check_secret_name, check_secret_value

FILE_VARIABLE = "WAINWRIGHT_SECRETS_FILE"

MAX_FILE_BYTES = 1_048_576

_NAME = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z0-9_.-]+)[ \t]*=[ \t]*")
_SKIPPED = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SINGLE = re.compile(r"'([^']*)'")
_BARE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"[ \t]+#.*")
_END = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def secrets_file(given: Path | None) -> Path | None:
    """Return the file to read: the given one, else that of WAINWRIGHT_SECRETS_FILE, else none."""
    if given is None and (named := os.environ.get(FILE_VARIABLE)):
        return Path(named).expanduser()
    return given


def read_secrets(path: Path) -> dict[str, str]:
    """Return the secrets in a file by name.

    Values may be bare (until the end of the line, or `` #``), in single quotes (as they are) or in double quotes (with ``\\n``,
    ``\\r``, ``\\t``, ``\\"`` and ``\\\\``); quoted ones may have several lines. Lines that start with ``#`` are skipped.

    Raises:
        UsageProblem: the file is not there, others may read it, or a line is wrong. Names the line, never a value.
    """
    text = _read(path)
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        if skipped := _SKIPPED.match(text, at):
            at = skipped.end()
            continue
        name = _NAME.match(text, at)
        if name is None:
            raise UsageProblem(
                f"{path}:{line}: this is not NAME=value", advice="Put values of several lines in quotes."
            )
        value, at = _value(text, name.end(), path, line)
        try:
            found[check_secret_name(name[1])] = check_secret_value(value)
        except InvalidInput as error:
            raise UsageProblem(f"{path}:{line}: {error.message}", advice=error.advice) from None
    if len(found) > MAX_SECRETS:
        raise UsageProblem(f"{path} has {len(found)} secrets; a project may have {MAX_SECRETS}")
    return found


def refuse_packed(path: Path | None, bundle: Bundle) -> None:
    """Raise UsageProblem if the file is among those that are uploaded with the tests."""
    where = f"/{path.resolve().as_posix().lstrip('/')}" if path is not None else ""
    if any(where.endswith(f"/{name}") for name in bundle.names):
        raise UsageProblem(
            f"{path} would be packed with the tests, and would no longer be secret",
            advice="Move it out of their directory, or list it in .gitignore.",
        )


def _value(text: str, at: int, path: Path, line: int) -> tuple[str, int]:
    if text[at : at + 1] in ('"', "'"):
        double = text[at] == '"'
        quoted = (_DOUBLE if double else _SINGLE).match(text, at)
        end = _END.match(text, quoted.end()) if quoted else None
        if quoted is None or end is None:
            raise UsageProblem(f"{path}:{line}: text follows the closing quote, or there is none")
        value = quoted[1]
        if double:
            value = re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), value, flags=re.DOTALL)
        return value, end.end()
    bare = _BARE.match(text, at)
    assert bare is not None  # noqa: S101 - it matches anything
    return _COMMENT.sub("", bare[0]).strip(), bare.end() + 1


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise UsageProblem(f"{path} is not a file")
            if stat.S_IMODE(found.st_mode) & 0o077:
                raise UsageProblem(f"others may read {path}, which holds secrets", advice=f"Run `chmod 600 {path}`.")
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UsageProblem(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE_BYTES:
        raise UsageProblem(f"{path} is larger than {MAX_FILE_BYTES} bytes")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UsageProblem(f"{path} is not text in UTF-8") from None
