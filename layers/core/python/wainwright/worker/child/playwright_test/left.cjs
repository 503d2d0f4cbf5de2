// Evidence of a test whose process dies. Playwright Test removes a process's folder of recordings as soon as that has ended,
// before it tells anybody: where a test ran in it, the folder is put aside first, for the worker to look into.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const FOLDER = /^\.playwright-artifacts-(\d+)$/; // one for each process, by its number

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

module.exports = { Left };
