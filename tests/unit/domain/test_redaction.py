"""Secrets are found in every usual spelling, and nothing else is touched."""

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Callable, Iterator

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from wainwright.domain.cuts import CUT_MARK, cut_end, cut_start
from wainwright.domain.errors import InvalidInput
from wainwright.domain.redaction import Redactor

VALUES = {
    "WEIRD": "pä\"ss'w\\o/rd <&> $x\nline two of it is €😀",
    "HOOK": "https://Hooks.Example.test/services/T00/B11x?key=AbC+d/1==&u=zz9yy8xx7",
    "TOKEN": "c2VjcmV0LXZhbHVlLWluLWI2NA==",
    "PHRASE": "correct-horse-battery-staple",
}

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON in Unicode": lambda value: json.dumps(value, ensure_ascii=False),
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "repr": repr,
    "ascii": ascii,
    "repr of bytes": lambda value: repr(value.encode()),
    "a pytest id": lambda value: value.encode("unicode_escape").decode(),
    "percent": urllib.parse.quote,
    "percent of all": lambda value: urllib.parse.quote(value, safe=""),
    "percent twice": lambda value: urllib.parse.quote(urllib.parse.quote(value, safe=""), safe=""),
    "a form": urllib.parse.quote_plus,
    "HTML": html.escape,
    "HTML text": lambda value: html.escape(value, quote=False),
    "HTML twice": lambda value: html.escape(html.escape(value)),
    "CRLF": lambda value: value.replace("\n", "\r\n"),
    "hexadecimal": lambda value: value.encode().hex(),
    "base64 in a URL": lambda value: urllib.parse.quote(base64.b64encode(value.encode()), safe=""),
    "a mixture": lambda value: html.escape(json.dumps(urllib.parse.quote(value, safe="/:?&"))),
}


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
@pytest.mark.parametrize("name", sorted(VALUES))
def test_finds_a_secret_in_every_usual_encoding(name: str, encoding: str) -> None:
    written = ENCODINGS[encoding](VALUES[name])
    redacted = Redactor(VALUES).text(f"before {written} after")

    assert f"[secret {name}]" in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")
    assert len(redacted) < len(f"before '[secret {name}]' after") + 16


@pytest.mark.parametrize("urlsafe", [False, True], ids=["standard", "urlsafe"])
@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("name", sorted(VALUES))
def test_finds_a_secret_in_base64_at_every_alignment(name: str, before: int, urlsafe: bool) -> None:
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    data = b"u" * before + VALUES[name].encode() + b" and more"
    redacted = Redactor(VALUES).data(encode(data))

    assert f"[secret {name}]".encode() in redacted
    decoded = base64.b64decode(redacted.partition(b"[")[0] + b"===", altchars=b"-_" if urlsafe else None)
    assert len(decoded) <= before + 1


@settings(deadline=None)
@example(value="abc%")
@example(value="abc&")
@given(value=st.text(min_size=4, max_size=60).filter(lambda text: len(text.strip()) >= 4))
def test_no_value_survives_whatever_its_characters(value: str) -> None:
    assume(value not in "[secret NAME]")
    redactor = Redactor({"NAME": value})
    for encode in (str, json.dumps, repr, html.escape, lambda text: urllib.parse.quote(text, safe="")):
        written = encode(value)
        assert redactor.text(f"<{written}>") in {"<[secret NAME]>", "<'[secret NAME]'>", '<"[secret NAME]">'}


def test_leaves_text_without_secrets_alone_and_is_the_same_object() -> None:
    redactor = Redactor(VALUES)
    text, data = "correct-horse and battery-staple, 100 %", b"\x89PNG\r\n\x1a\n" + bytes(range(256))

    assert redactor.text(text) is text
    assert redactor.data(data) is data
    assert not redactor.finds(data)


def test_without_values_it_is_false_and_does_nothing() -> None:
    redactor = Redactor({})

    assert not redactor
    assert redactor.text("anything") == "anything"
    assert redactor.json({"a": [1, "b"]}) == {"a": [1, "b"]}


def test_a_secret_that_contains_another_is_replaced_as_a_whole() -> None:
    redactor = Redactor({"SHORT": "horse-battery", "LONG": "correct-horse-battery-staple"})

    assert redactor.text("correct-horse-battery-staple horse-battery") == "[secret LONG] [secret SHORT]"


def test_each_long_line_of_a_value_of_several_lines_is_found_alone() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg/kqh+kiG9w0B\nAQEFAASC\nshort\n-----END KEY-----\n"
    redactor = Redactor({"KEY": key})

    assert redactor.text("x MIIEvQIBADANBg/kqh+kiG9w0B y") == "x [secret KEY] y"
    assert redactor.text("AQEFAASC") == "[secret KEY]"
    assert redactor.text("-----BEGIN KEY----- short") == "-----BEGIN KEY----- short"
    assert redactor.text(f"<{key}>") == "<[secret KEY]>"


def test_of_a_secret_url_what_a_browser_makes_of_it_is_found() -> None:
    redactor = Redactor({"HOOK": "https://bob:s3cr3t@Hooks.Example.test/services/T00/B11x?key=AbCdEfGh12"})

    for seen in (
        "https://hooks.example.test/services/T00/B11x?key=AbCdEfGh12", "/services/T00/B11x?key=AbCdEfGh12",
        "/services/T00/B11x", '"key","value":"AbCdEfGh12"', "s3cr3t", base64.b64encode(b"bob:s3cr3t").decode(),
    ):  # fmt: skip
        assert "[secret HOOK]" in redactor.text(seen), seen


def test_json_loses_secrets_in_strings_keys_and_numbers_and_keeps_its_form() -> None:
    redactor = Redactor({"PIN": "7395102846", "WORD": "battery-staple"})
    value = {
        "a": 7395102846,
        "battery-staple": [1, None, True, 7395102846.0, {"b": "x battery-staple"}],
        "c": 73951028460,
    }

    assert redactor.json(value) == {
        "a": "[secret PIN]", "[secret WORD]": [1, None, True, "[secret PIN]", {"b": "x [secret WORD]"}], "c": 73951028460,
    }  # fmt: skip


@pytest.mark.parametrize("size", [1, 7, 64, 5_000])
def test_a_stream_loses_secrets_that_lie_across_its_chunks(size: int) -> None:
    data = (json.dumps(VALUES) * 20 + "x" * 3_000 + urllib.parse.quote(VALUES["WEIRD"])).encode()
    redactor = Redactor(VALUES)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]

    streamed = b"".join(redactor.stream(chunks))

    assert streamed == redactor.data(data)
    assert redactor.finds_in(chunks)
    assert not redactor.finds_in([streamed])


def test_half_a_surrogate_pair_is_no_reason_to_fail() -> None:
    assert Redactor(VALUES).text("\ud83d correct-horse-battery-staple") == "\ud83d [secret PHRASE]"


def test_other_characters_of_utf8_are_never_cut() -> None:
    text = "pass鐘鐘 é passé"

    assert Redactor({"NAME": "passé"}).text(text) == "pass鐘鐘 é [secret NAME]"
    assert Redactor({"NAME": "passé"}).data("x passé".encode("latin-1")) == b"x [secret NAME]"


def test_refuses_a_value_that_is_too_short_without_repeating_it() -> None:
    with pytest.raises(InvalidInput, match="PIN") as raised:
        Redactor({"PIN": "zqx"})
    assert "zqx" not in str(raised.value)


def test_knows_what_a_redacted_name_may_have_been() -> None:
    redactor = Redactor({"WORD": "bät\ntery"})

    assert redactor.originals("t.py::test[[secret WORD]]") == {"t.py::test[bät\ntery]", "t.py::test[b\\xe4t\\ntery]"}
    assert redactor.originals("t.py::other") == {"t.py::other"}


CUT_VALUES = {name: f"{value}z" for name, value in VALUES.items()}
"""Secrets that begin and end with plain characters, of which a cut leaves nothing or all."""

CUT_REDACTOR = Redactor(CUT_VALUES)


def cut_anywhere(written: str) -> Iterator[tuple[str, str]]:
    """Cut a text at each place in what is written in it; yield what is before the cut, and what is after it."""
    text = f"{'b' * 40} {written} {'a' * 40}"
    for at in range(41, 41 + len(written) + 1):
        yield cut_end(text, at + len(CUT_MARK)), cut_start(text, len(text) - at + len(CUT_MARK))


def kept_of(redacted: str) -> str:
    return re.sub(r"\[secret \w+\]|\[…\]", "", redacted).removesuffix(CUT_MARK).removeprefix(CUT_MARK)


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
@pytest.mark.parametrize("name", sorted(CUT_VALUES))
def test_no_part_of_a_secret_is_left_at_a_cut(name: str, encoding: str) -> None:
    written = ENCODINGS[encoding](CUT_VALUES[name])
    opening, _, closing = CUT_REDACTOR.text(written).partition(f"[secret {name}]")
    left = opening + closing
    kept = [
        (kept_of(CUT_REDACTOR.text(before)), kept_of(CUT_REDACTOR.text(after)))
        for before, after in cut_anywhere(written)
    ]

    assert {before[:41] for before, _ in kept} == {f"{'b' * 40} "}
    assert {after[-41:] for _, after in kept} == {f" {'a' * 40}"}
    assert [before[41:] for before, _ in kept if not left.startswith(before[41:])] == []
    assert [after[:-41] for _, after in kept if not left.endswith(after[:-41])] == []


@pytest.mark.parametrize("urlsafe", [False, True], ids=["standard", "urlsafe"])
@pytest.mark.parametrize("name", sorted(CUT_VALUES))
def test_no_part_of_a_secret_in_base64_is_left_at_a_cut(name: str, urlsafe: bool) -> None:
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    written = encode(CUT_VALUES[name].encode()).decode().rstrip("=")

    kept = [kept_of(CUT_REDACTOR.text(cut)) for both in cut_anywhere(written) for cut in both]

    assert [each for each in kept if len(each) > 41 + 1] == []  # the last character may be another's too


@settings(deadline=None, max_examples=40)
@given(
    inner=st.text(st.characters(codec="utf-8", exclude_characters="[…]<>cut serNAMEqz"), min_size=2, max_size=30),
    data=st.data(),
)
def test_no_part_of_a_secret_is_left_at_a_cut_whatever_its_characters(inner: str, data: st.DataObject) -> None:
    value = f"q{inner}z"
    at = data.draw(st.integers(1, len(value) - 1))
    redactor = Redactor({"NAME": value})

    assert kept_of(redactor.text(f"<{value[:at]}{CUT_MARK}")) == "<"
    assert kept_of(redactor.text(f"{CUT_MARK}{value[at:]}>")) == ">"


@pytest.mark.parametrize("size", [301, 5_000])
def test_a_stream_loses_what_cuts_have_left_of_secrets(size: int) -> None:
    cuts = [cut for value in VALUES.values() for both in list(cut_anywhere(value))[::9] for cut in both]
    data = "\n".join(cuts).encode()
    redactor = Redactor(VALUES)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]

    streamed = b"".join(redactor.stream(chunks))

    assert streamed == redactor.data(data)
    assert redactor.finds_in(chunks)
    assert not redactor.finds_in([streamed])


def test_what_is_not_at_a_cut_may_begin_as_a_secret_does() -> None:
    text = f"correct-horse {CUT_MARK} staples"

    assert Redactor(VALUES).text(text) is text


@given(text=st.lists(st.sampled_from(["a", "b", CUT_MARK]), max_size=60).map("".join), limit=st.integers(20, 60))
def test_a_cut_text_is_within_its_limit_and_its_marks_are_whole(text: str, limit: int) -> None:
    for cut in (cut_end(text, limit), cut_start(text, limit)):
        assert len(cut) <= limit
        assert set(cut.replace(CUT_MARK, "")) <= {"a", "b"}
        assert cut == text or cut.startswith(CUT_MARK) or cut.endswith(CUT_MARK)
