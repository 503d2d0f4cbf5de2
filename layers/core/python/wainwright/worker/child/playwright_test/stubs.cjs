// Attachments are uploaded once, as each test ends. What Playwright Test's own report is made from holds in their place stubs
// that say under which name they were kept: they take their places before the blob reporter looks, and again before the report
// is written, and the attachments theirs after each.
"use strict";

const { nameOf } = require("./evidence.cjs");

const MARK = "wainwright-evidence:";

const originals = new WeakMap();
const named = new WeakMap();

exports.MARK = MARK;

/** Make stubs of an attempt's attachments, which steps refer to as well; in the end also of `more` that the worker keeps. */
exports.replace = (result, attempt, more) => {
  named.set(result, { attempt, more });
  if (originals.has(result)) return;
  originals.set(result, result.attachments.map((attachment) => [attachment, attachment.path, attachment.body]));
  result.attachments.forEach((attachment, index) => {
    if (!attachment.path && !attachment.body) return;
    attachment.path = undefined;
    attachment.body = Buffer.from(MARK + nameOf(attempt, index));
  });
  for (const { index, ...fields } of more)
    result.attachments.push({ ...fields, body: Buffer.from(MARK + nameOf(attempt, index)) });
};

/** The same once more, for the HTML report: as paths, which it takes over as they are where there is no such file. */
exports.replaceByPaths = (result) => {
  if (!named.has(result)) return;
  const { attempt, more } = named.get(result);
  exports.replace(result, attempt, more);
  for (const attachment of result.attachments) {
    if (!attachment.body) continue;
    attachment.path = attachment.body.toString();
    attachment.body = undefined;
  }
};

/** Make attachments of the stubs again. */
exports.restore = (result) => {
  const attachments = originals.get(result);
  if (!attachments) return;
  originals.delete(result);
  for (const [attachment, path, body] of attachments) Object.assign(attachment, { path, body });
  result.attachments.length = attachments.length;
};
