"""What all tests share: the shop's address, as a folder."""

import pytest


@pytest.fixture(scope="session")
def base_url(base_url: str | None) -> str:
    """The shop's address with a slash at its end.

    Playwright resolves ``page.goto("cart.html")`` against this address as a browser resolves a link: with the slash,
    ``http://host/shop/`` gives ``http://host/shop/cart.html``; without it the last part would be dropped.
    """
    if not base_url:
        pytest.fail("These tests need the shop's address: pass --base-url http://127.0.0.1:8000", pytrace=False)
    return base_url.rstrip("/") + "/"
