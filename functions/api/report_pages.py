"""Pages of reports in a browser: what they may do, and what they need there.

A suite of Playwright Test brings its own Playwright, which writes the report's page. So the page is somebody else's program on
an origin that all reports share.
"""

import re
from dataclasses import replace

from wainwright.usecases.open_reports import ReportFile

SANDBOX = "sandbox"
"""Content-Security-Policy of an attachment: an origin that nothing else has, and no script."""

SANDBOXED_PAGE = "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox allow-downloads"
"""Content-Security-Policy of a report's page: it runs scripts, and opens and downloads what it links to. Each page that it
opens has a policy of its own; the trace viewer needs the origin, for its service worker.
"""

_STORAGE = """<script>
for (const name of ["localStorage", "sessionStorage"]) {
  try {
    window[name];
  } catch {
    const storage = Object.create({
      getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; },
      setItem(key, value) { this[key] = String(value); },
      removeItem(key) { delete this[key]; },
      clear() { for (const key of Object.keys(this)) delete this[key]; },
      key(index) { return Object.keys(this)[index] ?? null; },
      get length() { return Object.keys(this).length; },
    });
    Object.defineProperty(window, name, { value: storage });
  }
}
</script>"""
"""Storage in memory where a sandboxed page has none: Playwright's page keeps settings there, and fails without."""

_HEAD = re.compile(rb"<head\b[^>]*>", re.IGNORECASE)


def with_storage(page: ReportFile) -> ReportFile:
    """Return a report's page as it runs in a sandbox; the stored one stays as it was written."""
    content = _HEAD.sub(lambda head: head[0] + _STORAGE.encode(), page.content, count=1)
    return replace(page, content=content)
