"""Deletions of every Artifacts."""

import pytest

from wainwright.adapters.aws.artifacts import S3Artifacts
from wainwright.adapters.aws.clients import Clients
from wainwright.domain.errors import Unavailable
from wainwright.ports.artifacts import Artifacts


def fill(artifacts: Artifacts) -> None:
    for key in ("reports/shop/1/a", "reports/shop/1/b ä", "reports/shop/1/c/d", "reports/shop/12/a", "uploads/shop/1"):
        artifacts.put(key, b"x", "text/plain")


def there(artifacts: Artifacts, *keys: str) -> list[bool]:
    return [artifacts.size_and_age(key) is not None for key in keys]


def test_deletes_what_starts_so_and_nothing_else(artifacts: Artifacts) -> None:
    fill(artifacts)

    artifacts.delete_all("reports/shop/1/")

    assert there(artifacts, "reports/shop/1/a", "reports/shop/1/b ä", "reports/shop/1/c/d") == [False] * 3
    assert there(artifacts, "reports/shop/12/a", "uploads/shop/1") == [True, True]


def test_may_be_repeated(artifacts: Artifacts) -> None:
    fill(artifacts)
    artifacts.delete_all("reports/shop/1/")

    artifacts.delete_all("reports/shop/1/")

    assert there(artifacts, "reports/shop/1/a", "reports/shop/12/a") == [False, True]


def test_goes_on_over_all_pages(artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wainwright.adapters.aws.artifacts.DELETE_BATCH", 2)
    fill(artifacts)

    artifacts.delete_all("reports/")

    assert there(artifacts, "reports/shop/1/a", "reports/shop/1/b ä", "reports/shop/1/c/d") == [False] * 3
    assert there(artifacts, "reports/shop/12/a", "uploads/shop/1") == [False, True]


def test_never_empties_the_bucket(artifacts: Artifacts) -> None:
    fill(artifacts)

    with pytest.raises(ValueError, match="prefix"):
        artifacts.delete_all("")

    assert there(artifacts, "uploads/shop/1") == [True]


def test_tells_when_not_all_could_be_deleted(
    s3_artifacts: S3Artifacts, aws_clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(s3_artifacts)
    refusal = {"Errors": [{"Key": "reports/shop/1/a", "Code": "InternalError"}]}
    monkeypatch.setattr(aws_clients.s3, "delete_objects", lambda **_: refusal)

    with pytest.raises(Unavailable, match="InternalError"):
        s3_artifacts.delete_all("reports/")
