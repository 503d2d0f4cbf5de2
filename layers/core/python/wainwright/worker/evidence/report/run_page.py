"""Playwright Test's own HTML report, written by a run of all tests, with links in the place of the stubs (`restore.cjs`) of
files. It holds its data as an archive in base64.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from wainwright.domain.redaction import Redactor
from wainwright.worker.evidence.redact_files import redact_json
from wainwright.worker.evidence.report.blobs import MARK
from wainwright.worker.evidence.report.html import pack_documents
from wainwright.worker.sandbox.untrusted_zips import ZipUnusable, open_zip, read_member

MAX_DATA_BYTES = 512 * 1024 * 1024
"""Uncompressed, of one report."""
_DATA = re.compile(rb"(?<=data:application/zip;base64,)[A-Za-z0-9+/]{64,}={0,2}")
_SUMMARY = "report.json"
"""Beside it is a document for each of the suite's files, with its tests."""
_STUB = MARK.decode()
_LOG = re.compile(re.escape(_STUB) + r"(?P<attempt>[0-9a-f]{6}-\d{5})-log")
_NOT_KEPT = "This could not be stored."


class PageUnusable(Exception):
    """The page is not what Playwright Test writes of these attempts."""


NOT_A_PAGE = (PageUnusable, AttributeError, KeyError, TypeError, ValueError, RecursionError, binascii.Error)
"""Raised by reading a page into which a suite has written something else."""


def finish_page(page: bytes, attempts: Mapping[str, str], links: Mapping[str, str], redactor: Redactor) -> bytes:
    """Return the page with links to the files that were kept, and without secrets. Raises one of NOT_A_PAGE, also where not each
    of the recorded `attempts` is in it once, or any other. `links` are paths in the report by the names of the stubs.
    """
    found = [*_DATA.finditer(page)]
    if len(found) != 1:
        raise PageUnusable(f"it has {len(found)} archives of data")
    [data] = found
    documents = _documents(base64.b64decode(data[0], validate=True))
    there = Counter(_attempts_in(documents))
    if there != Counter(dict.fromkeys(attempts, 1)):
        raise PageUnusable("its attempts are not those that were recorded")
    written = {name: redact_json(_linked(each, links), redactor) for name, each in documents.items()}
    shell = page[: data.start()], page[data.end() :]
    if any(map(redactor.finds, (*shell, *map(str.encode, documents)))):
        raise PageUnusable("a secret is in it beside the data")
    return pack_documents(written).join(shell)


def _documents(data: bytes) -> dict[str, Any]:
    try:
        with open_zip(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_DATA_BYTES:
                raise PageUnusable("its data are too large")
            return {
                member.filename: json.loads(read_member(archive, member.filename, member.file_size))
                for member in archive.infolist()
            }
    except ZipUnusable as error:
        raise PageUnusable(f"its data cannot be read: {error}") from error


def _attempts_in(documents: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all attempts, from the stubs of their logs."""
    for name, document in documents.items():
        for test in () if name == _SUMMARY else document["tests"]:
            if not test["results"]:
                raise PageUnusable("a test has no result")
            for result in test["results"]:
                logs = [log for each in result["attachments"] if (log := _LOG.fullmatch(each.get("path") or ""))]
                if len(logs) != 1:
                    raise PageUnusable("an attempt has no name")
                yield logs[0]["attempt"]


def _linked(value: Any, links: Mapping[str, str]) -> Any:
    """Return a document with links in the place of stubs."""
    if isinstance(value, list):
        return [_linked(each, links) for each in value]
    if not isinstance(value, dict):
        return value
    path = value.get("path")
    if not isinstance(path, str) or not path.startswith(_STUB):
        return {name: _linked(each, links) for name, each in value.items()}
    href = links.get(path.removeprefix(_STUB))
    return {**value, "path": href} if href else {**value, "path": None, "body": _NOT_KEPT}
