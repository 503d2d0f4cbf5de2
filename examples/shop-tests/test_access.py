"""The shop without a mouse, and on a small screen."""

from playwright.sync_api import Page, expect


def test_product_can_be_bought_with_the_keyboard_alone(page: Page) -> None:
    page.goto("product.html?id=enamel-mug")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()

    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # past the header, to the first link of the content
    expect(page.get_by_role("navigation", name="Breadcrumb").get_by_role("link")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("spinbutton", name="Quantity")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Add to cart")).to_be_focused()
    page.keyboard.press("Space")

    expect(page.get_by_role("status")).to_contain_text("2 × Enamel mug added.")


def test_small_screen_folds_the_menu_and_never_scrolls_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("index.html")
    expect(page.get_by_role("list", name="Products").get_by_role("listitem")).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    delivery = page.get_by_role("navigation", name="Main").get_by_role("link", name="Delivery")
    expect(delivery).to_be_hidden()

    page.get_by_role("button", name="Menu").click()
    delivery.click()

    expect(page.get_by_role("heading", name="When will it come?")).to_be_visible()
