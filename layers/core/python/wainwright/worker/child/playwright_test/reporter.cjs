// The reporter beside the suite's own: tells the worker of each test as it happens, and heeds what the worker asks.
//
// From the control pipe come the lines `stop` (run no further test), `expire` (the time is up) and `cancel`: the latter two
// interrupt the running tests, whose evidence is still written, and no further one is run.
"use strict";

const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const browserLog = require("./browser_log.cjs");
const { Names, stepsOf } = require("./describe.cjs");
const errors = require("./errors.cjs");
const { keepFiles, nameOf } = require("./evidence.cjs");
const { GO, STOP } = require("./gate.cjs");
const { cutStart, plain, send } = require("./settings.cjs");
const stubs = require("./stubs.cjs");

const BATCH = 100; // tests reported per line
const MAX_PRINTED = 20000; // characters of each of standard output and error of an attempt; the last ones
const IN_FLIGHT_MS = 100; // for messages by which tests began that nobody has told to wait
const STOPPING_MS = 300; // for the runner to have told its processes that they stop
const CUT_OFF = {
  expire: { kind: "job_timeout", message: "The time of the whole suite ran out while this test ran" },
  cancel: { kind: "canceled", message: "The job was canceled while this test ran" },
};
const BY_ITSELF = { kind: "canceled", message: "The suite was ended while this test ran" }; // maxFailures, globalTimeout
const KILLED = /worker process exited unexpectedly.*signal=(SIG\w+)/;
const LOG = { name: "log", contentType: "text/plain", index: "log" };
const TRACE = { name: "trace", contentType: "application/zip" };
const FOLDER = /^\.playwright-artifacts-(\d+)$/; // of recordings: one for each process, by its number
const HEAP_EXHAUSTED = "JavaScript heap out of memory"; // what V8 prints before it aborts

class Reporter {
  constructor({ settings }) {
    this._settings = settings;
    this._names = new Names(settings.folder);
    this._only = settings.only && new Set(settings.only);
    this._running = new Map();
    this._cutOff = new Map();
    this._left = new Left(settings, (number) => [...this._running.keys()].some((each) => each.workerIndex === number));
    this._heard = "";
    this._numbers = new WeakMap();
    this._attempts = 0;
    this._blocked = 0;
    this._begun = false;
    this._stopping = false;
    this._listen();
  }

  /** Otherwise Playwright Test adds a reporter that prints. */
  printsToStdio() {
    return true;
  }

  onBegin(config, suite) {
    const tests = suite.allTests();
    if (!tests.length) return;
    this._begun = true;
    const cases = tests.map((test) => this._names.describe(test)).filter(({ id }) => this._isAskedFor(id));
    const { blob, deselected } = this._settings;
    this._sendBatches("tests", "tests", cases);
    this._sendBatches("deselected", "ids", deselected);
    // Of a listing: the runner's own ids beside ours.
    if (!blob) this._sendBatches("listed", "tests", tests.map((test) => ({ id: this._names.describe(test).id, testId: test.id })));
    this._send("collected", { total: cases.length, deselected: deselected.length });
  }

  _sendBatches(type, name, items) {
    for (let at = 0; at < items.length; at += BATCH) this._send(type, { [name]: items.slice(at, at + BATCH) });
  }

  /** True if a test was to run; others run only because tests that were depend on them. */
  _isAskedFor(id) {
    return !this._only || this._only.has(id);
  }

  onTestBegin(test, result) {
    const { id } = this._names.describe(test);
    this._running.set(result, id);
    const { retry, workerIndex } = result;
    if (this._isAskedFor(id)) this._send("started", { id, testId: test.id, retry, workerIndex });
  }

  onTestEnd(test, result) {
    this._running.delete(result);
    const cutOff = this._whatCutOff(result);
    const left = ran(test, result) && this._left.hasTrace(test, result);
    if (ran(test, result) || cutOff) this._report(test, result, cutOff, left);
    stubs.replace(result, this._nameOf(result), left ? [LOG, { ...TRACE, index: result.attachments.length }] : [LOG]);
    this._interruptWhenIdle();
  }

  /** Return the reason of a test's end by force. After a stop there was none, but the test had hardly begun. */
  _whatCutOff(result) {
    if (result.status !== "interrupted") return undefined;
    return this._cutOff.get(result) ?? (this._interrupted ? undefined : BY_ITSELF);
  }

  onStepEnd(test, result) {
    stubs.replace(result, this._nameOf(result), []);
  }

  onStdOut(chunk, test) {
    if (!test) process.stdout.write(chunk);
  }

  onStdErr(chunk, test) {
    this._heard += chunk;
    if (this._heard.includes(HEAP_EXHAUSTED)) this._send("heap_exhausted", {});
    this._heard = this._heard.includes(HEAP_EXHAUSTED) ? "" : this._heard.slice(-HEAP_EXHAUSTED.length);
    if (!test) process.stderr.write(chunk);
  }

  onError(error) {
    if (/^(Error: )?No tests found/.test(plain(error.message, 200)) && !error.location) return;
    const { folder } = this._settings;
    const found = this._begun ? errors.describe(error, folder, null) : errors.ofLoading(error, folder);
    this._send(this._begun ? "session_error" : "collection_error", found);
  }

  onEnd(result) {
    if (this._blocked) {
      const message = `blockAds: ${this._blocked} requests to ad and tracker hosts were blocked`;
      this._send("job_log", { level: "INFO", message });
    }
    this._send("finished", { exitStatus: result.status === "passed" ? 0 : 1 });
  }

  _send(type, fields) {
    send(this._settings, type, fields);
  }

  /** A name of its own for each attempt of all runs of the job. */
  _nameOf(result) {
    if (!this._numbers.has(result)) this._numbers.set(result, (this._attempts += 1));
    return `${this._settings.run}-${String(this._numbers.get(result)).padStart(5, "0")}`;
  }

  _report(test, result, cutOff, left) {
    const found = errors.ofAttempt(test, result, this._settings.folder);
    if (cutOff) found.unshift({ ...errors.describe({ message: cutOff.message }, "", test.location), kind: cutOff.kind });
    const printed = { stdout: text(result.stdout), stderr: text(result.stderr) };
    const outcome = cutOff ? "failed" : outcomeOf(test, result);
    const described = this._names.describe(test);
    if (!this._isAskedFor(described.id)) {
      if (outcome !== "failed" || cutOff?.kind === "canceled") return; // it had its outcome before
      this._send("tests", { tests: [described] });
    }
    for (const error of found) error.file = error.file && errors.relative(error.file, this._settings.folder);
    const [, signal] = found.map((error) => KILLED.exec(error.message)).find(Boolean) ?? [];
    if (signal) this._send("worker_killed", { id: described.id, signal });
    const log = this._writeLog(described.id, test, result, outcome, printed, found);
    const { retry, attachments } = result;
    this._send("ended", {
      ...described,
      outcome,
      durationMs: Math.max(0, result.duration),
      startedAt: result.startTime.toISOString(),
      retry,
      again: outcome === "failed" && !cutOff && !this._interrupted && retry < test.retries,
      errors: outcome === "failed" ? found : [],
      ...printed,
      steps: stepsOf(result.steps, this._settings.folder),
      annotations: (result.annotations ?? test.annotations).map(({ type, description }) => ({ type, description })),
      attachments: [
        ...keepFiles(attachments, this._nameOf(result), this._settings),
        { name: "log", contentType: "text/plain; charset=utf-8", path: log },
      ],
      left: left ? nameOf(this._nameOf(result), attachments.length) : null,
    });
  }

  _writeLog(id, test, result, outcome, printed, found) {
    const { lines, blocked } = browserLog.take(this._settings, { testId: test.id, retry: result.retry });
    this._blocked += blocked;
    const content = [`${id}: ${outcome} after ${result.duration} ms`];
    const sections = [["browser", lines], ...Object.entries(printed).map(([name, each]) => [name, each.split("\n")])];
    for (const [name, section] of sections)
      if (section.some(Boolean)) content.push("", `--- ${name} ---`, ...section.map((line) => plain(line, MAX_PRINTED)));
    for (const error of found) content.push("", "--- error ---", error.message);
    const file = path.join(this._settings.logs, nameOf(this._nameOf(result), "log") + ".log");
    fs.mkdirSync(this._settings.logs, { recursive: true });
    fs.writeFileSync(file, `${content.join("\n")}\n`);
    return file;
  }

  _listen() {
    const control = new net.Socket({ fd: this._settings.controlFd, readable: true, writable: false });
    control.unref();
    control.setEncoding("ascii");
    let rest = "";
    control.on("data", (data) => {
      const lines = (rest + data).split("\n");
      rest = lines.pop();
      for (const line of lines) this._heed(line);
    });
    control.on("error", () => {}); // the worker is gone, and takes us with it
  }

  _heed(line) {
    fs.writeFileSync(path.join(this._settings.control, STOP), "");
    if (line in CUT_OFF) {
      for (const result of this._running.keys()) this._cutOff.set(result, this._cutOff.get(result) ?? CUT_OFF[line]);
      this._interrupt();
    } else {
      setTimeout(() => {
        this._stopping = true;
        this._finishing = new Set(this._running.keys());
        this._interruptWhenIdle();
      }, IN_FLIGHT_MS);
    }
  }

  /** Let tests finish that ran when the stop came, and none that began in spite of it. */
  _interruptWhenIdle() {
    if (this._stopping && ![...this._finishing].some((result) => this._running.has(result))) this._interrupt();
  }

  _interrupt() {
    if (this._interrupted) return;
    this._interrupted = true;
    process.kill(process.pid, "SIGINT"); // how Playwright Test is asked to end: hooks, fixtures and servers are torn down
    setTimeout(() => fs.writeFileSync(path.join(this._settings.control, GO), ""), STOPPING_MS);
  }
}

/** True if it came to an outcome: what a stop or a failed `beforeAll` keeps from running is called skipped as well. */
function ran(test, result) {
  return result.status !== "interrupted" && (result.status !== "skipped" || test.expectedStatus === "skipped");
}

/** An expected failure counts as passed, as it does for Playwright Test. */
function outcomeOf(test, result) {
  if (result.status === "skipped") return "skipped";
  return result.status === test.expectedStatus ? "passed" : "failed";
}

function text(chunks) {
  return cutStart(plain(chunks.map((chunk) => chunk.toString()).join(""), Infinity), MAX_PRINTED);
}

/** Evidence of a test whose process dies. Playwright Test removes a process's folder of recordings as soon as that has ended,
 * before it tells anybody: where a test ran in it, the folder is put aside first, for the worker to look into. */
class Left {
  /** `isRunning` says whether a test runs in the process of this number. */
  constructor(settings, isRunning) {
    this._folder = path.join(settings.output, "left");
    const { rm } = fs.promises;
    fs.promises.rm = (folder, ...options) => {
      const found = FOLDER.exec(path.basename(String(folder)));
      if (found && isRunning(Number(found[1]))) this._putAside(String(folder), found[1]);
      return rm.call(fs.promises, folder, ...options);
    };
  }

  _putAside(folder, number) {
    try {
      fs.mkdirSync(this._folder, { recursive: true });
      fs.renameSync(folder, path.join(this._folder, number));
    } catch {
      // There was nothing; the test's end is told all the same.
    }
  }

  /** True if the process of an attempt has left recordings of it. */
  hasTrace(test, result) {
    try {
      const names = fs.readdirSync(path.join(this._folder, String(result.workerIndex), "traces"));
      return names.some((name) => name.startsWith(test.id) && name.endsWith(".trace"));
    } catch {
      return false;
    }
  }
}

module.exports = Reporter;
