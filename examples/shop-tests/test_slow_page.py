"""The delivery page takes seconds to answer: tests wait for what it says, never for a time."""

from playwright.sync_api import Page, expect


def test_delivery_estimate_appears_when_the_courier_has_answered(page: Page) -> None:
    page.goto("delivery.html")
    expect(page.get_by_role("status")).to_have_text("Asking the courier…")

    expect(page.get_by_role("status")).to_have_text("Packhorse Post brings your parcel in 2 to 3 working days.")
    zones = page.get_by_role("table", name="Delivery times").get_by_role("row")
    expect(zones.filter(has_text="Islands")).to_contain_text("4 to 7 working days")


def test_silent_courier_is_reported_and_can_be_asked_again(page: Page) -> None:
    page.clock.install()
    page.route("**/data/delivery.json", lambda route: route.abort())
    page.goto("delivery.html")
    expect(page.get_by_role("alert")).to_contain_text("The courier does not answer.")

    page.unroute("**/data/delivery.json")
    page.get_by_role("button", name="Ask again").click()
    page.clock.fast_forward("00:05")  # the courier's time to think, without waiting for it

    expect(page.get_by_role("table", name="Delivery times")).to_be_visible()
