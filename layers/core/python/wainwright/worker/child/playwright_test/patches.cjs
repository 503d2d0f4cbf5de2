// Patches Playwright's classes. config.cjs compiles this file with `module` and `process` given.
"use strict";

const BROWSERS_OWN = new Set(
  ["accept", "accept-language", "cache-control", "pragma", "referer", "upgrade-insecure-requests", "user-agent"],
);
const PAGE_NAVIGATIONS = ["goto", "reload", "goBack", "goForward", "waitForURL"];
const FRAME_NAVIGATIONS = ["goto", "waitForURL"];

module.exports.patch = (settings, playwright, log) => {
  const patched = new WeakSet();

  function once(owner, change) {
    const prototype = Object.getPrototypeOf(owner);
    if (patched.has(prototype)) return;
    patched.add(prototype);
    change(prototype);
  }

  /** Complete the test's options by what this machine needs. Its own executable or channel is left alone. */
  function launchOptions(type, given = {}) {
    const all = { ...playwright._defaultLaunchOptions, ...given };
    const options = { ...given };
    const windowed = (all.headless === false || all.channel === "chromium") && settings.windowed[type.name()];
    const executable = windowed || settings.executables[type.name()];
    if (executable && !all.executablePath && (!all.channel || all.channel === "chromium"))
      options.executablePath = executable;
    if (type.name() === "chromium") {
      options.args = joined(settings.launchArgs, all.args ?? []);
      if (settings.sandbox && process.geteuid?.() !== 0 && all.chromiumSandbox === undefined) options.chromiumSandbox = true;
    }
    return options;
  }

  function patchBrowserType(prototype) {
    const { launch, launchPersistentContext, launchServer } = prototype;
    prototype.launch = async function (options) {
      const browser = await launch.call(this, launchOptions(this, options));
      once(browser, patchBrowser);
      await sendHeaders(browser);
      return browser;
    };
    prototype.launchPersistentContext = async function (folder, options) {
      const context = await launchPersistentContext.call(this, folder, launchOptions(this, options));
      listen(context);
      context.pages().forEach(patchPage);
      if (context.browser()) await sendHeaders(context.browser());
      return context;
    };
    prototype.launchServer = function (options) {
      return launchServer.call(this, launchOptions(this, options));
    };
  }

  function patchBrowser(prototype) {
    for (const name of ["newContext", "_newContextForReuse"]) {
      const original = prototype[name];
      if (!original) continue;
      prototype[name] = async function (...args) {
        const context = await original.apply(this, args);
        listen(context);
        return context;
      };
    }
  }

  const listened = new WeakSet();

  function listen(context) {
    if (listened.has(context)) return;
    listened.add(context);
    log.attach(context);
    if (settings.waitForMs) context.on("page", patchPage);
  }

  function patchPage(page) {
    if (!settings.waitForMs) return;
    once(page, (prototype) => waitAfter(prototype, PAGE_NAVIGATIONS));
    once(page.mainFrame(), (prototype) => waitAfter(prototype, FRAME_NAVIGATIONS));
  }

  function waitAfter(prototype, names) {
    for (const name of names) {
      const original = prototype[name];
      prototype[name] = async function (...args) {
        const result = await original.apply(this, args);
        await this.waitForTimeout(settings.waitForMs);
        return result;
      };
    }
  }

  /** Have a browser send the job's headers to the origin under test, and to no other: each request to it is paused. */
  async function sendHeaders(browser) {
    if (!settings.headersOrigin || browser.browserType().name() !== "chromium") return;
    const session = await browser.newBrowserCDPSession();
    session.on("Fetch.requestPaused", (event) => {
      session.send("Fetch.continueRequest", continuation(event)).catch(() => {}); // the page was closed meanwhile
    });
    await session.send("Fetch.enable", {
      patterns: [{ urlPattern: `${settings.headersOrigin}/*`, requestStage: "Request" }],
    });
  }

  function continuation(event) {
    const headers = { ...event.request.headers };
    const there = new Map(Object.keys(headers).map((name) => [name.toLowerCase(), name]));
    for (const [name, value] of Object.entries(settings.headers)) {
      const found = there.get(name.toLowerCase());
      if (found === undefined) headers[name] = value;
      else if (BROWSERS_OWN.has(found.toLowerCase())) headers[found] = value;
    }
    return { requestId: event.requestId, headers: Object.entries(headers).map(([name, value]) => ({ name, value })) };
  }

  once(playwright.chromium, patchBrowserType);
};

/** Ours, then the test's. Of a switch given twice Chromium takes the last, so lists are made one, ours first. */
function joined(ours, theirs) {
  const all = [...theirs];
  for (const argument of ours) {
    const [name] = argument.split("=", 1);
    const same = all.findLastIndex((each) => argument.includes("=") && each.startsWith(`${name}=`));
    if (same >= 0) all[same] = `${argument},${all[same].slice(name.length + 1)}`;
    else all.unshift(argument);
  }
  return all;
}
