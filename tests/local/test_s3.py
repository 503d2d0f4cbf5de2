"""Objects under concurrent writers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.client import Config

from wainwright.local.system import LocalSystem


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads that take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def s3(system: LocalSystem) -> Any:
    """A client in the system's own process, as functions have it."""
    return boto3.client("s3", region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}))


@pytest.mark.usefixtures("hasty_threads")
def test_keeps_one_of_several_objects_that_are_stored_by_one_name_at_once(s3: Any) -> None:
    contents = [bytes([number]) * 1_000 for number in range(8)]

    def store(content: bytes) -> str:
        etag: str = s3.put_object(Bucket="bucket", Key="same", Body=content)["ETag"]
        return etag

    with ThreadPoolExecutor(len(contents)) as pool:
        for _ in range(25):
            etags = list(pool.map(store, contents))
            kept = s3.get_object(Bucket="bucket", Key="same")
            body = kept["Body"].read()
            assert etags[contents.index(body)] == kept["ETag"]
