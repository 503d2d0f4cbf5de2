"""The cart: sums, quantities and persistence."""

from playwright.sync_api import Page, expect


def add_from_catalogue(page: Page, *names: str) -> None:
    """Adds products, each once per mention, and sees the cart's count grow."""
    page.goto("index.html")
    for count, name in enumerate(names, start=1):
        page.get_by_role("button", name=f"Add {name} to cart", exact=True).click()
        expect(page.get_by_role("link", name=f"Cart, {count} item")).to_be_visible()


def expect_totals(page: Page, *, subtotal: str, delivery: str, total: str) -> None:
    rows = page.get_by_role("table", name="Totals").get_by_role("row")
    expect(rows).to_have_text([f"Subtotal{subtotal}", f"Delivery{delivery}", f"Total{total}"])


def test_quantities_and_delivery_make_the_total(page: Page) -> None:
    add_from_catalogue(page, "Enamel mug", "Ridge map", "Enamel mug")
    page.get_by_role("link", name="Cart, 3 items").click()
    expect_totals(page, subtotal="£33.95", delivery="£4.50", total="£38.45")

    page.get_by_role("spinbutton", name="Quantity of Ridge map").fill("4")
    page.keyboard.press("Enter")

    expect(page.get_by_role("row", name="Ridge map")).to_contain_text("£39.80")
    expect_totals(page, subtotal="£63.80", delivery="Free", total="£63.80")


def test_cart_survives_a_reload(page: Page) -> None:
    page.goto("product.html?id=wool-socks")
    page.get_by_role("spinbutton", name="Quantity").fill("3")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("status")).to_contain_text("3 × Wool socks added.")

    page.reload()
    expect(page.get_by_role("link", name="Cart, 3 items")).to_be_visible()
    page.goto("cart.html")

    expect(page.get_by_role("spinbutton", name="Quantity of Wool socks")).to_have_value("3")


def test_removing_the_last_product_empties_the_cart(page: Page) -> None:
    add_from_catalogue(page, "Field notebook", "Brass compass")
    page.goto("cart.html")

    page.get_by_role("button", name="Remove Field notebook").click()
    expect_totals(page, subtotal="£46.00", delivery="£4.50", total="£50.50")
    page.get_by_role("button", name="Remove Brass compass").click()

    expect(page.get_by_text("Your cart is empty.")).to_be_visible()
    expect(page.get_by_role("link", name="Cart, 0 items")).to_be_visible()
