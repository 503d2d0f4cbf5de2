"""Faults that no customer reports: the catalogue must be free of each, and the faulty page must be caught with it."""

from playwright.sync_api import ConsoleMessage, Page, expect


def broken_links(page: Page) -> dict[str, int]:
    """The addresses of this page's links that do not answer 200, with what they answer."""
    addresses = page.get_by_role("link").evaluate_all("links => links.map(link => link.href.split('#')[0])")
    answers = {address: page.request.get(address).status for address in sorted(set(addresses))}
    assert answers, "a page without links proves nothing"
    return {address: status for address, status in answers.items() if status != 200}


def test_only_the_faulty_page_has_a_broken_link(page: Page, base_url: str) -> None:
    page.goto("index.html")
    expect(page.get_by_role("link", name="Day rucksack")).to_be_visible()
    assert broken_links(page) == {}

    page.goto("faulty.html")
    expect(page.get_by_role("link", name="size guide")).to_be_visible()
    assert broken_links(page) == {f"{base_url}size-guide.html": 404}


def test_only_the_faulty_page_has_a_missing_image(page: Page) -> None:
    failed = "images => images.filter(image => image.naturalWidth === 0).map(image => image.alt)"

    page.goto("index.html")  # goto waits for the load event, so every image has loaded or failed
    images = page.get_by_role("list", name="Products").get_by_role("img")
    expect(images).to_have_count(12)
    assert images.evaluate_all(failed) == []

    with page.expect_response("**/images/tent-at-dusk.svg") as response:
        page.goto("faulty.html")
    assert response.value.status == 404
    assert page.get_by_role("region", name="Pictures").get_by_role("img").evaluate_all(failed) == ["A tent at dusk"]


def test_only_the_faulty_page_writes_an_error_to_the_console(page: Page) -> None:
    errors: list[str] = []

    def keep_script_errors(message: ConsoleMessage) -> None:
        # The browser itself reports the missing image here too; that is another test's business.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            errors.append(message.text)

    page.on("console", keep_script_errors)
    page.on("pageerror", lambda error: errors.append(error.message))

    page.goto("index.html")
    expect(page.get_by_role("status", name="Found")).to_have_text("12 products")
    assert errors == []

    with page.expect_console_message(lambda message: message.text.startswith("Stock check failed")):
        page.goto("faulty.html")
    assert errors == ["Stock check failed: the warehouse did not answer for two-person-tent"]
