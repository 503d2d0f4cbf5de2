// Keeps the evidence of attempts as files in the worker's folder, under names of our own.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const EXTENSIONS = { "text/plain": ".txt", "text/markdown": ".md", "application/json": ".json", "text/html": ".html" };

/** The name under which an attachment is kept: the attempt's name and its number tell it from all others. */
exports.nameOf = (attempt, index) => `${attempt}-${String(index).padStart(3, "0")}`;

/** Link or write the attachments, so that they stay whatever the suite does to its own; those that are gone are left out. */
exports.keepFiles = (attachments, attempt, settings) => {
  const folder = path.join(settings.output, "evidence");
  fs.mkdirSync(folder, { recursive: true });
  return attachments.flatMap((attachment, index) => {
    const { name, contentType } = attachment;
    const type = contentType.split(";", 1)[0];
    // Its own name has to be free of secrets before it is made fit for a file, in which they would not be found any more.
    const own = attachment.path ? path.extname(attachment.path) : EXTENSIONS[type];
    const kept = path.join(folder, exports.nameOf(attempt, index) + (/^\.[A-Za-z0-9]{1,8}$/.test(own ?? "") ? own : ""));
    try {
      if (attachment.path) keep(attachment.path, kept);
      else if (attachment.body) fs.writeFileSync(kept, attachment.body);
      else return [];
    } catch {
      return []; // the suite has removed it, or named what never was
    }
    return [{ name, contentType, path: kept }];
  });
};

/** A second name for the file; a copy where it lies on another disk. Of a link it is what it leads to, as Playwright has it. */
function keep(file, kept) {
  const real = fs.realpathSync(file);
  if (!fs.statSync(real).isFile()) throw new Error(`${file} is no file`);
  try {
    fs.linkSync(real, kept);
  } catch (error) {
    if (error.code !== "EXDEV" && error.code !== "EPERM" && error.code !== "EMLINK") throw error;
    fs.copyFileSync(real, kept);
  }
}
