"""Secrets to plant, all the ways in which they may come out, and all the bytes in which to look for them."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import re
import sqlite3
import threading
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore import handlers
from botocore.awsrequest import AWSPreparedRequest

from wainwright.local.inprocess import InProcessAws

SECRETS = {
    "WEIRD_PASSWORD": "pä\"ss'w\\o/rd <&> $x\nline two of it is long €😀",
    "HOOK_URL": "https://Hooks.Example.test/services/T00/B11x?key=AbC+d/1==&u=zz9yy8xx7",
    "API_TOKEN": "c2VjcmV0LXZhbHVlLWluLWI2NA==",
    "ACCOUNT_PIN": "7395102846",
    "PASSPHRASE": "correct-horse-battery-staple",
}


def spellings(value: str) -> Iterator[bytes]:
    """A value as it may come out, spelt with the standard library and not with what is tested."""
    data = value.encode()
    whole = [
        value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(value))[3:-3], json.dumps(json.dumps(value, ensure_ascii=False), ensure_ascii=False)[3:-3],
        repr(value)[1:-1], ascii(value)[1:-1], repr(data)[2:-1], value.encode("unicode_escape").decode(),
        urllib.parse.quote(value), urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value),
        urllib.parse.quote(value, safe="!'()*~"), html.escape(value), html.escape(value, quote=False),
        value.replace("\n", "\r\n"), data.hex(), data.hex().upper(),
    ]  # fmt: skip
    yield from {each.encode() for each in whole}
    for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # Without the characters that what stands before and after has a part in.
            yield alphabet(b"\0" * before + data)[4 if before else 0 : -4]
    for line in value.splitlines():
        if len(line) >= 8:
            yield line.encode()


NEEDLES = {name: tuple(dict.fromkeys(spellings(value))) for name, value in SECRETS.items()}


def leaks(where: str, data: bytes) -> list[str]:
    """Return those of the secrets that are in these bytes, archives in them opened."""
    found = []
    for place, content in opened(where, data):
        for name, needles in NEEDLES.items():
            for needle in needles:
                at = content.find(needle)
                if at >= 0:
                    found.append(f"{name} in {place}: …{content[max(0, at - 60) : at + len(needle) + 20]!r}")
                    break
    return found


def opened(where: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """These bytes, and what is in them if they are an archive, compressed, or a page with an archive in it."""
    yield where, data
    if data.startswith(b"\x1f\x8b"):
        yield from opened(f"{where} (inflated)", gzip.decompress(data))
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                yield f"{where}: name", member.filename.encode()
                yield from opened(f"{where}: {member.filename}", archive.read(member))
    for encoded in re.findall(rb"data:application/zip;base64,([A-Za-z0-9+/=]+)", data):
        yield from opened(f"{where} (embedded)", base64.b64decode(encoded))


class Traffic:
    """Every AWS request of a local system and its answer, but those to Parameter Store, which is where secrets belong."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self.services: set[str] = set()
        self._lock = threading.Lock()

    def note(self, service: str, what: str, data: bytes) -> None:
        """Keep what went over the wire."""
        with self._lock:
            self.services.add(service)
            if service != "ssm":
                self.seen.append((f"{service} {what}", data))

    def _before_send(self, event_name: str, request: AWSPreparedRequest, **_: Any) -> None:
        body: Any = request.body
        if hasattr(body, "read"):
            at = body.tell()
            data = body.read()
            body.seek(at)
        else:
            data = body.encode() if isinstance(body, str) else bytes(body or b"")
        self.note(event_name.split(".")[1], request.url, data)
        self.note(event_name.split(".")[1], "address", request.url.encode())

    @contextmanager
    def recorded(self) -> Iterator[Traffic]:
        """Record clients of this process, and whoever comes by the endpoint."""
        entry = ("before-send", self._before_send)
        answer = InProcessAws.call

        def call(
            aws: InProcessAws, service: str, method: str, target: str, headers: Mapping[str, str], body: bytes
        ) -> Any:
            self.note(service, f"{method} {target}", body)
            self.note(service, "address and headers", f"{target} {dict(headers)}".encode())
            answered = answer(aws, service, method, target, headers, body)
            self.note(service, f"answer to {method} {target}", answered[2])
            self.note(service, "headers of an answer", repr(answered[1]).encode())
            return answered

        handlers.BUILTIN_HANDLERS.insert(0, entry)
        InProcessAws.call = call  # type: ignore[assignment, method-assign]
        try:
            yield self
        finally:
            InProcessAws.call = answer  # type: ignore[method-assign]
            handlers.BUILTIN_HANDLERS.remove(entry)


def kept_files(data_dir: Path) -> Iterator[tuple[str, bytes]]:
    """Everything in a data directory but the file of secrets, attributes of rows inflated."""
    for path in sorted(data_dir.rglob("*")):
        if path.is_file() and path.name != "secrets.json":
            yield str(path.relative_to(data_dir)), path.read_bytes()
    with sqlite3.connect(f"file:{data_dir / 'journal.sqlite'}?mode=ro", uri=True) as database:
        for table, column in (("rows", "item"), ("records", "record")):
            for (text,) in database.execute(f"SELECT {column} FROM {table}"):  # noqa: S608 - names of ours
                yield f"{table} of the journal", text.encode()
                for encoded in re.findall(r'"B": ?"([A-Za-z0-9+/=]+)"', text):
                    data = base64.b64decode(encoded)
                    yield f"{table} of the journal, inflated", _inflated(data)


def _inflated(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data
