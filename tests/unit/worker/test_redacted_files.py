"""Files leave without secrets, or not at all; what has none is not touched."""

import base64
import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from wainwright.domain.redaction import Redactor
from wainwright.worker.evidence import redact_files as redacted_files
from wainwright.worker.evidence.redact_files import redact_file

SECRET = 'corr"ect-horse-battery'
REDACTOR = Redactor({"PHRASE": SECRET, "PIN": "7395102846", "WORD": "before"})
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def written(tmp_path: Path, content: bytes, name: str = "file") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content_type", ["text/plain; charset=utf-8", "application/octet-stream"])
def test_text_is_rewritten_by_its_type_or_by_its_look(tmp_path: Path, content_type: str) -> None:
    path = written(tmp_path, f"line\nsaid {SECRET}\n".encode())
    path.chmod(0o640)

    assert redact_file(path, content_type, REDACTOR) is None
    assert path.read_text() == "line\nsaid [secret PHRASE]\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_what_has_no_secret_is_not_written_anew(tmp_path: Path) -> None:
    for name, content in {"a.txt": b"nothing", "b.png": PNG, "c.zip": zipped({"x": PNG, "y.json": b"{}"})}.items():
        path = written(tmp_path, content, name)
        before = path.stat().st_ino

        assert redact_file(path, "application/octet-stream", REDACTOR) is None
        assert (path.read_bytes(), path.stat().st_ino) == (content, before)


def test_json_stays_json(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps({"pin": 7395102846, "text": f"\n{SECRET}", "n": 1.5}).encode(), "a.json")

    assert redact_file(path, "application/json", REDACTOR) is None
    assert json.loads(path.read_text()) == {"pin": "[secret PIN]", "text": "\n[secret PHRASE]", "n": 1.5}


def test_a_secret_across_chunks_of_a_large_text_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacted_files, "CHUNK", 1_000)
    path = written(tmp_path, b"x" * 990 + SECRET.encode() + b"y" * 5_000)

    redact_file(path, "text/plain", REDACTOR)

    assert path.read_bytes() == b"x" * 990 + b"[secret PHRASE]" + b"y" * 5_000


def test_a_binary_file_with_a_secret_is_withheld_as_it_is(tmp_path: Path) -> None:
    content = PNG + SECRET.encode()
    path = written(tmp_path, content)

    assert redact_file(path, "image/png", REDACTOR) == "it contains a secret, and files of its kind cannot be rewritten"
    assert path.read_bytes() == content


@pytest.mark.parametrize("secret", [True, False])
def test_a_compressed_file_is_looked_into(tmp_path: Path, secret: bool) -> None:
    path = written(tmp_path, gzip.compress(SECRET.encode() if secret else b"nothing"), "a.log.gz")

    assert (redact_file(path, "application/gzip", REDACTOR) is not None) == secret


def test_text_in_utf16_is_rewritten(tmp_path: Path) -> None:
    path = written(tmp_path, f"said {SECRET}".encode("utf-16"))

    assert redact_file(path, "text/plain", REDACTOR) is None
    assert path.read_bytes().decode("utf-16") == "said [secret PHRASE]"


def test_of_a_trace_strings_and_numbers_change_and_its_structure_does_not(tmp_path: Path) -> None:
    events = [
        {
            "type": "before",
            "callId": "call@1",
            "class": "Frame",
            "params": {"value": SECRET, "n": 7395102846, "t": 1.5},
        },
        {"type": "after", "callId": "call@1", "result": {SECRET: [SECRET, {"before": "say before"}]}},
    ]
    lines = [
        *(json.dumps(event).encode() for event in events),
        b'{"type":"event","text":"\\ud83d"}',
        b"no json " + SECRET.encode(),
    ]
    trace = {
        "trace.trace": b"\n".join(lines),
        "trace.network": json.dumps({"type": "resource-snapshot", "snapshot": {"_sha1": "ab.html"}}).encode() + b"\n",
        "resources/ab.html": f"<p>{SECRET}".encode(),
        "resources/cd.png": PNG,
    }
    path = written(tmp_path, zipped(trace), "trace.zip")

    assert redact_file(path, "application/zip", REDACTOR) is None

    found = members(path)
    assert list(found) == list(trace)
    first, second, third, fourth = found["trace.trace"].split(b"\n")
    assert json.loads(first) == {
        "type": "before", "callId": "call@1", "class": "Frame", "params": {"value": "[secret PHRASE]", "n": 0, "t": 1.5},
    }  # fmt: skip
    result = json.loads(second)["result"]
    assert result == {"[secret PHRASE]": ["[secret PHRASE]", {"[secret WORD]": "say [secret WORD]"}]}
    assert third == lines[2]
    assert fourth == b"no json [secret PHRASE]"
    assert found["trace.network"] == trace["trace.network"]
    assert found["resources/ab.html"] == b"<p>[secret PHRASE]"
    assert found["resources/cd.png"] == PNG


def test_keys_stay_where_no_secret_is_in_one(tmp_path: Path) -> None:
    line = json.dumps({"type": "log", "message": {"text": SECRET, "level": "info"}}).encode()
    path = written(tmp_path, zipped({"trace.trace": line}), "trace.zip")

    redact_file(path, "application/zip", REDACTOR)

    assert json.loads(members(path)["trace.trace"]) == {
        "type": "log",
        "message": {"text": "[secret PHRASE]", "level": "info"},
    }


def test_a_secret_as_a_key_of_a_line_is_replaced(tmp_path: Path) -> None:
    line = json.dumps({"type": "log", SECRET: 1}).encode()
    path = written(tmp_path, zipped({"trace.trace": line}), "trace.zip")

    redact_file(path, "application/zip", REDACTOR)

    assert json.loads(members(path)["trace.trace"]) == {"type": "log", "[secret PHRASE]": 1}


def test_a_line_too_long_to_be_parsed_is_redacted_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacted_files, "MAX_JSON", 3_000)
    monkeypatch.setattr(redacted_files, "CHUNK", 1_000)
    body = (
        b"{" + b"x" * 2_990 + SECRET.encode() + b"y" * 9_000 + SECRET.encode() + b"}\n" + json.dumps([SECRET]).encode()
    )
    path = written(tmp_path, zipped({"trace.trace": body}), "trace.zip")

    redact_file(path, "application/zip", REDACTOR)

    assert members(path)["trace.trace"] == body.replace(SECRET.encode(), b"[secret PHRASE]").replace(
        json.dumps(SECRET).encode(), b'"[secret PHRASE]"'
    )


def test_names_and_inner_archives_of_an_archive_are_redacted(tmp_path: Path) -> None:
    inner = zipped({"inner.txt": SECRET.encode()})
    path = written(tmp_path, zipped({f"of {SECRET}.txt": b"x", "inner.zip": inner, "a.bin": PNG}), "files.zip")

    assert redact_file(path, "application/zip", REDACTOR) is None

    found = members(path)
    assert list(found) == ["of [secret PHRASE].txt", "inner.zip", "a.bin"]
    with zipfile.ZipFile(io.BytesIO(found["inner.zip"])) as archive:
        assert archive.read("inner.txt") == b"[secret PHRASE]"


def test_a_member_that_cannot_be_looked_through_is_replaced_by_the_reason(tmp_path: Path) -> None:
    broken = b"PK\x03\x04" + SECRET.encode() * 3
    path = written(tmp_path, zipped({"download.zip": broken, "a.txt": b"kept"}), "trace.zip")

    assert redact_file(path, "application/zip", REDACTOR) is None
    assert members(path) == {
        "download.zip": b"[withheld: it is an archive that cannot be read, so it cannot be searched]", "a.txt": b"kept",
    }  # fmt: skip


def test_a_damaged_archive_is_withheld(tmp_path: Path) -> None:
    whole = zipped({"trace.trace": SECRET.encode() * 1_000})
    path = written(tmp_path, whole[: len(whole) // 2], "trace.zip")

    assert "cannot be read" in str(redact_file(path, "application/zip", REDACTOR))
    assert redact_file(path, "application/zip", Redactor({})) is None


def test_an_archive_that_unpacks_to_too_much_is_withheld(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redacted_files, "MAX_INFLATED", 1_000)
    path = written(tmp_path, zipped({"a": b"\0" * 2_000}), "bomb.zip")

    assert "too large" in str(redact_file(path, "application/zip", REDACTOR))


def test_archives_nested_too_deep_are_not_opened_for_ever(tmp_path: Path) -> None:
    archive = zipped({"a.txt": SECRET.encode()})
    for _ in range(5):
        archive = zipped({"inner.zip": archive})
    path = written(tmp_path, archive, "nested.zip")

    assert redact_file(path, "application/zip", REDACTOR) is None
    content: bytes = path.read_bytes()
    for _ in range(3):
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            content = opened.read("inner.zip")
    assert content.startswith(b"[withheld: ")


def test_a_report_with_its_data_embedded_as_an_archive_is_rewritten(tmp_path: Path) -> None:
    data = zipped({"report.json": json.dumps({"title": SECRET}).encode()})
    page = b"<template id='x'>data:application/zip;base64," + base64.b64encode(data) + b"</template>" + SECRET.encode()
    path = written(tmp_path, page, "index.html")

    assert redact_file(path, "text/html", REDACTOR) is None

    left, _, rest = path.read_bytes().partition(b"base64,")
    encoded, _, after = rest.partition(b"<")
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(encoded))) as archive:
        assert json.loads(archive.read("report.json")) == {"title": "[secret PHRASE]"}
    assert left == b"<template id='x'>data:application/zip;"
    assert after == b"/template>[secret PHRASE]"


def test_text_in_utf16_within_an_archive_is_rewritten_and_what_is_none_stays(tmp_path: Path) -> None:
    none = b"\xff\xfe\x00\xd8odd"
    path = written(tmp_path, zipped({"a.html": f"said {SECRET}".encode("utf-16"), "b.mp3": none}))

    assert redact_file(path, "application/zip", REDACTOR) is None
    found = members(path)
    assert found["a.html"].decode("utf-16") == "said [secret PHRASE]"
    assert found["b.mp3"] == none


def test_a_secret_in_no_member_of_an_archive_goes(tmp_path: Path) -> None:
    path = written(tmp_path, SECRET.encode() + zipped({"a": b"a"}), "trace.zip")

    assert redact_file(path, "application/zip", REDACTOR) is None
    assert SECRET.encode() not in path.read_bytes()
    assert members(path) == {"a": b"a"}


def test_members_whose_names_differ_in_secrets_alone_are_both_kept(tmp_path: Path) -> None:
    path = written(tmp_path, zipped({f"{SECRET}.png": b"1", "[secret PHRASE].png": b"2"}))

    assert redact_file(path, "application/zip", REDACTOR) is None
    assert members(path) == {"[secret PHRASE].png": b"1", "[secret PHRASE].png#2": b"2"}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_members_of_one_name_the_last_is_kept(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "first")
        archive.writestr("a", f"last {SECRET}")
    path = written(tmp_path, buffer.getvalue())

    assert redact_file(path, "application/zip", REDACTOR) is None
    assert members(path) == {"a": b"last [secret PHRASE]"}


DEEP = b'{"a":' * 600 + json.dumps(SECRET).encode() + b"}" * 600
"""Python's JSON reads it, and what walks through the value calls itself too often."""


def test_json_that_is_too_deeply_nested_is_redacted_as_text(tmp_path: Path) -> None:
    wanted = DEEP.replace(json.dumps(SECRET).encode()[1:-1], b"[secret PHRASE]")
    document, trace = written(tmp_path, DEEP, "a.json"), written(tmp_path, zipped({"a.trace": DEEP}), "b.zip")

    assert redact_file(document, "application/json", REDACTOR) is None
    assert redact_file(trace, "application/zip", REDACTOR) is None
    assert document.read_bytes() == wanted
    assert members(trace) == {"a.trace": wanted}
