// In a merge of blobs: puts the links to what was kept in the place of the stubs (see stubs.cjs), before the report is built.
"use strict";

const fs = require("node:fs");
const { MARK } = require("./stubs.cjs");

class Links {
  constructor({ links }) {
    this._links = JSON.parse(fs.readFileSync(links, "utf8"));
  }

  printsToStdio() {
    return true; // otherwise the merge prints its progress
  }

  /** Also of a reporter that fails. */
  onError(error) {
    process.stderr.write(`${error.stack ?? error.message ?? error.value}\n`);
  }

  onTestEnd(test, result) {
    result.attachments.forEach((attachment) => this._link(attachment)); // steps refer to the very same objects
  }

  _link(attachment) {
    const body = attachment.body?.toString() ?? "";
    if (!body.startsWith(MARK)) return;
    const href = this._links[body.slice(MARK.length)];
    attachment.path = href;
    attachment.body = href ? undefined : Buffer.from("This could not be stored.");
  }
}

module.exports = Links;
