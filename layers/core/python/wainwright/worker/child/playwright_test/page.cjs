// Stand before and after the HTML reporter, which looks at all attempts when everything has run: it is shown stubs in the place
// of attachments, and nothing that was printed, of which the attempt's log has all.
"use strict";

const stubs = require("./stubs.cjs");

const printed = new WeakMap();

class Page {
  constructor({ before }) {
    this._change = before ? hide : show;
  }

  printsToStdio() {
    return false;
  }

  onBegin(config, suite) {
    this._suite = suite;
  }

  onEnd() {
    const results = (this._suite?.allTests() ?? []).flatMap((test) => test.results);
    results.forEach(this._change);
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

module.exports = Page;
