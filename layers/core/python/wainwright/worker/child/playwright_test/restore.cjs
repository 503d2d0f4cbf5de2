// Comes after the blob reporter, and gives each attempt its attachments back (see stubs.cjs).
"use strict";

const stubs = require("./stubs.cjs");

class Restorer {
  printsToStdio() {
    return false;
  }

  onStepEnd(test, result) {
    stubs.restore(result);
  }

  onTestEnd(test, result) {
    stubs.restore(result);
  }
}

module.exports = Restorer;
