// Tests and their steps, in the form in which they are reported.
"use strict";

const { relative } = require("./errors.cjs");
const { plain } = require("./settings.cjs");

const MAX_STEPS = 500;
const MAX_DEPTH = 4; // what is stored of a step; deeper ones are left to the trace
const CALLS = new Set(["pw:api", "expect"]);
const BETWEEN = " › ";

/** Names of tests, the same in every run of the same suite. */
exports.Names = class {
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
};

/** Hooks, fixtures and `test.step` are phases; Playwright's calls and expectations are calls. */
exports.stepsOf = (steps, folder) => {
  let left = MAX_STEPS;
  const convert = (each, depth) =>
    each.flatMap((step) => {
      if (left <= 0) return [];
      left -= 1;
      return {
        title: plain([step.title, step.subtitle].filter(Boolean).join(" "), 2000),
        startedAt: step.startTime.toISOString(),
        durationMs: Math.max(0, step.duration),
        category: CALLS.has(step.category) ? "api" : "phase",
        file: step.location ? relative(step.location.file, folder) : null,
        line: step.location ? step.location.line : null,
        error: step.error ? plain(step.error.message ?? "", 500) : null,
        steps: depth < MAX_DEPTH ? convert(step.steps, depth + 1) : [],
      };
    });
  return convert(steps, 1);
};

/** The file that Playwright Test loaded, which is not where the test is declared if a helper declares it. */
function fileOf(test) {
  for (let suite = test.parent; suite; suite = suite.parent)
    if (suite.type === "file" && suite.location) return suite.location.file;
  return test.location.file;
}
