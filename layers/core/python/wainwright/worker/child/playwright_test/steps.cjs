// The steps of an attempt, in the form in which they are reported.
"use strict";

const { relative } = require("./errors.cjs");
const { plain } = require("./settings.cjs");

const MAX_STEPS = 500;
const MAX_DEPTH = 4; // what is stored of a step; deeper ones are left to the trace
const CALLS = new Set(["pw:api", "expect"]);

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
