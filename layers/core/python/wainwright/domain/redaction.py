"""Removes secrets from text, in the encodings in which text usually carries them.

The pattern of a value allows each of its characters to be plain, escaped for JSON or a programming language, percent-encoded
or a character reference, so that mixtures of encodings are found as well. Base64 (at any of its three alignments) and
hexadecimal are patterns of their own, and so is each long line of a value of several lines. Where a mark says that text was
cut, what the cut left of a secret is found too: its beginning before the mark, its end after it.

Values *computed* from a secret (upper case, a hash, a part of it) are not found.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from wainwright.domain.cuts import CUT_MARK
from wainwright.domain.errors import InvalidInput
from wainwright.domain.secret_spellings import MAX_HALF, MIN_SECRET, spell_secret

MIN_NUMBER = 6
"""Digits of the shortest secret that is taken for a number of JSON."""

_CUT = re.compile(re.escape(CUT_MARK.encode()))
_REMOVED = "[…]".encode()
_REPLACED = rb"\[(?:secret [^\]]*|%s)\]" % "…".encode()
_STARTS_REPLACED, _ENDS_REPLACED = re.compile(_REPLACED), re.compile(_REPLACED + rb"\Z")
_LONGEST_MARK = 160
"""Bytes of the longest of these."""

_HALF_AFTER = re.compile(rb"(?:\\{0,8}[nrtv])?(?:[\\%%&#{}?0-9A-FUXa-fux\x80-\xff]|[a-z]{0,4};){0,%d}" % MAX_HALF)
"""The end of one character's spelling, or nothing."""

_Span = tuple[int, int, bytes]
"""Beginning and end of what is to be replaced, and what by."""


class Redactor:
    """Replaces secrets, given by name, by ``[secret NAME]``. Safe for several threads.

    Raises:
        InvalidInput: a value is shorter than MIN_SECRET.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            if len(value) < MIN_SECRET:
                raise InvalidInput(name, f"{name}: a value of fewer than {MIN_SECRET} characters cannot be redacted")
        self._values = dict(values)
        forms = {
            form.pattern: form for name, value in reversed(list(values.items())) for form in spell_secret(name, value)
        }
        # Longest first, so that a secret that contains another is replaced as a whole.
        self._forms = sorted(forms.values(), key=lambda form: (-form.length, form.name, form.pattern))
        self._numbers = {value: name for name, value in values.items() if _is_number(value)}
        self._longest = max((form.reach for form in self._forms), default=0)
        self.reach = self._longest + MAX_HALF + len(CUT_MARK.encode())
        self._compiled = lru_cache(maxsize=256)(self._compile)

    def __bool__(self) -> bool:
        return bool(self._forms)

    def text(self, text: str) -> str:
        """Return the text without the secrets."""
        if not self._forms or not text:
            return text
        before = text.encode("utf-8", "surrogatepass")
        after = self.data(before)
        return text if after is before else after.decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """Return the bytes (text in UTF-8 or an 8-bit encoding) without the secrets; the same object if there are none."""
        spans = self._spans(data)
        return _replace(data, spans, len(data))[0] if spans else data

    def finds(self, data: bytes) -> bool:
        """True if there is a secret in these bytes."""
        pattern = self._pattern(data)
        return (pattern is not None and pattern[0].search(data) is not None) or bool(self._edges(data))

    def finds_in(self, chunks: Iterable[bytes]) -> bool:
        """True if there is a secret in a long sequence of bytes."""
        rest = b""
        for chunk in chunks:
            rest += chunk
            if self.finds(rest):
                return True
            rest = rest[-self.reach :]
        return False

    def json(self, value: Any, *, keys: bool = True, number: int | None = None) -> Any:
        """Return a JSON value without the secrets: in strings, in keys unless told otherwise, and as whole numbers, in whose
        place `number` is put, or else the secret's name.
        """
        match value:
            case str():
                return self.text(value)
            case bool() | None:
                return value
            case int() | float():
                name = self._numbers.get(_digits(value))
                if name is None:
                    return value
                return _mark(name) if number is None else number
            case Mapping():
                return {
                    self.text(name) if keys else name: self.json(each, keys=keys, number=number)
                    for name, each in value.items()
                }
            case list() | tuple():
                return [self.json(each, keys=keys, number=number) for each in value]
        return value

    def stream(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield a long sequence of bytes without the secrets, also where one lies across chunks; holds one chunk and a reach."""
        rest = b""
        for chunk in chunks:
            rest += chunk
            done, rest = self.settled(rest)
            if done:
                yield done
        if rest:
            yield self.data(rest)

    def settled(self, data: bytes) -> tuple[bytes, bytes]:
        """Split the beginning of a long sequence of bytes: the part that no further byte can change, redacted, and the rest."""
        keep = len(data) - self.reach
        if keep <= 0:
            return b"", data
        cut = CUT_MARK.encode()
        halved = data.find(cut, max(0, keep - len(cut)), keep + len(cut) - 1)
        keep = keep if halved < 0 else halved  # a mark stays with what comes after it
        return _replace(data, self._spans(data), keep)

    def originals(self, text: str) -> frozenset[str]:
        """Return the names that a redacted name may stand for, with values plain and as pytest writes them into ids."""
        found = {text}
        for name, value in self._values.items():
            if (mark := _mark(name)) in text:
                escaped = value.encode("unicode_escape").decode("ascii")
                found |= {each.replace(mark, form) for each in found for form in {value, escaped}}
        return frozenset(found - {text}) or frozenset({text})

    def _pattern(self, data: bytes) -> tuple[re.Pattern[bytes], tuple[int, ...]] | None:
        """Return the pattern of the forms whose anchors are in these bytes, since a search for a fixed piece is quick."""
        wanted = tuple(
            index
            for index, form in enumerate(self._forms)
            if not form.anchors or any(anchor in data for anchor in form.anchors)
        )
        return (self._compiled(wanted), wanted) if wanted else None

    def _compile(self, wanted: tuple[int, ...]) -> re.Pattern[bytes]:
        return re.compile(b"|".join(b"(" + self._forms[index].pattern + b")" for index in wanted))

    def _spans(self, data: bytes) -> list[_Span]:
        """Return what is to be replaced, in order."""
        spans: list[_Span] = []
        if (found := self._pattern(data)) is not None:
            pattern, wanted = found
            for match in pattern.finditer(data):
                assert match.lastindex is not None  # noqa: S101 - every form is a group
                name = self._forms[wanted[match.lastindex - 1]].name
                spans.append((match.start(), match.end(), _mark(name).encode()))
        edges = self._edges(data)
        return _merge(spans + edges) if edges else spans

    def _edges(self, data: bytes) -> list[_Span]:
        """Return the parts of secrets that cuts have left."""
        if not self._forms or CUT_MARK.encode() not in data:
            return []
        edges: list[_Span] = []
        begin, cuts = 0, [match.span() for match in _CUT.finditer(data)]
        for start, end in [*cuts, (len(data), len(data))]:
            piece = data[begin:start]
            if begin and (length := self._ending_of(piece)):
                edges.append((begin, begin + length, _REMOVED))
            if end > start and (length := self._beginning_of(piece)):
                edges.append((start - length, start, _REMOVED))
            begin = end
        return edges

    def _beginning_of(self, piece: bytes) -> int:
        """Return the number of bytes at the end of a piece that begin a secret."""
        if _ENDS_REPLACED.search(piece[-_LONGEST_MARK:]):
            return 0
        piece = piece[-self._longest :]
        found = (form.beginning.search(piece) for form in self._forms)
        return max((len(piece) - match.start() for match in found if match), default=0)

    def _ending_of(self, piece: bytes) -> int:
        """Return the number of bytes at the beginning of a piece that end a secret."""
        if _STARTS_REPLACED.match(piece):
            return 0
        piece = piece[: MAX_HALF + self._longest]
        half = _HALF_AFTER.match(piece)
        longest = 0
        for skipped in range(half.end() + 1 if half else 1):
            rest = piece[skipped:]
            found = [form.ending.match(rest) for form in self._forms]
            longest = max([longest, *(skipped + match.end() for match in found if match)])
        return longest


def _merge(spans: Iterable[_Span]) -> list[_Span]:
    """Return spans that do not overlap. A whole secret keeps its name, unless a cut has left more around it."""
    merged: list[_Span] = []
    for start, end, mark in sorted(spans, key=lambda span: (span[0], -span[1], span[2] == _REMOVED)):
        if not merged or start >= merged[-1][1]:
            merged.append((start, end, mark))
        elif end > merged[-1][1]:
            merged[-1] = (merged[-1][0], end, _REMOVED)
    return merged


def _replace(data: bytes, spans: Iterable[_Span], keep: int) -> tuple[bytes, bytes]:
    """Replace the spans that begin before `keep`; return what comes before it or ends with one of them, and the rest."""
    done: list[bytes] = []
    at = 0
    for start, end, mark in spans:
        if start >= keep:
            break
        done += [data[at:start], mark]
        at = end
    end = max(at, keep)
    return b"".join([*done, data[at:end]]), data[end:]


def _mark(name: str) -> str:
    return f"[secret {name}]"


def _digits(number: Any) -> str:
    return repr(int(number)) if isinstance(number, float) and number.is_integer() else repr(number)


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", value)) and sum(map(str.isdigit, value)) >= MIN_NUMBER
