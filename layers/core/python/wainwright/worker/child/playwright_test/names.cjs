// What a test is called, the same in every run of the same suite.
"use strict";

const { relative } = require("./errors.cjs");

const BETWEEN = " › ";

class Names {
  constructor(folder) {
    this._folder = folder;
    this._described = new Map();
    this._taken = new Set();
  }

  /** Identity, place and title of a test: `file › [project] › describe › title`, the project only where there is one. */
  describe(test) {
    if (!this._described.has(test.id)) this._described.set(test.id, this._describe(test));
    return this._described.get(test.id);
  }

  _describe(test) {
    const [, project, , ...titles] = test.titlePath();
    const file = relative(fileOf(test), this._folder);
    const title = titles.pop() ?? "";
    const repeated = test.repeatEachIndex ? ` (repeat ${test.repeatEachIndex})` : "";
    const base = [file, ...(project ? [`[${project}]`] : []), ...titles, title].join(BETWEEN) + repeated;
    return {
      id: this._unique(base),
      file: relative(test.location.file, this._folder),
      line: test.location.line,
      title: `${title}${repeated}${project ? ` [${project}]` : ""}`,
      path: titles,
    };
  }

  /** Two projects may have one name. The order of tests is that of the suite, so the numbers are the same in every run. */
  _unique(base) {
    let id = base;
    for (let number = 2; this._taken.has(id); number += 1) id = `${base} (${number})`;
    this._taken.add(id);
    return id;
  }
}

/** The file that Playwright Test loaded, which is not where the test is declared if a helper declares it. */
function fileOf(test) {
  for (let suite = test.parent; suite; suite = suite.parent)
    if (suite.type === "file" && suite.location) return suite.location.file;
  return test.location.file;
}

module.exports = { Names };
