"""A suite that says all of its secrets, in every way in which a suite can say anything."""

SUITE = '''
import base64, html, json, logging, os, re, sys, threading, urllib.parse, warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
import pytest
from wainwright import current_job

NAMES = ["WEIRD_PASSWORD", "HOOK_URL", "API_TOKEN", "ACCOUNT_PIN", "PASSPHRASE"]
SECRETS = {name: os.environ[name] for name in NAMES}
ALL = " | ".join(SECRETS.values())


class Echo(BaseHTTPRequestHandler):
    """A page that shows whatever it is sent."""

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        page = "<!doctype html><meta charset=utf-8><title>" + html.escape(ALL) + "</title><h1>Shop</h1>"
        page += "<form method=post><input name=user><textarea name=text></textarea><button>Send</button></form>"
        page += f"<pre id=all data-all='{html.escape(ALL)}'>{html.escape(ALL)}</pre><pre>{html.escape(json.dumps(query))}</pre>"
        page += f"<!-- {ALL} --><script>window.secrets = {json.dumps(SECRETS)}</script>"
        as_json = self.path.startswith("/json")
        content = (json.dumps({**SECRETS, "pin": int(SECRETS["ACCOUNT_PIN"])}) if as_json else page).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json" if as_json else "text/html")
        self.send_header("x-echo", urllib.parse.quote(ALL))
        self.send_header("set-cookie", "session=" + urllib.parse.quote(SECRETS["PASSPHRASE"]))
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET

    def log_message(self, *args):
        sys.stderr.write(f"served {self.path}\\n")


@pytest.fixture(scope="module")
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_variables_are_there_and_the_workers_environment_has_none():
    parent = os.getppid()
    while not Path(f"/proc/{parent}/cmdline").read_bytes().endswith(b"\\0-m\\0wainwright.worker\\0"):
        parent = int(re.search(r"PPid:\\t(\\d+)", Path(f"/proc/{parent}/status").read_text())[1])
        assert parent > 1
    environment = Path(f"/proc/{parent}/environ").read_bytes()
    assert b"WAINWRIGHT_TABLE" in environment
    assert not [name for name, value in SECRETS.items() if value.encode() in environment or name.encode() in environment]


@pytest.mark.parametrize("name", NAMES)
def test_says_it_in_every_way(name, page, site):
    value = SECRETS[name]
    print("printed:", value, repr(value), json.dumps(value), json.dumps(json.dumps(value)))
    print("encoded:", urllib.parse.quote(value), urllib.parse.quote_plus(value), html.escape(value))
    for before in ("", "u", "us"):
        print(base64.b64encode((before + value + "tail").encode()).decode())
    sys.stderr.write(f"error: {value}\\n")
    logging.getLogger("shop").warning("logged %s", value)
    job = current_job()
    job.log_info(f"told {value}", value=value, more=[value, {"deep": value, value: value}])
    job.log_error(f"told {value}")
    job.progress(50, f"doing {value}")
    job.result(f"of-{name}", {"value": value, "nested": [value], value: 1, "pin": int(SECRETS["ACCOUNT_PIN"])})
    job.item(f"{name} {value}", False, {"value": value}, value)


def test_says_it_in_a_browser(page, site, context):
    page.on("console", lambda message: print("console", message.text))
    basic = base64.b64encode(("user:" + SECRETS["PASSPHRASE"]).encode()).decode()
    page.set_extra_http_headers({"x-token": SECRETS["API_TOKEN"], "authorization": f"Basic {basic}"})
    page.goto(site + "/?" + urllib.parse.urlencode(SECRETS))
    page.get_by_role("textbox").nth(0).fill(SECRETS["PASSPHRASE"])
    page.get_by_role("textbox").nth(1).fill(SECRETS["WEIRD_PASSWORD"])
    page.evaluate("""secrets => {
        for (const [name, value] of Object.entries(secrets)) {
            localStorage.setItem(name, value);
            sessionStorage.setItem(value, name);
            console.log(name, value);
            console.error(JSON.stringify({value}));
            document.body.append(value);
            document.body.setAttribute('data-' + name.toLowerCase(), value);
        }
    }""", SECRETS)
    page.evaluate("pin => pin + 1", int(SECRETS["ACCOUNT_PIN"]))
    page.evaluate("""async secrets => {
        await fetch('/json', {method: 'POST', body: JSON.stringify(secrets)});
        await fetch('/json?' + new URLSearchParams(secrets));
    }""", SECRETS)
    page.evaluate("url => fetch(url).catch(error => console.error(url, error))", SECRETS["HOOK_URL"])
    context.add_cookies([{"name": "pin", "value": SECRETS["ACCOUNT_PIN"], "url": site}])
    with page.expect_navigation():
        page.get_by_role("button").click()
    page.get_by_role("heading", name="Shop").wait_for()


@pytest.mark.parametrize("value", list(SECRETS.values()))
def test_is_named_by_it(value):
    pass


@pytest.mark.parametrize("name", NAMES)
def test_fails_with_it(name, page, site):
    value = SECRETS[name]
    page.goto(site)
    assert page.title() == value, f"wanted {value}"


def test_fails_in_a_locator(page, site):
    page.goto(site)
    page.get_by_text(SECRETS["PASSPHRASE"] + " not there").click(timeout=500)


def test_raises_it():
    warnings.warn(SECRETS["WEIRD_PASSWORD"])
    raise KeyError(SECRETS["WEIRD_PASSWORD"])


@pytest.mark.skip(reason=f"because of {SECRETS['HOOK_URL']}")
def test_is_skipped_for_it():
    pass


@pytest.mark.xfail(reason=SECRETS["API_TOKEN"])
def test_is_expected_to_fail_for_it():
    raise ValueError(SECRETS["API_TOKEN"])
'''
