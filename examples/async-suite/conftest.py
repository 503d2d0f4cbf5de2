"""What all tests share: the shop's address, as a folder, and prices read as numbers."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from playwright.async_api import Locator
from price_parser import Price

Amounts = Callable[[Locator], Awaitable[list[Decimal]]]


@pytest.fixture(scope="session")
def base_url(base_url: str | None) -> str:
    """The shop's address with a slash at its end, which ``page.goto("cart.html")`` is resolved against."""
    if not base_url:
        pytest.fail("These tests need the shop's address: pass --base-url http://127.0.0.1:8000", pytrace=False)
    return base_url.rstrip("/") + "/"


@pytest.fixture(scope="session")
def amounts() -> Amounts:
    """Reads the amounts of money in all the texts that a locator finds."""

    async def read(locator: Locator) -> list[Decimal]:
        found = [Price.fromstring(text).amount for text in await locator.all_inner_texts()]
        return [amount for amount in found if amount is not None]

    return read
