// Failures of tests: the message, the place in the suite, and the kind of failure.
"use strict";

const path = require("node:path");
const { plain } = require("./settings.cjs");

const MAX_MESSAGE = 4000;
const MAX_STACK = 20000;
const MAX_ERRORS = 20;

const ASSERTION =
  /(^|\n)\s*(Error: )?expect(\.\w+)*\(|AssertionError|^(Error: )?A snapshot doesn't exist|^Expected to fail, but passed|^(Error: )?(Screenshot|Snapshot) comparison failed/;
const NAVIGATION = /net::ERR_|NS_ERROR_|Could not connect to/;
const TIMEOUT =
  /(Test|hook|Fixture) .*timeout (of )?\d+ ?ms exceeded|Test timeout of \d+ms|Timeout \d+ms exceeded|timed out after \d+ ?ms|finished within timeout of/;

/** Relative to the bundle where it lies in it, with forward slashes. */
exports.relative = (file, folder) => {
  const inside = path.relative(folder, file);
  return inside.startsWith("..") || path.isAbsolute(inside) ? file : inside.split(path.sep).join("/");
};

/** assertion, test_timeout, navigation or script_error. `failedExpects` are the messages of steps that expected something. */
exports.kindOf = (message, failedExpects) => {
  if (failedExpects.has(message) || ASSERTION.test(message)) return "assertion";
  if (NAVIGATION.test(message)) return "navigation";
  return TIMEOUT.test(message) ? "test_timeout" : "script_error";
};

/** One error in the form in which it is reported. `at` is where it is said to be when it does not say so itself. */
exports.describe = (error, folder, at, failedExpects = new Set()) => {
  const said = error.message ?? error.value ?? "failed without saying why";
  const message = plain(said, MAX_MESSAGE).trim();
  const where = error.location ?? at;
  const details = [error.snippet, error.stack].filter(Boolean).join("\n\n");
  return {
    message,
    stack: plain(details, MAX_STACK),
    file: where ? exports.relative(where.file, folder) : null,
    line: where ? where.line : null,
    kind: exports.kindOf(plain(said, MAX_STACK).trim(), failedExpects),
  };
};

/** The errors of one attempt at a test. */
exports.ofAttempt = (test, result, folder) => {
  const failedExpects = new Set();
  const visit = (steps) => {
    for (const step of steps) {
      if (step.category === "expect" && step.error) failedExpects.add(plain(step.error.message, MAX_STACK).trim());
      visit(step.steps);
    }
  };
  visit(result.steps);
  return result.errors.slice(0, MAX_ERRORS).map((error) => exports.describe(error, folder, test.location, failedExpects));
};

/** The error of a file that could not be loaded, with its place: an error of syntax names it in its message. */
exports.ofLoading = (error, folder, file) => {
  const found = exports.describe(error, folder, null);
  const named = /^\s*(?:\w*Error: )?(\/[^\n:]+?): .*?\((\d+):\d+\)/m.exec(found.message);
  const traced = [...String(error.stack ?? "").matchAll(/\(?(?:file:\/\/)?(\/[^\n()]+?):(\d+):\d+\)?$/gm)].find(
    ([, each]) => each.startsWith(`${folder}${path.sep}`) && !each.includes(`${path.sep}node_modules${path.sep}`),
  );
  const [, at, line] = named ?? traced ?? [null, null, null];
  if (found.file === null && at) return { ...found, file: exports.relative(at, folder), line: Number(line) };
  return found.file === null && file ? { ...found, file: exports.relative(file, folder) } : found;
};
