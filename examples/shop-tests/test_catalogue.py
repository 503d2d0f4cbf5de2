"""The catalogue: what it lists, and how it is narrowed."""

from playwright.sync_api import Locator, Page, expect


def product_names(page: Page) -> Locator:
    return page.get_by_role("list", name="Products").get_by_role("heading")


def test_lists_every_product_with_its_price(page: Page) -> None:
    page.goto("index.html")

    products = page.get_by_role("list", name="Products").get_by_role("listitem")
    expect(products).to_have_count(12)
    expect(page.get_by_role("status", name="Found")).to_have_text("12 products")
    expect(products.filter(has_text="Steel flask")).to_contain_text("£24.50")
    expect(products.get_by_text("£")).to_have_count(12)


def test_search_finds_products_by_words_of_name_and_summary(page: Page) -> None:
    page.goto("index.html")

    page.get_by_role("searchbox", name="Search the catalogue").fill("HAT wind")

    expect(product_names(page)).to_have_text(["Storm lantern"])
    expect(page.get_by_role("status", name="Found")).to_have_text("1 product")


def test_search_without_a_match_offers_the_way_back(page: Page) -> None:
    page.goto("index.html")
    page.get_by_role("searchbox", name="Search the catalogue").fill("helicopter")
    expect(product_names(page)).to_have_count(0)
    expect(page.get_by_text("Nothing here matches that.")).to_be_visible()

    page.get_by_role("button", name="Show all products").click()

    expect(product_names(page)).to_have_count(12)


def test_category_filter_keeps_its_choice_across_a_reload(page: Page) -> None:
    page.goto("index.html")
    page.get_by_role("group", name="Category").get_by_text("Clothing").click()
    expect(product_names(page)).to_have_text(["Wool socks", "Rain jacket", "Bobble hat"])

    page.reload()

    expect(page.get_by_role("radio", name="Clothing")).to_be_checked()
    expect(product_names(page)).to_have_text(["Wool socks", "Rain jacket", "Bobble hat"])


def test_sold_out_product_cannot_be_bought(page: Page) -> None:
    page.goto("index.html")
    expect(page.get_by_role("button", name="Two-person tent is sold out")).to_be_disabled()

    page.get_by_role("link", name="Two-person tent").click()

    expect(page.get_by_role("heading", name="Two-person tent", level=1)).to_be_visible()
    expect(page.get_by_role("main").get_by_text("Sold out")).to_be_visible()
    expect(page.get_by_role("button", name="Add to cart")).to_have_count(0)
