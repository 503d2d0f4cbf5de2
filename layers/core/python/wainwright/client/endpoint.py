"""The address of an API, checked before a key is sent there."""

import ipaddress

import httpx

from wainwright.client.errors import InvalidEndpoint

API_VERSION = "v1"


def endpoint_of(text: str) -> str:
    """Return the address that a text names, without version and final slash.

    Raises:
        InvalidEndpoint: it is no HTTP address, or one that would carry the key over the network unencrypted.
    """
    try:
        url = httpx.URL(text.strip())
    except httpx.InvalidURL as error:
        raise InvalidEndpoint(f"{text!r} is not an address: {error}") from error
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment or url.userinfo:
        raise InvalidEndpoint(
            f"{text!r} is not the address of an API",
            advice="It should look like https://abc123.execute-api.eu-central-1.amazonaws.com or http://127.0.0.1:8787.",
        )
    if url.scheme == "http" and not is_loopback(url.host):
        raise InvalidEndpoint(f"{text!r} would send the key in clear text", advice="Use an https:// address.")
    return str(url).rstrip("/").removesuffix(f"/{API_VERSION}").rstrip("/")


def is_loopback(host: str) -> bool:
    """Return True if a host is this machine, by its name or address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
