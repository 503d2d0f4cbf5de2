"""Signature Version 4, checked as AWS checks it: recomputed from the request with this run's secret."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request,\s*"
    r"SignedHeaders=([a-z0-9;_.-]+),\s*Signature=([0-9a-f]{64})"
)
_CREDENTIAL = re.compile(r"([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")
_CLOCK_SKEW = timedelta(minutes=15)
_LONGEST_EXPIRY_SECONDS = 7 * 24 * 3600
_UNSIGNED = "UNSIGNED-PAYLOAD"


class SignatureRefused(Exception):
    """The request does not carry a valid signature of this run."""


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """The parts of a request that a signature covers. Header names are in lower case; `target` is path and query as sent."""

    method: str
    origin: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Claim:
    """A request's statement about its own signature."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    payload_hash: str


def verify(request: SignedRequest, credentials: Credentials, now: datetime) -> str:
    """The name of the service that a properly signed request is for.

    Raises:
        SignatureRefused: it is not signed, by another key, too old, or changed since.
    """
    query = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
    if "authorization" in request.headers:
        claim, target = _header_claim(request, now), request.target
    elif "X-Amz-Signature" in query:
        claim, target = _query_claim(request, query, now), _without_signature(request.target)
    else:
        raise SignatureRefused("the request is not signed with this run's key")
    if not hmac.compare_digest(claim.access_key.encode(), credentials.access_key.encode()):
        raise SignatureRefused("the request is signed with another key")
    if "host" not in claim.signed_headers:
        raise SignatureRefused("the signature does not cover the host")
    if unsigned := [n for n in request.headers if n.startswith("x-amz-") and n not in claim.signed_headers]:
        raise SignatureRefused(f"the signature does not cover {unsigned[0]}")
    if not hmac.compare_digest(_signature(request, claim, target, credentials), claim.signature):
        raise SignatureRefused("the signature does not match the request")
    return claim.service


def _header_claim(request: SignedRequest, now: datetime) -> _Claim:
    match = _AUTHORIZATION.fullmatch(request.headers["authorization"].strip())
    if match is None:
        raise SignatureRefused("the Authorization header is not a version 4 signature")
    access_key, date, region, service, signed, signature = match.groups()
    timestamp = request.headers.get("x-amz-date", "")
    if abs(_moment(timestamp) - now) > _CLOCK_SKEW or not timestamp.startswith(date):
        raise SignatureRefused("the signature is too old")
    digest = hashlib.sha256(request.body).hexdigest()
    stated = request.headers.get("x-amz-content-sha256", digest)
    if stated != digest and not (stated == _UNSIGNED and service == "s3"):
        raise SignatureRefused("the body is not the one that was signed")
    return _Claim(access_key, date, region, service, tuple(signed.split(";")), signature, timestamp, stated)


def _query_claim(request: SignedRequest, query: Mapping[str, list[str]], now: datetime) -> _Claim:
    if repeated := [name for name, values in query.items() if name.startswith("X-Amz-") and len(values) > 1]:
        raise SignatureRefused(f"{repeated[0]} is given more than once")
    given = {name: values[0] for name, values in query.items()}
    match = _CREDENTIAL.fullmatch(given.get("X-Amz-Credential", ""))
    expires = given.get("X-Amz-Expires", "")
    if match is None or not expires.isdecimal() or given.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256":
        raise SignatureRefused("the presigned URL is incomplete")
    access_key, date, region, service = match.groups()
    if service != "s3":
        raise SignatureRefused("only objects have presigned URLs")
    timestamp = given.get("X-Amz-Date", "")
    begun = _moment(timestamp)
    lifetime = timedelta(seconds=min(int(expires), _LONGEST_EXPIRY_SECONDS))
    if not timestamp.startswith(date) or begun - _CLOCK_SKEW > now or now > begun + lifetime:
        raise SignatureRefused("the presigned URL has expired")
    signed = tuple(given.get("X-Amz-SignedHeaders", "").split(";"))
    return _Claim(access_key, date, region, service, signed, given["X-Amz-Signature"], timestamp, _UNSIGNED)


def _moment(timestamp: str) -> datetime:
    try:
        return datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise SignatureRefused("the time of the signature is missing or malformed") from None


def _without_signature(target: str) -> str:
    parts = urlsplit(target)
    kept = [pair for pair in parts.query.split("&") if not pair.startswith("X-Amz-Signature=")]
    return f"{parts.path}?{'&'.join(kept)}"


def _signature(request: SignedRequest, claim: _Claim, target: str, credentials: Credentials) -> str:
    signed = AWSRequest(method=request.method, url=f"{request.origin}{target}")
    for name in claim.signed_headers:
        if name not in request.headers:
            raise SignatureRefused(f"the signed header {name} is missing")
        signed.headers[name] = request.headers[name]
    signed.context["timestamp"] = claim.timestamp
    kind = _S3Recomputation if claim.service == "s3" else _Recomputation
    recomputation = kind(credentials, claim.service, claim.region)
    recomputation.claimed_payload_hash = claim.payload_hash
    canonical = recomputation.canonical_request(signed)
    return str(recomputation.signature(recomputation.string_to_sign(signed, canonical), signed))


class _Recomputation(SigV4Auth):
    """Signs exactly the headers that the other side has signed."""

    claimed_payload_hash = ""

    def headers_to_sign(self, request: Any) -> HTTPHeaders:
        headers = HTTPHeaders()
        for name, value in request.headers.items():
            headers[name.lower()] = value
        return headers

    def payload(self, request: Any) -> str:
        return self.claimed_payload_hash


class _S3Recomputation(_Recomputation, S3SigV4Auth):
    """S3 signs the path as it is."""
