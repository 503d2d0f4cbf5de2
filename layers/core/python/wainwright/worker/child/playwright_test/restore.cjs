// Stands beside reporters that read attachments (see stubs.cjs). After the blob reporter it gives each attempt its attachments
// back. Before and after the HTML reporter, which looks at all attempts when everything has run, it puts stubs in their place,
// and nothing in that of what was printed, of which the attempt's log has all.
"use strict";

const stubs = require("./stubs.cjs");

const printed = new WeakMap();

class Restorer {
  constructor({ page } = {}) {
    this._change = { before: hide, after: show }[page];
  }

  printsToStdio() {
    return false;
  }

  onBegin(config, suite) {
    this._suite = suite;
  }

  onStepEnd(test, result) {
    if (!this._change) stubs.restore(result);
  }

  onTestEnd(test, result) {
    if (!this._change) stubs.restore(result);
  }

  onEnd() {
    if (this._change) (this._suite?.allTests() ?? []).flatMap((test) => test.results).forEach(this._change);
  }
}

function hide(result) {
  stubs.replaceByPaths(result);
  printed.set(result, { stdout: result.stdout, stderr: result.stderr });
  Object.assign(result, { stdout: [], stderr: [] });
}

function show(result) {
  stubs.restore(result);
  Object.assign(result, printed.get(result));
}

module.exports = Restorer;
