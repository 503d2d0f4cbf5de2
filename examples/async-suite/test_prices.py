"""Prices, read as numbers: with Playwright's async API and a package that only this suite asks for."""

import asyncio
from decimal import Decimal

from conftest import Amounts
from playwright.async_api import Browser, Page, expect


async def test_every_product_has_a_price(page: Page, amounts: Amounts) -> None:
    await page.goto("index.html")
    products = page.get_by_role("list", name="Products").get_by_role("listitem")
    await expect(products).to_have_count(12)

    prices = await amounts(products.filter(has_text="£"))

    assert len(prices) == 12
    assert all(price > 0 for price in prices)


async def test_the_total_is_the_sum_of_its_parts(page: Page, amounts: Amounts) -> None:
    await page.goto("index.html")
    await page.get_by_role("button", name="Add Enamel mug to cart", exact=True).click()
    await page.get_by_role("link", name="Cart, 1 item").click()

    rows = page.get_by_role("table", name="Totals").get_by_role("row")
    await expect(rows).to_have_count(3)
    subtotal, delivery, total = await amounts(rows)

    assert subtotal + delivery == total
    assert delivery == Decimal("4.50")


async def test_two_visitors_at_once_have_carts_of_their_own(browser: Browser, base_url: str) -> None:
    async def buy(product: str) -> str:
        context = await browser.new_context(base_url=base_url)
        page = await context.new_page()
        await page.goto("index.html")
        await page.get_by_role("button", name=f"Add {product} to cart", exact=True).click()
        await page.goto("cart.html")
        name = await page.get_by_role("table").first.inner_text()
        await context.close()
        return name

    first, second = await asyncio.gather(buy("Enamel mug"), buy("Ridge map"))

    assert "Enamel mug" in first
    assert "Ridge map" not in first
    assert "Ridge map" in second
