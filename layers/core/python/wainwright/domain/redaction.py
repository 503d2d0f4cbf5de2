"""Removes secrets from text, in the encodings in which text usually carries them.

The pattern of a value allows each of its characters to be plain, escaped for JSON or a programming language, percent-encoded
or a character reference, so that mixtures of encodings are found as well. Base64 (at any of its three alignments) and
hexadecimal are patterns of their own, and so is each long line of a value of several lines.

Values *computed* from a secret (upper case, a hash, a part of it) are not found.
"""

import base64
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from wainwright.domain.errors import InvalidInput

MIN_SECRET = 4
"""Characters of the shortest secret: shorter ones are found in any text by chance."""

MIN_LINE = 8
"""Characters of the shortest line that is looked for on its own."""

MIN_ENCODED = 5
"""Characters of the shortest piece of base64 that is looked for; shorter ones are found in any image by chance."""

MIN_PATH = 16
"""Characters of the shortest path that is looked for on its own, where a secret is a URL."""

MIN_NUMBER = 6
"""Digits of the shortest secret that is taken for a number of JSON."""

_ANCHOR = re.compile(rb"[A-Za-z0-9]+")
_SHORTEST_ANCHOR = 3
_LONGEST_FORM = 64
"""Bytes that one character may take in any encoding looked for: two halves of a pair, eight backslashes before each."""

_BACKSLASHES = rb"\\{1,8}"
_REFERENCES = {"&": rb"amp", "<": rb"lt", ">": rb"gt", '"': rb"quot", "'": rb"(?:apos|#0?39)"}
_LETTERS = {"\n": rb"n", "\r": rb"r", "\t": rb"t", "\b": rb"b", "\f": rb"f", "\v": rb"v"}
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ARMOUR = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]+-----\Z")


@dataclass(frozen=True)
class _Form:
    """A pattern of the secret `name`. Any match contains one of `anchors`, if there are some, and has at most `reach` bytes."""

    name: str
    length: int
    pattern: bytes
    anchors: tuple[bytes, ...]
    reach: int


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
        forms = {form.pattern: form for name, value in reversed(list(values.items())) for form in _forms(name, value)}
        # Longest first, so that a secret that contains another is replaced as a whole.
        self._forms = sorted(forms.values(), key=lambda form: (-form.length, form.name, form.pattern))
        self._numbers = {value: name for name, value in values.items() if _is_number(value)}
        self.reach = max((form.reach for form in self._forms), default=0)
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
        pattern = self._pattern(data)
        return data if pattern is None else pattern[0].sub(self._replacer(pattern[1]), data)

    def finds(self, data: bytes) -> bool:
        """True if there is a secret in these bytes."""
        pattern = self._pattern(data)
        return pattern is not None and pattern[0].search(data) is not None

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
        pattern = self._pattern(data)
        if pattern is None:
            return data[:keep], data[keep:]
        replace, done, at = self._replacer(pattern[1]), [], 0
        for match in pattern[0].finditer(data):
            if match.start() >= keep:
                break
            done += [data[at : match.start()], replace(match)]
            at = match.end()
        end = max(at, keep)
        return b"".join([*done, data[at:end]]), data[end:]

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

    def _replacer(self, wanted: tuple[int, ...]) -> Callable[[re.Match[bytes]], bytes]:
        def replace(match: re.Match[bytes]) -> bytes:
            assert match.lastindex is not None  # noqa: S101 - every form is a group
            return _mark(self._forms[wanted[match.lastindex - 1]].name).encode()

        return replace


def _mark(name: str) -> str:
    return f"[secret {name}]"


def _digits(number: Any) -> str:
    return repr(int(number)) if isinstance(number, float) and number.is_integer() else repr(number)


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", value)) and sum(map(str.isdigit, value)) >= MIN_NUMBER


def _forms(name: str, value: str) -> Iterator[_Form]:
    lines = [line.strip() for line in value.splitlines()]
    pieces = [line for line in lines if len(line) >= MIN_LINE and not _ARMOUR.match(line)] if len(lines) > 1 else []
    stripped = value.strip()
    if stripped != value and len(stripped) >= MIN_SECRET:
        pieces.append(stripped)
    pieces += _pieces_of_url(stripped)
    for piece in dict.fromkeys([value, *pieces]):
        yield from _forms_of(name, piece)


def _pieces_of_url(value: str) -> list[str]:
    """Return what a browser makes of a secret URL: its host in lower case, its path and query alone, its credentials alone."""
    if not _URL.match(value):
        return []
    try:
        parts = urlsplit(value)
        userinfo, _, host = parts.netloc.rpartition("@")
        query = [each for _, each in parse_qsl(parts.query)]
    except ValueError:
        return []
    rest = urlunsplit(("", "", parts.path, parts.query, parts.fragment))
    bare = urlunsplit((parts.scheme, host.lower(), parts.path, parts.query, parts.fragment))
    long = [each for each in (parts.path, rest) if len(each) >= MIN_PATH]
    values = [each for each in (userinfo, unquote(userinfo), *query) if len(each) >= MIN_LINE]
    password = unquote(userinfo.partition(":")[2])
    return [bare, *long, *values, *([password] if len(password) >= MIN_SECRET else [])]


def _forms_of(name: str, value: str) -> Iterator[_Form]:
    reach = sum(1 if _is_plain(character) else _LONGEST_FORM for character in value)
    data = value.encode("utf-8", "surrogatepass")
    yield _Form(name, len(value), _spell(value), _anchors(data), reach)
    for skipped in range(3):
        core = _base64_core(data, skipped)
        if len(core) >= MIN_ENCODED:
            yield _Form(name, len(core), _base64_pattern(core), _anchors(core), 12 * len(core))
    if len(data) >= MIN_LINE:
        lower = data.hex().encode()
        anchors = tuple(dict.fromkeys([lower, lower.upper()]))
        yield _Form(name, len(lower), b"(?i:" + lower + b")", anchors, len(lower))


def _anchors(data: bytes) -> tuple[bytes, ...]:
    """Return the longest piece that every spelling contains, if it is worth looking for first."""
    longest = max(_ANCHOR.findall(data), key=len, default=b"")
    return (longest,) if len(longest) >= _SHORTEST_ANCHOR else ()


def _is_plain(character: str) -> bool:
    """True for letters and digits, which no usual encoding of text changes."""
    return character.isascii() and character.isalnum()


def _spell(value: str) -> bytes:
    """Return a pattern of the value in all its spellings."""
    parts: list[bytes] = []
    for run in re.findall(r"\\+|\r?\n|[^\\]", value):
        if run[0] == "\\":
            parts.append(rb"(?:\\{%d,%d}|(?:%%(?:25){0,2}5[cC]){%d})" % (len(run), 16 * len(run), len(run)))
        elif run[-1] == "\n":
            parts.append(b"(?:" + _spellings("\r") + b")?(?:" + _spellings("\n") + b")")
        elif _is_plain(run):
            parts.append(run.encode())
        else:
            parts.append(b"(?:" + _spellings(run) + b")")
    return b"".join(parts)


def _spellings(character: str) -> bytes:
    """Return the alternatives for one character that is neither letter nor digit of ASCII, nor a backslash."""
    code = ord(character)
    data = character.encode("utf-8", "surrogatepass")
    found = [b"".join(rb"%%(?:25){0,2}%s" % _hex(byte, 2) for byte in data)]
    found.append(rb"&(?:amp;){0,2}#(?:0{0,4}%d|[xX]0{0,4}%s);" % (code, _hex(code, 1)))
    found.append(b"".join(_BACKSLASHES + rb"x" + _hex(byte, 2) for byte in data))
    if code <= 0xFFFF:
        found.append(_BACKSLASHES + rb"(?:u%s|u\{0{0,4}%s\})" % (_hex(code, 4), _hex(code, 1)))
    else:
        high, low = 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + (code & 0x3FF)
        found.append(_BACKSLASHES + b"u" + _hex(high, 4) + _BACKSLASHES + b"u" + _hex(low, 4))
        found.append(_BACKSLASHES + rb"(?:U%s|u\{0{0,4}%s\})" % (_hex(code, 8), _hex(code, 1)))
    if 0x80 <= code <= 0xFF:
        found.append(_BACKSLASHES + b"x" + _hex(code, 2))
        # In an 8-bit encoding, but never a part of a character of UTF-8.
        found.append(rb"(?<![\x80-\xff])%s(?![\x80-\xbf])" % re.escape(bytes([code])))
    if character in _REFERENCES:
        found.append(rb"&(?:amp;){0,2}%s;" % _REFERENCES[character])
    if character in _LETTERS:
        found.append(_BACKSLASHES + _LETTERS[character])
    if character == " ":
        found += [rb"\+", rb"\xc2\xa0", rb"&(?:amp;){0,2}nbsp;"]
    # Last, since "%" and "&" also begin spellings of themselves, of which no end is to be left over.
    found.append((rb"\\{0,8}" if character.isascii() else b"") + re.escape(data))
    return b"|".join(found)


def _hex(number: int, width: int) -> bytes:
    """Return a pattern of hexadecimal digits in either case."""
    return re.sub(rb"[a-f]", lambda digit: b"[%s%s]" % (digit[0], digit[0].upper()), b"%0*x" % (width, number))


def _base64_core(data: bytes, skipped: int) -> bytes:
    """Return the characters of base64 that these bytes alone decide, when so many bytes come before them."""
    encoded = base64.b64encode(bytes(skipped) + data)
    whole_bits = (skipped + len(data)) * 8
    return encoded[(skipped * 8 + 5) // 6 : whole_bits // 6]


def _base64_pattern(core: bytes) -> bytes:
    plus, slash = rb"(?:[+-]|%(?:25){0,2}2[bB]|\\{1,8}u002[bB])", rb"(?:\\{0,8}/|_|%(?:25){0,2}2[fF])"
    return core.replace(b"+", b"\0").replace(b"/", slash).replace(b"\0", plus)
