"""Types of fields that several bodies share."""

from typing import Annotated

from pydantic import AfterValidator, AnyHttpUrl, Field

from wainwright.contracts.names import is_digest


def _http_url(text: str) -> str:
    AnyHttpUrl(text)
    return text


def _digest(text: str) -> str:
    if not is_digest(text):
        raise ValueError("should be the archive's SHA-256 in lower-case hexadecimal, 64 characters")
    return text


HttpUrl = Annotated[str, Field(max_length=2_048), AfterValidator(_http_url)]
Digest = Annotated[str, AfterValidator(_digest)]
