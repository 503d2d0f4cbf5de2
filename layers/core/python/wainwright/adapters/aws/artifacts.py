"""Objects in S3."""

import base64
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import BotoCoreError, ClientError

from wainwright.adapters.aws.outages import error_code
from wainwright.domain.errors import TooLarge, Unavailable
from wainwright.ports.artifacts import ArtifactMissing, Presigned

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})

DELETE_BATCH = 1_000
"""Objects that one request may list and delete: S3's own bound."""


@contextmanager
def _outages() -> Iterator[None]:
    """Raise Unavailable for errors of S3, without names of buckets or hosts: it reaches users."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        reason = f"S3 could not be reached: {type(error).__name__}"
        if isinstance(error, ClientError):
            reason = f"S3 answered {error_code(error) or 'with an error'}"
        raise Unavailable(reason, advice="Send the same request again.") from error


class S3Artifacts:
    """:class:`~wainwright.ports.artifacts.Artifacts` in one bucket."""

    def __init__(self, client: "S3Client", bucket: str, *, writer: "S3Client | None" = None) -> None:
        """``writer`` makes the writes, where they are to be tried as often as its own configuration says."""
        self._client = client
        self._bucket = bucket
        self._writer = writer or client

    def put(self, key: str, content: "bytes | BinaryIO", content_type: str) -> None:
        with _outages():
            self._writer.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)

    def put_file(self, key: str, file: Path, content_type: str) -> None:
        with file.open("rb") as content:
            self.put(key, content, content_type)

    def get(self, key: str, *, most: int | None = None) -> tuple[bytes, str]:
        answer = self._open(key)
        with closing(answer["Body"]) as body:
            if most is not None and answer["ContentLength"] > most:
                raise TooLarge(f"{key} has {answer['ContentLength']} bytes, more than {most}")
            return body.read(), answer.get("ContentType", "application/octet-stream")

    def download(self, key: str, target: Path) -> None:
        with closing(self._open(key)["Body"]) as body, target.open("wb") as file:
            for chunk in body.iter_chunks(1_048_576):
                file.write(chunk)

    def _open(self, key: str) -> "GetObjectOutputTypeDef":
        try:
            return self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise ArtifactMissing(key) from error
            raise

    def size_and_age(self, key: str) -> tuple[int, datetime] | None:
        with _outages():
            try:
                answer = self._client.head_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error_code(error) in _MISSING:
                    return None
                raise
            return answer["ContentLength"], answer["LastModified"]

    def delete_all(self, prefix: str) -> None:
        if not prefix:
            raise ValueError("a prefix is needed: without one, this would empty the bucket")
        more = True
        while more:
            answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=prefix, MaxKeys=DELETE_BATCH)
            if keys := [found["Key"] for found in answer.get("Contents", [])]:
                self._delete(keys)
            more = answer["IsTruncated"]

    def _delete(self, keys: Sequence[str]) -> None:
        answer = self._client.delete_objects(
            Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
        if errors := answer.get("Errors"):
            first = errors[0]
            raise Unavailable(
                f"{len(errors)} of {len(keys)} objects could not be deleted: {first.get('Code')} of {first.get('Key')}",
                advice="Send the same request again.",
            )

    def presign_get(self, key: str, *, lasts: timedelta) -> Presigned:
        # What a job's code wrote would run as a page of the bucket's origin, where no sandbox can be asked for.
        params = {"Bucket": self._bucket, "Key": key, "ResponseContentDisposition": "attachment"}
        url = self._client.generate_presigned_url("get_object", Params=params, ExpiresIn=int(lasts.total_seconds()))
        return Presigned(url=url)

    def presign_put(self, key: str, *, sha256: str, size: int, lasts: timedelta) -> Presigned:
        # Size and checksum are signed: S3 takes no other bytes.
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        url = self._client.generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": key, "ContentLength": size, "ChecksumSHA256": checksum},
            ExpiresIn=int(lasts.total_seconds()),
        )
        return Presigned(url=url, headers={"x-amz-checksum-sha256": checksum, "content-length": str(size)})
