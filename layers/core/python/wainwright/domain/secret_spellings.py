"""Spellings of a secret: patterns of its characters in the encodings in which text usually carries them."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

MIN_SECRET = 4
"""Characters of the shortest secret: shorter ones are found in any text by chance."""

MIN_LINE = 8
"""Characters of the shortest line that is looked for on its own."""

MIN_ENCODED = 5
"""Characters of the shortest piece of base64 that is looked for; shorter ones are found in any image by chance."""

MIN_PATH = 16
"""Characters of the shortest path that is looked for on its own, where a secret is a URL."""

MAX_HALF = 48
"""Bytes that a cut may leave of the spelling of one character."""

_HALF_BEFORE = rb"(?:[\\%%&?\r\x80-\xff][\\%%&#{;0-9A-Za-z\x80-\xff]{0,%d})?\Z" % (MAX_HALF - 1)
_PLAIN = 4
"""Bytes of the longest pattern of a character that no usual encoding changes."""

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
class Form:
    """A spelling of the secret `name`, by the patterns of its characters. Any match contains one of `anchors`, if there are some,
    and has at most `reach` bytes."""

    name: str
    length: int
    parts: tuple[bytes, ...]
    anchors: tuple[bytes, ...]
    reach: int

    @cached_property
    def pattern(self) -> bytes:
        """Pattern of all of it."""
        return b"".join(self.parts)

    @cached_property
    def beginning(self) -> re.Pattern[bytes]:
        """Pattern of its beginning at the end of a text, where the spelling of a character may be halved."""
        first, *others = self.parts
        ends = (b"(?:%s|%s)" % (part, rb"\Z" if len(part) <= _PLAIN else _HALF_BEFORE) for part in others)
        return re.compile(first + b"".join(ends) + rb"\Z")

    @cached_property
    def ending(self) -> re.Pattern[bytes]:
        """Pattern of its end at the beginning of a text."""
        *others, last = self.parts
        return re.compile(b"".join(rb"(?:%s|\A)" % part for part in others) + last)


def spell_secret(name: str, value: str) -> Iterator[Form]:
    """Yield the forms of a secret, of its long lines, and of what a browser makes of a URL."""
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


def _forms_of(name: str, value: str) -> Iterator[Form]:
    reach = sum(1 if _is_plain(character) else _LONGEST_FORM for character in value)
    data = value.encode("utf-8", "surrogatepass")
    yield Form(name, len(value), tuple(_spell(value)), _anchors(data), reach)
    for skipped in range(3):
        core = _base64_core(data, skipped)
        if len(core) >= MIN_ENCODED:
            yield Form(name, len(core), tuple(_spell_base64(core)), _anchors(core), 12 * len(core))
    if len(data) >= MIN_LINE:
        lower = data.hex().encode()
        anchors = tuple(dict.fromkeys([lower, lower.upper()]))
        parts = tuple(b"[%c%c]" % (digit, digit - 32) if digit > ord("9") else b"%c" % digit for digit in lower)
        yield Form(name, len(lower), parts, anchors, len(lower))


def _anchors(data: bytes) -> tuple[bytes, ...]:
    """Return the longest piece that every spelling contains, if it is worth looking for first."""
    longest = max(_ANCHOR.findall(data), key=len, default=b"")
    return (longest,) if len(longest) >= _SHORTEST_ANCHOR else ()


def _is_plain(character: str) -> bool:
    """True for letters and digits, which no usual encoding of text changes."""
    return character.isascii() and character.isalnum()


def _spell(value: str) -> Iterator[bytes]:
    """Yield the patterns of the value's characters in all their spellings."""
    for run in re.findall(r"\\+|\r?\n|[^\\]", value):
        if run[0] == "\\":
            yield rb"(?:\\{%d,%d}|(?:%%(?:25){0,2}5[cC]){%d})" % (len(run), 16 * len(run), len(run))
        elif run[-1] == "\n":
            yield b"(?:" + _spellings("\r") + b")?(?:" + _spellings("\n") + b")"
        elif _is_plain(run):
            yield run.encode()
        else:
            yield b"(?:" + _spellings(run) + b")"


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


def _spell_base64(core: bytes) -> Iterator[bytes]:
    """Yield the patterns of these characters of base64 in all their spellings."""
    plus, slash = rb"(?:[+-]|%(?:25){0,2}2[bB]|\\{1,8}u002[bB])", rb"(?:\\{0,8}/|_|%(?:25){0,2}2[fF])"
    for character in core.decode():
        yield {"+": plus, "/": slash}.get(character, character.encode())
