"""The checkout: what it refuses, and a purchase from the first click to the order number."""

import re

import pytest
from playwright.sync_api import Page, expect

VALID = {
    "Full name": "Ada Fell",
    "E-mail address": "ada@example.com",
    "Street and number": "1 Tarn Lane",
    "Town or city": "Keswick",
    "Postcode": "CA12 5AB",
    "Card number": "4242 4242 4242 4242",
}


def open_checkout(page: Page) -> None:
    """The checkout with one mug in the cart."""
    page.goto("product.html?id=enamel-mug")
    page.get_by_role("button", name="Add to cart").click()
    expect(page.get_by_role("link", name="Cart, 1 item")).to_be_visible()
    page.goto("checkout.html")


def fill_in(page: Page, details: dict[str, str]) -> None:
    for label, value in details.items():
        page.get_by_role("textbox", name=label).fill(value)


def test_empty_form_names_every_missing_field(page: Page) -> None:
    open_checkout(page)

    page.get_by_role("button", name="Pay £16.50").click()

    expect(page.get_by_role("alert")).to_have_text("6 fields need your attention.")
    for label in VALID:
        expect(page.get_by_role("textbox", name=label)).to_have_accessible_description(re.compile("Enter your "))
    expect(page.get_by_role("textbox", name="Full name")).to_be_focused()


@pytest.mark.parametrize(
    ("label", "value", "message"),
    [
        pytest.param("E-mail address", "ada@example", "Enter an e-mail address like name@example.com.", id="email"),
        pytest.param("Postcode", "12345", "Enter a full UK postcode, like CA12 5AB.", id="postcode"),
        pytest.param("Card number", "4242 4242 4242 4241", "This card number has a mistake in it.", id="card-checksum"),
    ],
)
def test_refuses_a_wrong_value_and_accepts_its_correction(page: Page, label: str, value: str, message: str) -> None:
    open_checkout(page)
    fill_in(page, VALID | {label: value})

    page.get_by_role("button", name="Pay").click()
    field = page.get_by_role("textbox", name=label)
    expect(page.get_by_role("alert")).to_have_text("1 field needs your attention.")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(re.escape(message)))

    field.fill(VALID[label])
    page.get_by_role("button", name="Pay").click()

    expect(page.get_by_role("heading", name="Thank you, Ada Fell")).to_be_visible()


def test_purchase_ends_with_an_order_number(page: Page) -> None:
    page.goto("index.html")
    page.get_by_role("link", name="Storm lantern").click()
    page.get_by_role("button", name="Add to cart").click()
    page.get_by_role("link", name="View the cart").click()
    page.get_by_role("link", name="Go to checkout").click()
    fill_in(page, VALID)
    page.get_by_role("button", name="Pay £58.50").click()

    expect(page).to_have_url(re.compile(r"/confirmation\.html\?order=HH-[2-9A-Z]{6}$"))
    expect(page.get_by_role("main")).to_contain_text(f"Your order number is {page.url.partition('order=')[2]}.")
    expect(page.get_by_role("list", name="Ordered").get_by_role("listitem")).to_have_text(["1 × Storm lantern"])
    expect(page.get_by_text("Paid £58.50")).to_be_visible()
    expect(page.get_by_role("link", name="Cart, 0 items")).to_be_visible()
