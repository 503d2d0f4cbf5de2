// Console messages, uncaught errors and failed requests of the running test, bounded in number and length.
//
// Written to a file per attempt as they come, so that they are there whatever becomes of the process; the reporter, which is
// in another process, reads them when the test has ended.
"use strict";

const fs = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const { cutEnd } = require("./settings.cjs");

const MAX_LINES = 1000;
const MAX_LINE = 2000;
const MAX_HOSTS = 10;
const NAVIGATED_AWAY = "net::ERR_ABORTED"; // of requests that a navigation or a closed page cut off; noise in a log

/** The file of one attempt at a test. */
const fileOf = (settings, test) => path.join(settings.logs, "browser", `${test.testId}-${test.retry}.jsonl`);

class BrowserLog {
  constructor(settings) {
    this._settings = settings;
    this._test = createRequire(settings.cli)("@playwright/test").test;
    this._blockedHosts = new Set(settings.blockedHosts);
    this._lines = 0;
    this._file = null;
  }

  /** Listen to a browser context. */
  attach(context) {
    context.on("console", (message) => {
      const { url, lineNumber } = message.location();
      this.add(`console.${message.type()}`, `${message.text()}${url ? ` (${url}:${lineNumber + 1})` : ""}`);
    });
    context.on("weberror", (error) => this.add("page error", String(error.error()?.stack ?? error.error())));
    context.on("requestfailed", (request) => {
      const host = this._blockedHost(request.url());
      const failure = request.failure()?.errorText;
      if (host) this._write({ blocked: host });
      else if (failure !== NAVIGATED_AWAY) this.add("request failed", `${request.method()} ${request.url()} ${failure}`);
    });
  }

  /** Keep one line. */
  add(kind, message) {
    const stamp = new Date().toISOString().slice(11, 23);
    this._write({ line: cutEnd(`${stamp} ${kind}: ${message}`, MAX_LINE) });
  }

  /** {testId, retry}; undefined between tests. */
  _runningTest() {
    try {
      return this._test.info();
    } catch {
      return undefined; // no test runs
    }
  }

  _write(entry) {
    const test = this._runningTest();
    if (!test) return;
    const file = fileOf(this._settings, test);
    if (file !== this._file) {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      this._file = file;
      this._lines = 0;
    }
    this._lines += 1;
    if (this._lines <= MAX_LINES) fs.appendFileSync(file, `${JSON.stringify(entry)}\n`);
    else if (this._lines === MAX_LINES + 1) fs.appendFileSync(file, `${JSON.stringify({ line: "… and more lines" })}\n`);
  }

  _blockedHost(url) {
    if (!this._blockedHosts.size || !URL.canParse(url)) return null;
    const host = new URL(url).hostname;
    const labels = host.split(".");
    return labels.some((_, at) => this._blockedHosts.has(labels.slice(at).join("."))) ? host : null;
  }
}

/** The lines of one attempt, in words, and how many requests were blocked. The file is removed. */
function take(settings, test) {
  const file = fileOf(settings, test);
  if (!fs.existsSync(file)) return { lines: [], blocked: 0 };
  const entries = fs.readFileSync(file, "utf8").trim().split("\n").flatMap(entryOf);
  fs.unlinkSync(file);
  const lines = entries.filter((each) => each.line !== undefined).map((each) => each.line);
  const hosts = new Map();
  for (const { blocked } of entries) if (blocked) hosts.set(blocked, (hosts.get(blocked) ?? 0) + 1);
  const blocked = [...hosts.values()].reduce((sum, each) => sum + each, 0);
  if (blocked) {
    const most = [...hosts].sort((a, b) => b[1] - a[1]).slice(0, MAX_HOSTS).map(([host, count]) => `${host} ${count}`);
    lines.push(`requests to ad and tracker hosts blocked: ${blocked} (${most.join(", ")})`);
  }
  return { lines, blocked };
}

/** One line of the file; none if the process was killed while it wrote it. */
function entryOf(line) {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

module.exports = { BrowserLog, take };
