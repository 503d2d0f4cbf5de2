// The settings that the worker wrote for this run, and the pipe to it.
//
// {eventsFd, controlFd, control: folder, folder, output, logs: folder, cli: path of @playwright/test/cli.js,
//  configFile: name | null, executables, windowed: {browser: path | null}, missing: {browser: message}, ffmpegMissing: message | null, browsers: [name],
//  launchArgs, sandbox, forced: {option: value}, fallback: {option: value}, baseURL | null, contextOptions, waitForMs,
//  headers, headersOrigin | null, blockedHosts, run: a name for this start of the runner, only: [id] | null,
//  deselected: [id], blob: file | null, page: {folder, title} of an HTML report | null,
//  purpose: "run" | "list" | "serve" | "with servers", serving: folder, to serve from}
"use strict";

const fs = require("node:fs");

const read = new Map();

/** The settings in a file, read once in each process. */
exports.load = (file) => {
  if (!read.has(file)) read.set(file, JSON.parse(fs.readFileSync(file, "utf8")));
  return read.get(file);
};

/** True in the process that the worker started, and not in those in which tests run. */
exports.isMain = () => typeof process.send !== "function";

/** Write one record as a line; the other end of the pipe is the worker. */
exports.send = (settings, type, fields) => {
  let data = Buffer.from(`${JSON.stringify({ type, ...fields })}\n`);
  while (data.length) {
    try {
      data = data.subarray(fs.writeSync(settings.eventsFd, data));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5); // the worker reads more slowly than we write
    }
  }
};

/** The mark of a cut, by which the worker knows it, and removes what it has left of a secret there. */
const CUT = "… cut …";

/** Escape sequences of colours, which messages for a terminal have. */
const COLOURS = /\u001b\[[0-9;]*[A-Za-z]/g;

/** A text without colours, the middle of a long one left out: its end often says what happened. */
exports.plain = (text, limit) => {
  const clean = String(text ?? "").replace(COLOURS, "");
  if (clean.length <= limit) return clean;
  const half = Math.floor((limit - CUT.length) / 2);
  return `${clean.slice(0, half)}${CUT}${clean.slice(-half)}`;
};

/** The beginning of a long text. */
exports.cutEnd = (text, limit) => (text.length <= limit ? text : `${text.slice(0, limit - CUT.length)}${CUT}`);

/** The end of a long text. */
exports.cutStart = (text, limit) => (text.length <= limit ? text : `${CUT}${text.slice(CUT.length - limit)}`);
