// Every browser that the suite launches, however it does, is given our executable and flags, and is listened to.
//
// The patching functions are compiled under a name that Playwright takes for Node's own, so that they do not appear in its
// call stacks: each step keeps its place in the suite's files.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");
const { BrowserLog } = require("./browser_log.cjs");

const PATCHES = path.join(__dirname, "patches.cjs");

/** Patch the launching, context-making and navigating methods of this Playwright, once in each process. */
exports.install = (settings, playwright) => {
  if (playwright.wainwright) return;
  Object.defineProperty(playwright, "wainwright", { value: true });
  const module = { exports: {} };
  const wrapper = vm.compileFunction(fs.readFileSync(PATCHES, "utf8"), ["module", "process"], {
    filename: "node:internal/wainwright",
  });
  wrapper(module, process);
  module.exports.patch(settings, playwright, new BrowserLog(settings, exports.currentTest(settings)));
};

/** A function that gives the running test as {testId, retry}; undefined between tests. */
exports.currentTest = (settings) => {
  const { createRequire } = require("node:module");
  const { test } = createRequire(settings.cli)("@playwright/test");
  return () => {
    try {
      return test.info();
    } catch {
      return undefined; // no test runs
    }
  };
};
