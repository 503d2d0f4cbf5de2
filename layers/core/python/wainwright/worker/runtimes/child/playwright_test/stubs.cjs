// Attachments are uploaded once, as each test ends. The blob, from which Playwright Test's own report is made, holds in their
// place stubs that say under which name they were kept: they take their places before the blob reporter looks, and the
// attachments theirs again after it has looked.
"use strict";

const { nameOf } = require("./evidence.cjs");

const MARK = "wainwright-evidence:";

const originals = new WeakMap();

exports.MARK = MARK;

/** Make stubs of an attempt's attachments, which steps refer to as well; in the end also of `more` that the worker keeps. */
exports.replace = (result, attempt, more) => {
  if (originals.has(result)) return;
  originals.set(result, result.attachments.map((attachment) => [attachment, attachment.path, attachment.body]));
  result.attachments.forEach((attachment, index) => {
    if (!attachment.path && !attachment.body) return;
    attachment.path = undefined;
    attachment.body = Buffer.from(MARK + nameOf(attempt, index));
  });
  for (const { index, ...named } of more)
    result.attachments.push({ ...named, body: Buffer.from(MARK + nameOf(attempt, index)) });
};

/** Make attachments of the stubs again. */
exports.restore = (result) => {
  const attachments = originals.get(result);
  if (!attachments) return;
  originals.delete(result);
  for (const [attachment, path, body] of attachments) Object.assign(attachment, { path, body });
  result.attachments.length = attachments.length;
};
