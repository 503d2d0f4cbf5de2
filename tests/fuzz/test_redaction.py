"""Secrets in what tests leave: no spelling of a planted one survives, whatever is around it and however it is packed."""

import base64
import gzip
import html
import io
import itertools
import json
import warnings
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

from hypothesis import strategies as st

from tests.fuzz.nasties import json_bytes, json_values, mutations, texts, unicode_texts
from tests.fuzz.targets import fuzz, scratch
from wainwright.domain.redaction import Redactor
from wainwright.worker.evidence import redact_files
from wainwright.worker.evidence.redact_files import redact_file

SECRETS = {
    "PHRASE": 'corr"ect-horse\\battéry',
    "PIN": "7395102846",
    "PEM": "first-long-line+/\nsecond-long-line=",
    "WORD": "hunter2-and-more",
}
REDACTOR = Redactor(SECRETS)
SPELLINGS: list[Callable[[str], str]] = [
    str, json.dumps, lambda text: json.dumps(text, ensure_ascii=False), lambda text: json.dumps(json.dumps(text)), quote,
    lambda text: quote(quote(text, ""), ""), quote_plus, html.escape, repr, ascii,
    lambda text: text.replace("\n", "\r\n"),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.b64encode(b"." + text.encode()).decode(),
    lambda text: base64.b64encode(b".." + text.encode()).decode(),
    lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    lambda text: text.encode().hex(), lambda text: text.encode().hex().upper(),
    lambda text: text.encode("utf-8").decode("latin-1") if text.isascii() else text,
]  # fmt: skip
spelled = st.tuples(st.sampled_from(sorted(SECRETS.values())), st.sampled_from(SPELLINGS)).map(
    lambda pair: pair[1](pair[0])
)
"""A secret as it may stand in text."""

KNOWN = {form for value in SECRETS.values() for form in (value, *(spell(value) for spell in SPELLINGS[:10]))}
HALF = 5
"""Characters of base64 beside a planted one that depend on what is around it."""


def survivors(found: bytes) -> list[str]:
    """Return the spellings that are in these bytes."""
    return [form for form in KNOWN if form.strip('"').encode() in found]


@st.composite
def planted(draw: st.DrawFn) -> str:
    """Text with secrets in it, next to each other, to digits, and to what may be taken for a part of them."""
    around = st.one_of(
        unicode_texts, st.sampled_from(["%", "&", "\\", "\\u", "=", "… cut …", "[secret ", "7", "é", "%25"])
    )
    pieces = draw(st.lists(st.one_of(around, spelled), max_size=5))
    return "".join([*pieces, draw(spelled), draw(around)])


@fuzz(text=planted(), quick=200)
def test_no_spelling_survives_in_a_text(text: str) -> None:
    after = REDACTOR.text(text)
    assert not survivors(after.encode())
    assert REDACTOR.text(after) == after, "what was redacted is redacted for good"


@fuzz(text=texts, quick=100)
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    if not any(piece in text for piece in ("hunter2-and-more", "7395102846", "… cut …")):
        assert REDACTOR.text(text) == text


@fuzz(text=planted(), cuts=st.lists(st.integers(0, 400), max_size=12), quick=200)
def test_a_stream_is_redacted_as_the_whole(text: str, cuts: list[int]) -> None:
    data = b"x" * 300 + text.encode() + b"y" * 300
    edges = [0, *sorted(cuts), len(data)]
    chunks = [data[begin:end] for begin, end in itertools.pairwise(edges)]
    assert b"".join(REDACTOR.stream(chunks)) == REDACTOR.data(data)
    assert REDACTOR.finds_in(chunks)


# Files


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # two members of one name: strangers do that
        with zipfile.ZipFile(buffer, "w", method) as archive:
            for name, content in members:
                archive.writestr(name, content)
            archive.comment = comment
    return buffer.getvalue()


def event_of(text: str, value: Any) -> bytes:
    """A line of a trace, with the secret as a value, as a key and deep in it."""
    event = {"type": "before", "callId": "call@1", "params": {"value": text, text: [{"in": [text, value]}]}}
    return json.dumps(event).encode() + b"\n"


member_names = st.one_of(
    st.sampled_from(
        ["trace.trace", "a.network", "x.stacks", "report.jsonl", "resources/a.html", "b.json", "c.zip", "d.gz", "e"]
    ),
    planted().filter(lambda name: "\0" not in name and len(name.encode()) < 60_000),
)
contents = st.one_of(
    st.tuples(planted(), json_values).map(lambda pair: event_of(*pair)),
    planted().map(str.encode),
    planted().map(lambda text: text.encode("utf-16")),
    planted().map(lambda text: gzip.compress(text.encode(), 1)),
    st.binary(max_size=60),
    json_bytes(),
    st.integers(100, 3_000).map(lambda depth: b'{"a":' * depth + b'"hunter2-and-more"' + b"}" * depth),
    st.integers(100, 3_000).map(lambda depth: b"[" * depth + b'"hunter2-and-more"' + b"]" * depth),
)


@st.composite
def archives(draw: st.DrawFn, depth: int = 0) -> bytes:
    inner = contents if depth >= 3 else st.one_of(contents, contents, archives(depth + 1))
    members = draw(st.lists(st.tuples(member_names, inner), max_size=4))
    method = draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]))
    return zipped(members, method, draw(st.sampled_from([b"", b"of hunter2-and-more"])))


def read_through(data: bytes, name: str = "") -> bytes:
    """Return all that a reader may find in a file, by the standard library alone."""
    found = [name.encode("utf-8", "replace"), data]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        found.append(data.decode("utf-16", "replace").encode("utf-8", "replace"))
    if data.startswith(b"\x1f\x8b"):
        found.append(gzip.decompress(data))
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            found.append(archive.comment)
            found += [read_through(archive.read(member), member.filename) for member in archive.infolist()]
    return b"\n".join(found)


def leaves(content: bytes, content_type: str, name: str = "file") -> bytes | None:
    """Return what leaves of a file; None if it is withheld."""
    with scratch() as folder:
        path = folder / name
        path.write_bytes(content)
        withheld = redact_file(path, content_type, REDACTOR)
        assert [each.name for each in folder.iterdir()] == [name]
        assert withheld is None or withheld
        return path.read_bytes() if withheld is None else None


@fuzz(archive=archives(), quick=150)
def test_an_archive_leaves_without_secrets_and_can_be_read(archive: bytes) -> None:
    if (left := leaves(archive, "application/zip")) is not None:
        with zipfile.ZipFile(io.BytesIO(left)) as after, zipfile.ZipFile(io.BytesIO(archive)) as before:
            assert len(after.namelist()) == len(set(before.namelist())) or left == archive
        assert not survivors(read_through(left))


@fuzz(archive=archives().flatmap(mutations), name=st.sampled_from(["a.zip", "a"]), quick=150)
def test_a_damaged_archive_leaves_without_secrets_or_not_at_all(archive: bytes, name: str) -> None:
    if (left := leaves(archive, "application/zip", name)) is not None:
        assert not survivors(left)


TYPES = [
    "text/plain",
    "application/json",
    "text/html",
    "application/octet-stream",
    "",
    "image/png",
    "application/x-ndjson",
    "\r\n",
]
files = st.one_of(
    contents,
    archives().map(lambda data: b"<html>data:application/zip;base64," + base64.b64encode(data) + b"</html>"),
    st.binary(max_size=20).map(
        lambda data: b"<html>data:application/zip;base64," + base64.b64encode(b"PK\x03\x04" + data)
    ),
    st.tuples(planted(), json_values).map(lambda pair: json.dumps({pair[0]: [pair[0], pair[1]]}).encode()),
)


@fuzz(content=files, content_type=st.sampled_from(TYPES), quick=200)
def test_a_file_leaves_without_secrets_or_not_at_all(content: bytes, content_type: str) -> None:
    left = leaves(content, content_type)
    if left is None:
        return
    assert not survivors(read_through(left))
    if content_type == "application/json" and is_json(content):
        assert is_json(left)


def is_json(data: bytes) -> bool:
    try:
        json.loads(data.decode())
    except (ValueError, RecursionError):
        return False
    return True


@fuzz(value=json_values, text=planted(), quick=100)
def test_json_keeps_its_shape(value: Any, text: str) -> None:
    document = json.dumps({"kept": value, "said": text}).encode()
    left = leaves(document, "application/json")
    assert left is not None
    assert json.loads(left).keys() == {"kept", "said"}


@fuzz(data=st.binary(max_size=60), big=st.booleans(), text=planted(), size=st.integers(1, 40), quick=100)
def test_what_only_begins_like_utf16_stays_as_it_is(data: bytes, big: bool, text: str, size: int) -> None:
    encoding, mark = ("utf-16-be", b"\xfe\xff") if big else ("utf-16-le", b"\xff\xfe")
    plain = mark + data
    secret = plain[: len(plain) // 2 * 2] + text.encode(encoding) + data

    def redacted(content: bytes) -> bytes:
        chunks = [content[at : at + size] for at in range(0, len(content), size)]
        return b"".join(redact_files._utf16(chunks, encoding, REDACTOR))

    assert redacted(plain) == plain
    assert not survivors(redacted(secret).decode(encoding, "replace").encode("utf-8", "replace"))
