"""From a job's config to the settings of the test process."""

from __future__ import annotations

from typing import Any

import pytest

from wainwright.worker.child.wainwright_child.browsers import complete_context_options, join_arguments
from wainwright.worker.child.wainwright_child.headers import HeadersOfOwnOrigin
from wainwright.worker.runners.blocked_ad_hosts import AD_HOSTS, is_at_or_below
from wainwright.worker.runners.browser_settings import build_settings, origin_of


def test_nothing_given_is_the_default_viewport_and_nothing_else() -> None:
    assert build_settings({}, "https://shop.example") == {
        "contextOptions": {"viewport": {"width": 1280, "height": 720}},
        "waitForMs": 0,
        "headers": {},
        "headersOrigin": None,
        "blockedHosts": [],
        "launchArgs": [],
    }


def test_what_is_switched_off_is_off() -> None:
    off = {"blockAds": False, "disableImages": False, "reducedMotion": False, "waitFor": 0, "extraHeaders": {}}
    assert build_settings(off, None) == build_settings({}, None)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://shop.example/a/b?c", "https://shop.example"),
        ("https://user:secret@Shop.Example:443/", "https://shop.example"),
        ("http://shop.example:8080", "http://shop.example:8080"),
        ("http://[::1]:80/x", "http://[::1]"),
        ("http://bücher.example/", "http://xn--bcher-kva.example"),
    ],
)
def test_an_origin_is_written_as_in_the_url_of_a_request(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_a_site_on_a_listed_domain_is_not_cut_off_from_itself() -> None:
    blocked = build_settings({"blockAds": True}, "https://app.segment.com/")["blockedHosts"]
    assert set(AD_HOSTS) - set(blocked) == {"segment.com"}


def test_no_listed_host_is_listed_twice_or_below_another() -> None:
    assert len(set(AD_HOSTS)) == len(AD_HOSTS)
    below = [
        (host, domain) for host in AD_HOSTS for domain in AD_HOSTS if host != domain and is_at_or_below(host, domain)
    ]
    assert below == []


def test_a_switch_that_the_test_gives_too_is_made_one_with_ours() -> None:
    ours = ["--disable-quic", "--host-resolver-rules=MAP a ~NOTFOUND"]
    theirs = ["--lang=de", "--host-resolver-rules=MAP * 127.0.0.1"]
    assert sorted(join_arguments(ours, theirs)) == [
        "--disable-quic",
        "--host-resolver-rules=MAP a ~NOTFOUND,MAP * 127.0.0.1",
        "--lang=de",
    ]


@pytest.mark.parametrize(
    ("given", "options"),
    [
        ({}, {"viewport": {"width": 1, "height": 2}, "locale": "fr"}),
        ({"locale": "de"}, {"viewport": {"width": 1, "height": 2}, "locale": "de"}),
        ({"no_viewport": True}, {"no_viewport": True, "locale": "fr"}),
        ({"viewport": None}, {"viewport": None, "locale": "fr"}),
    ],
)
def test_what_the_test_gives_goes_before_the_config(given: dict[str, Any], options: dict[str, Any]) -> None:
    settings = {"contextOptions": {"viewport": {"width": 1, "height": 2}, "locale": "fr"}}
    assert complete_context_options(settings, None, given) == options


def test_headers_are_added_and_those_of_the_browser_replaced() -> None:
    headers = HeadersOfOwnOrigin(
        {"headers": {"x-key": "k", "accept-language": "rm", "X-Suite": "job"}, "headersOrigin": ""}
    )
    request = {"headers": {"Accept-Language": "en-US", "x-suite": "suite", "Accept": "*/*"}}
    answer = headers.continuation({"requestId": "7", "request": request})
    assert answer["requestId"] == "7"
    assert {header["name"]: header["value"] for header in answer["headers"]} == {
        "Accept-Language": "rm",
        "x-suite": "suite",
        "Accept": "*/*",
        "x-key": "k",
    }
