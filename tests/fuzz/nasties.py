"""Strategies for what strangers send: texts, JSON and bytes, with the values that break parsers among them."""

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

NASTY_TEXTS = [
    "", "\0", "a\0b", "\ud800", "\udfff\ud800", "\udc80", "\ufeff", "\u202e", "\u2028", "\x1b[31m", "\x85", "\r\n", "\n", "\t",
    "..", "../..", "../../../../etc/passwd", "..%2f..%2f", "%00", "%", "%zz", "/", "//", "\\", "C:\\con", ".", "-", "--help",
    "é", "e\u0301", "İ", "ß", "😀", "٣", "²", "NaN", "Infinity", "1e999", "-0", "1_0", "0x10", " 1 ", "null", "true",
    "{}", "[]", "[" * 3_000, '{"a":' * 2_000, "a" * 300, "é" * 2_500, "]]>", "<!--", "&amp;", "&#0;", '"', "'", "$", "{0}",
    "__class__", "__proto__", "constructor", "#", "?", "*", "(a+)+$",
]  # fmt: skip

texts = st.one_of(
    st.sampled_from(NASTY_TEXTS),
    st.text(st.characters(), max_size=40),
    st.lists(st.sampled_from(NASTY_TEXTS), min_size=2, max_size=3).map("".join),
)
"""Any text that Python can hold, lone surrogates included."""

unicode_texts = texts.map(lambda text: text.encode("utf-8", "replace").decode())
"""Texts that UTF-8 can carry."""

numbers = st.one_of(
    st.sampled_from(
        [0, -1, 2**31, 2**53, 2**63, -(2**63), 10**400, 1.5, -0.0, 1e308, 5e-324, float("inf"), float("nan")]
    ),
    st.integers(),
    st.floats(),
)

_scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
json_values: st.SearchStrategy[Any] = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
"""What Python's JSON can write: also infinity, NaN and halves of surrogate pairs."""

DEEP_JSON = [b"[" * depth + b"]" * depth for depth in (100, 400, 900, 5_000, 100_000)] + [
    b'{"a":' * depth + b"1" + b"}" * depth for depth in (100, 400, 900, 5_000)
]
NASTY_JSON = [
    *DEEP_JSON, b"", b"nul", b"NaN", b"1" * 5_000, b"1e999", b"-", b'"\\ud800"', b'"\xff"', b"\xff\xfe[\0]\0", b"\xef\xbb\xbf{}",
    b"{}\n{}", b'{"a":1,"a":2}', b"[1,]", b"\0", b'"\0"',
]  # fmt: skip


def json_bytes(values: st.SearchStrategy[Any] = json_values) -> st.SearchStrategy[bytes]:
    """Return JSON of these values, whole or damaged, and what only looks like JSON."""
    whole = st.tuples(values, st.booleans()).map(lambda pair: json.dumps(pair[0], ensure_ascii=pair[1]))
    written = whole.map(lambda text: text.encode("utf-8", "surrogatepass"))
    return st.one_of(st.sampled_from(NASTY_JSON), written, written.flatmap(mutations))


_FILLS = [b"", b"\0", b"\xff", b"\xff" * 4, bytes(4), b"\x80", b"%", b'"', b"\n", b"\0\0\1\0", b"\0\0\0\x80"]


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw a damaged form of some bytes: bits flipped, pieces cut out, copied elsewhere or replaced."""
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(found)))
        end = min(len(found), begin + draw(st.sampled_from([0, 1, 1, 2, 4, 8, 64, 1_024])))
        kind = draw(st.sampled_from(["flip", "fill", "any", "copy", "end"]))
        if kind == "flip" and begin < len(found):
            found[begin] ^= 1 << draw(st.integers(0, 7))
        elif kind == "fill":
            found[begin:end] = draw(st.sampled_from(_FILLS))
        elif kind == "any":
            found[begin:end] = draw(st.binary(max_size=8))
        elif kind == "copy":
            at = draw(st.integers(0, len(found)))
            found[at:at] = found[begin:end]
        elif kind == "end":
            del found[begin:]
    return bytes(found)


def lines(pieces: Iterable[str]) -> st.SearchStrategy[str]:
    """Return texts of some lines, of these pieces and of any other, with any line's end."""
    piece = st.one_of(st.sampled_from(list(pieces)), texts)
    line = st.lists(piece, max_size=4).map("".join)
    return st.lists(st.tuples(line, st.sampled_from(["\n", "\n", "\r\n", "\r", ""])), max_size=6).map(
        lambda found: "".join(text + end for text, end in found)
    )
