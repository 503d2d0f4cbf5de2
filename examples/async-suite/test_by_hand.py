"""Playwright without a fixture, as a script would use it."""

from playwright.async_api import async_playwright


async def test_the_shop_opens_in_a_browser_started_by_hand(base_url: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch()
        page = await browser.new_page()
        await page.goto(base_url)
        assert "Halfway Hut" in await page.title()
        await browser.close()
