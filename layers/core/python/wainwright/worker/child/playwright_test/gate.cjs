// A stop takes effect between tests: a process that is about to begin one waits here until the runner has stopped, and then
// begins none. It does so by holding back the message by which it tells the runner that a test begins, so that no line of
// that test has run by then. Where the messages are not as expected, the runner's own interruption is what remains.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const LOOK_MS = 20;

exports.STOP = "stop";
exports.GO = "go";

/** Set up in a process in which tests run. */
exports.install = (settings) => {
  if (process.send.wainwright) return;
  const original = process.send;
  const stop = path.join(settings.control, exports.STOP);
  const go = path.join(settings.control, exports.GO);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  process.send = function send(message, ...rest) {
    if (message?.method === "__dispatch__" && message.params?.method === "testBegin" && fs.existsSync(stop)) {
      while (!fs.existsSync(go)) Atomics.wait(pause, 0, 0, LOOK_MS);
      process.emit("message", { method: "__stop__" }); // the runner's own, on its way already, comes too late for this test
    }
    return original.call(this, message, ...rest);
  };
  process.send.wainwright = true;
};
