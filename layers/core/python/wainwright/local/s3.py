"""S3 whose objects are files in the data directory, written before the answer and read only when asked for."""

import io
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from moto.s3.models import FakeKey, S3Backend, s3_backends
from moto.s3.responses import S3Response
from moto.s3.utils import _VersionedKeyStore

from wainwright.local.errors import LocalError
from wainwright.local.journal import Journal, StoredObject
from wainwright.local.patches import Patches
from wainwright.local.template import ACCOUNT_ID

logger = logging.getLogger(__name__)


class _File:
    """Stands in for moto's buffer of an object's content: reads the file anew each time, and holds nothing open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = io.BytesIO()

    def seek(self, position: int) -> None:
        if position == 0:
            self._reader = io.BytesIO(self.path.read_bytes())
        self._reader.seek(position)

    def read(self, size: int = -1) -> bytes:
        content = self._reader.read(size)
        if size < 0:
            self._reader = io.BytesIO()
        return content

    def close(self) -> None:
        self._reader = io.BytesIO()


class _Changed(threading.local):
    """The keys that this thread's request has set or removed."""

    def __init__(self) -> None:
        self.keys: list[tuple[_VersionedKeyStore, str]] = []


class StoredS3:
    """Keeps moto's buckets in the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._backend: S3Backend = s3_backends[ACCOUNT_ID]["aws"]
        self._lock = threading.RLock()
        self._changed = _Changed()
        self._expiry: dict[str, list[tuple[str, float]]] = {}

    def install(self, patches: Patches) -> None:
        """Put this in moto's place until the patches are undone."""
        patches.wrap(S3Response, "key_response", self._respond)
        patches.wrap(S3Response, "bucket_response", self._respond)
        patches.wrap(_VersionedKeyStore, "setlist", self._noted)
        patches.wrap(_VersionedKeyStore, "pop", self._noted)
        patches.wrap(_VersionedKeyStore, "__setitem__", self._noted)

    def adopt(self, bucket: str, expiry: list[tuple[str, float]]) -> None:
        """Take over a bucket that was just created; `expiry` is its lifecycle as (prefix, age in seconds)."""
        self._expiry[bucket] = expiry

    def restore(self) -> int:
        """Put the journalled objects into the buckets; returns how many there were.

        Raises:
            LocalError: the journal holds objects of a bucket that the template no longer has.
        """
        stored = self._journal.objects()
        for each in stored:
            if each.bucket not in self._backend.buckets:
                raise LocalError(
                    f"the data directory {self._journal.data_dir} holds objects of the bucket {each.bucket}, which this "
                    "version does not have: start with another data directory, or remove this one to start again"
                )
            key = FakeKey(each.name, b"", self._backend.account_id, self._backend.region_name, bucket_name=each.bucket)
            key.set_metadata(dict(each.meta["headers"]))
            key._etag = each.meta["etag"]  # noqa: SLF001 - moto computes it from the content otherwise
            key.contentsize = each.meta["size"]
            key.last_modified = datetime.fromtimestamp(each.meta["modified"], UTC).replace(tzinfo=None)
            key.checksum_algorithm = each.meta["checksum"][0]
            key.checksum_value = each.meta["checksum"][1]
            _hold(key, each.path)
            self._backend.buckets[each.bucket].keys.setlist(each.name, [key])
        self._changed.keys.clear()
        return len(stored)

    def expire(self, now: float) -> int:
        """Delete the objects whose lifecycle has ended; returns how many."""
        count = 0
        for bucket, rules in self._expiry.items():
            for name, key in list(self._backend.buckets[bucket].keys.items()):
                age = now - _modified(key)
                if any(name.startswith(prefix) and age > seconds for prefix, seconds in rules):
                    self._backend.delete_object(bucket, name)
                    self._journal.delete_object(bucket, name)
                    count += 1
        self._changed.keys.clear()
        return count

    def _noted(self, original: Callable[..., Any], store: _VersionedKeyStore, key: str, *args: Any) -> Any:
        result = original(store, key, *args)
        self._changed.keys.append((store, key))
        return result

    def _respond(self, original: Callable[..., Any], response: S3Response, request: Any, *args: Any, **kw: Any) -> Any:
        if request.method in ("GET", "HEAD"):
            return original(response, request, *args, **kw)
        # One at a time: another request for the same name would move away the content that this one answers with.
        with self._lock:
            self._changed.keys.clear()
            answer = original(response, request, *args, **kw)
            buckets = {id(bucket.keys): name for name, bucket in list(self._backend.buckets.items())}
            for store, key in self._changed.keys:
                if (bucket := buckets.get(id(store))) is not None:
                    self._write(bucket, store, key)
            self._changed.keys.clear()
            return answer

    def _write(self, bucket: str, store: _VersionedKeyStore, name: str) -> None:
        key = store.get(name)
        if key is None:
            self._journal.delete_object(bucket, name)
        elif isinstance(key, FakeKey) and not _is_stored(key):
            path = self._journal.new_file(key.value)
            self._journal.put_object(StoredObject(bucket, name, path, _meta(key)))
            _hold(key, path)


def _meta(key: FakeKey) -> dict[str, Any]:
    return {
        "headers": dict(key.metadata),
        "etag": key.etag.strip('"'),
        "size": key.contentsize,
        "modified": _modified(key),
        "checksum": [key.checksum_algorithm, key.checksum_value],
    }


def _modified(key: FakeKey) -> float:
    """Seconds since the epoch; moto's own value is UTC without saying so."""
    return key.last_modified.replace(tzinfo=UTC).timestamp()


def _is_stored(key: FakeKey) -> bool:
    content: object = key._value_buffer  # noqa: SLF001 - moto offers no other way to the content
    return isinstance(content, _File)


def _hold(key: FakeKey, path: Path) -> None:
    with key.lock:
        key._value_buffer.close()  # noqa: SLF001 - the content moves from memory to its file
        key._value_buffer = _File(path)  # type: ignore[assignment]  # noqa: SLF001
