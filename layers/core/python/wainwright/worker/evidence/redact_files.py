"""Removes secrets from files: text is rewritten, traces and other archives member by member, other files are withheld.

Everything is streamed: a large trace costs one chunk and one line of memory. A file without secrets is left untouched.
"""

import base64
import codecs
import gzip
import json
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from pathlib import Path
from typing import IO, Any

from wainwright.domain.redaction import Redactor
from wainwright.worker.sandbox.untrusted_zips import ZipUnusable, open_zip

CHUNK = 1_048_576
MAX_JSON = 32 * 1_048_576
"""Bytes of JSON, or of one line of it, that are parsed; longer ones are redacted as text."""

MAX_INFLATED = 2 * 1_024 * 1_048_576
MAX_DEPTH = 3
"""Bounds in which an archive is unpacked to be searched. An archive beyond them is withheld."""

_JSON_LINES = (".trace", ".network", ".stacks", ".jsonl", ".ndjson")
_STRUCTURE = frozenset(
    {"type", "callId", "parentId", "stepId", "pageId", "frameId", "contextId", "class", "method", "origin", "phase",
     "beforeSnapshot", "afterSnapshot", "inputSnapshot", "snapshotName", "sha1", "_sha1", "pageref", "mimeType", "messageType",
     "browserName", "platform", "playwrightVersion", "sdkLanguage", "httpVersion"}
)  # fmt: skip
"""Members of a trace's lines whose values are Playwright's own words and references: without them the trace does not open."""

_TEXT_TYPES = re.compile(r"text/|[\w./+-]*(json|xml|javascript|yaml|x-www-form-urlencoded|csv)\b")
_EMBEDDED_ZIP = re.compile(rb"(data:application/zip;base64,)([A-Za-z0-9+/=]+)")
_ZIP, _GZIP = b"PK\x03\x04", b"\x1f\x8b"
_EMPTY_ZIP = b"PK\x05\x06"
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
"""Encodings by the mark that texts in them begin with."""

_NOT_REWRITABLE = "it contains a secret, and files of its kind cannot be rewritten"
_TOO_LARGE = "it is an archive that is too large to be searched"


class _Withheld(Exception):
    """The file must not leave; the message says why."""


def redact_file(path: Path, content_type: str, redactor: Redactor) -> str | None:
    """Remove the secrets from a file in place; return None if it may leave now, else why it may not.

    Text is known by its type or its look. Of JSON lines in an archive (a trace's events) strings and numbers are replaced and
    the structure is kept; all other members are redacted as text, so that images stay as they are. A report that carries its
    data as an archive in base64 is redacted too. Any other file that contains a secret is withheld. Raises OSError.
    """
    if redactor:
        try:
            _redact(path, content_type, redactor, depth=0)
        except _Withheld as withheld:
            return str(withheld)
    return None


def _redact(path: Path, content_type: str, redactor: Redactor, depth: int) -> None:
    with path.open("rb") as file:
        head = file.read(8_192)
    if (encoding := _UTF16.get(head[:2])) and _has_secret_in_utf16(path, encoding, redactor):
        _rewrite(path, lambda source, target: target.writelines(_utf16(_chunks(source), encoding, redactor)))
    if head.startswith((_ZIP, _EMPTY_ZIP)) or path.suffix == ".zip":
        _redact_zip(path, redactor, depth)
    elif head.startswith(_GZIP):
        _check_gzip(path, redactor)
    elif _TEXT_TYPES.match(content_type) or _looks_like_text(head):
        _redact_text(path, content_type, redactor, depth)
    elif _has_secret(path, redactor):
        raise _Withheld(_NOT_REWRITABLE)


def _has_secret(path: Path, redactor: Redactor) -> bool:
    with path.open("rb") as file:
        return redactor.finds_in(_chunks(file))


def _has_secret_in_utf16(path: Path, encoding: str, redactor: Redactor) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    with path.open("rb") as file:
        return redactor.finds_in(decoder.decode(chunk).encode("utf-8", "surrogatepass") for chunk in _chunks(file))


def _redact_text(path: Path, content_type: str, redactor: Redactor, depth: int) -> None:
    small = path.stat().st_size <= MAX_JSON
    if small and "html" in content_type:
        data = path.read_bytes()
        changed = _EMBEDDED_ZIP.sub(lambda match: match[1] + _embedded(match[2], redactor, depth), data)
        if changed != data:
            _rewrite(path, lambda _source, target: target.write(changed))
    if not _has_secret(path, redactor):
        return
    if small and "json" in content_type:
        _rewrite(path, lambda source, target: target.write(_json(source.read(), redactor)))
    else:
        _rewrite(path, lambda source, target: target.writelines(redactor.stream(_chunks(source))))


def _json(data: bytes, redactor: Redactor) -> bytes:
    """Redact a JSON document; as text if it is none, or too deeply nested."""
    try:
        return json.dumps(redactor.json(json.loads(data))).encode()
    except (ValueError, RecursionError):
        return redactor.data(data)


def _embedded(encoded: bytes, redactor: Redactor, depth: int) -> bytes:
    """Redact an archive within a page, in base64."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError:
        return encoded
    if not data.startswith((_ZIP, _EMPTY_ZIP)):
        return encoded
    with tempfile.TemporaryDirectory(prefix="ww-") as folder:
        inner = Path(folder, "embedded.zip")
        inner.write_bytes(data)
        _redact_zip(inner, redactor, depth + 1)
        after = inner.read_bytes()
    return encoded if after == data else base64.b64encode(after)


def _utf16(chunks: Iterable[bytes], encoding: str, redactor: Redactor) -> Iterator[bytes]:
    """Redact text in UTF-16. What is none, and only begins like it, stays as it is."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    pending = b""
    for piece in redactor.stream(decoder.decode(chunk).encode("utf-8", "surrogatepass") for chunk in chunks):
        pending += piece
        # The last character may go on in the next piece.
        begin = next((at for at in reversed(range(len(pending))) if pending[at] & 0xC0 != 0x80), 0)
        yield pending[:begin].decode("utf-8", "surrogatepass").encode(encoding, "surrogatepass")
        pending = pending[begin:]
    yield pending.decode("utf-8", "surrogatepass").encode(encoding, "surrogatepass")
    yield decoder.getstate()[0]  # bytes that are not a whole character


def _check_gzip(path: Path, redactor: Redactor) -> None:
    try:
        with gzip.open(path) as file:
            if redactor.finds_in(_bounded(_chunks(file))):
                raise _Withheld(_NOT_REWRITABLE)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _Withheld("it is a compressed file that cannot be read, so it cannot be searched") from error


def _redact_zip(path: Path, redactor: Redactor, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise _Withheld("it has archives in archives in archives")
    try:
        with open_zip(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_INFLATED:
                raise _Withheld(_TOO_LARGE)
            # A secret may also be between the members, in none of them.
            if _has_secret(path, redactor) or not _is_clean(archive, redactor):
                _rewrite(path, lambda _source, target: _rewrite_members(archive, target, redactor, depth))
    except ZipUnusable as error:
        raise _Withheld("it is an archive that cannot be read, so it cannot be searched") from error


def _is_clean(archive: zipfile.ZipFile, redactor: Redactor) -> bool:
    """True if there is no secret in an archive's members, and nothing in it that would have to be unpacked or decoded."""
    if redactor.finds(archive.comment):
        return False
    for member in archive.infolist():
        if redactor.finds(member.filename.encode("utf-8", "surrogateescape")) or redactor.finds(member.comment):
            return False
        with archive.open(member) as file:
            head = file.read(4)
        if head == _ZIP or head.startswith((_GZIP, *_UTF16)):
            return False
        with archive.open(member) as file:
            if redactor.finds_in(_bounded(_chunks(file))):
                return False
    return True


def _rewrite_members(archive: zipfile.ZipFile, target: IO[bytes], redactor: Redactor, depth: int) -> None:
    """Write the members anew; of several with one name the last, which readers find."""
    names: set[str] = set()
    with zipfile.ZipFile(target, "w", allowZip64=True) as written:
        for member in {member.filename: member for member in archive.infolist()}.values():
            copy = zipfile.ZipInfo(_new_name(redactor.text(member.filename), names), member.date_time)
            stored = member.compress_type == zipfile.ZIP_STORED
            copy.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            copy.external_attr = member.external_attr
            large = member.file_size > CHUNK * 1_024
            with archive.open(member) as source, written.open(copy, "w", force_zip64=large) as file:
                file.writelines(_member(member.filename, source, redactor, depth))


def _new_name(name: str, names: set[str]) -> str:
    """Return the name, with a number if another member has it: names may differ in secrets alone."""
    found = next(each for number in count(1) if (each := name if number == 1 else f"{name}#{number}") not in names)
    names.add(found)
    return found


def _member(name: str, source: IO[bytes], redactor: Redactor, depth: int) -> Iterator[bytes]:
    head = source.read(8_192)
    chunks = _bounded(chain([head], _chunks(source)))
    if encoding := _UTF16.get(head[:2]):
        chunks = _utf16(chunks, encoding, redactor)
    if head.startswith((_ZIP, _GZIP)):
        yield from _inner_archive(chunks, redactor, depth)
    elif name.endswith(_JSON_LINES):
        yield from _json_lines(chunks, redactor)
    else:
        yield from redactor.stream(chunks)


def _inner_archive(chunks: Iterator[bytes], redactor: Redactor, depth: int) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="ww-") as folder:
        inner = Path(folder, "member")
        with inner.open("wb") as file:
            file.writelines(chunks)
        try:
            _redact(inner, "", redactor, depth + 1)
        except _Withheld as withheld:
            # The archive is worth more than this member; a reader finds the reason in its place.
            yield f"[withheld: {withheld}]".encode()
            return
        with inner.open("rb") as file:
            yield from _chunks(file)


def _json_lines(chunks: Iterator[bytes], redactor: Redactor) -> Iterator[bytes]:
    """Redact line by line; a line too long to be parsed is redacted as text."""
    pending = bytearray()
    for chunk in chunks:
        pending += chunk
        if b"\n" not in chunk and len(pending) <= MAX_JSON:
            continue
        *lines, rest = bytes(pending).split(b"\n")
        pending = bytearray(rest)
        yield from (_json_line(line, redactor) + b"\n" for line in lines)
        if len(pending) > MAX_JSON:
            done, rest = redactor.settled(bytes(pending))  # the rest of this line is no JSON either
            pending = bytearray(rest)
            yield done
    if pending:
        yield _json_line(bytes(pending), redactor)


def _json_line(line: bytes, redactor: Redactor) -> bytes:
    if not redactor.finds(line):
        return line
    try:
        return _redacted_event(json.loads(line), redactor)
    except (ValueError, RecursionError):
        return redactor.data(line)


def _redacted_event(value: Any, redactor: Redactor) -> bytes:
    """Return a line's value without secrets. Raises RecursionError: it is too deeply nested."""
    if not isinstance(value, dict):
        return json.dumps(redactor.json(value), separators=(",", ":")).encode()
    kept = {name: each for name, each in value.items() if name in _STRUCTURE and isinstance(each, str)}
    changed = redact_json({name: each for name, each in value.items() if name not in kept}, redactor)
    return json.dumps(kept | changed, separators=(",", ":")).encode()


def redact_json(value: Any, redactor: Redactor) -> Any:
    """Return a JSON value that a program reads, without the secrets. A number that is one becomes 0, since programs calculate
    with numbers. Keys are left alone, unless a secret is in one of them.
    """
    changed = redactor.json(value, keys=False, number=0)
    return redactor.json(value, number=0) if redactor.finds(json.dumps(changed).encode()) else changed


def _rewrite(path: Path, write: Callable[[IO[bytes], IO[bytes]], object]) -> None:
    """Replace a file by its new content, written under a name that nobody can have prepared."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".redacted-")
    try:
        with os.fdopen(descriptor, "wb") as target, path.open("rb") as source:
            write(source, target)
        shutil.copymode(path, name)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _chunks(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    return iter(lambda: file.read(CHUNK), b"")


def _bounded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Refuse more than an archive may hold: the sizes that it declares need not be true."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_INFLATED:
            raise _Withheld(_TOO_LARGE)
        yield chunk


def _looks_like_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 4  # the last character is cut
    return True
