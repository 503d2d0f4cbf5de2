// The suite's own configuration, completed by what the job asks for. Its files stay as they are: a configuration beside
// its own, written by the worker, hands what it exports to `wrap`, in each process that loads it.
"use strict";

const fs = require("node:fs");
const { createRequire } = require("node:module");
const path = require("node:path");
const vm = require("node:vm");
const { BrowserLog } = require("./browser_log.cjs");
const errors = require("./errors.cjs");
const gate = require("./gate.cjs");
const { isMain, load, send } = require("./settings.cjs");

const RESTORE = path.join(__dirname, "restore.cjs");

/** Reporters that only print, which nobody reads here, or that write what the worker makes itself. */
const OURS_INSTEAD = new Set(["list", "line", "dot", "github", "failures", "null", "html", "blob"]);

/** Return the configuration to run by, from what the suite's own file exports. */
exports.wrap = (exported, settingsFile) => {
  const settings = load(settingsFile);
  const own = exported && typeof exported === "object" && "default" in exported ? exported.default : exported;
  if (own === null || typeof own !== "object") return own; // Playwright Test says what is wrong with it
  if (settings.purpose === "serve") return serving(own, settings);
  if (!isMain()) gate.install(settings);
  patchBrowsers(settings, core(settings));
  const completed = complete(own, settings);
  if (!isMain()) return completed;
  refuseMissing(completed, settings);
  if (settings.purpose === "list" && serversOf(own).some(atFixedPort)) send(settings, "has_servers", {});
  return completed;
};

/** Tell of a configuration that cannot be loaded, and have the run end with that. */
exports.failed = (error, settingsFile, file) => {
  const settings = load(settingsFile);
  if (isMain()) send(settings, "collection_error", errors.ofLoading(error, settings.folder, file));
  throw error;
};

/** The suite's own playwright-core, which its tests run with. */
function core(settings) {
  const test = createRequire(settings.cli);
  return createRequire(test.resolve("playwright/package.json"))("playwright-core");
}

/** Have every browser that the suite launches, however it does, be given our executable and flags, and be listened to.
 *
 * The patching functions are compiled under a name that Playwright takes for Node's own, so that they do not appear in its
 * call stacks: each step keeps its place in the suite's files. Done once in each process. */
function patchBrowsers(settings, playwright) {
  if (playwright.wainwright) return;
  Object.defineProperty(playwright, "wainwright", { value: true });
  const patches = { exports: {} };
  const source = fs.readFileSync(path.join(__dirname, "patches.cjs"), "utf8");
  const compiled = vm.compileFunction(source, ["module", "process"], { filename: "node:internal/wainwright" });
  compiled(patches, process);
  patches.exports.patch(settings, playwright, new BrowserLog(settings));
}

function complete(own, settings) {
  const config = {
    ...own,
    use: completeUse(own.use ?? {}, settings, true),
    reporter: reporters(own, settings),
    preserveOutput: "always",
  };
  if (settings.purpose === "with servers")
    config.webServer = serversOf(own).map((each) => (atFixedPort(each) ? { ...each, reuseExistingServer: true } : each));
  if (own.projects) {
    const projects = own.projects.map((project) => ({ ...project, use: completeUse(project.use ?? {}, settings, false) }));
    config.projects = settings.browsers.length ? inBrowsers(projects, config, settings) : projects;
  } else if (settings.browsers.length === 1) {
    config.use.browserName = settings.browsers[0];
  } else if (settings.browsers.length) {
    config.projects = settings.browsers.map((name) => ({ name, use: { browserName: name } }));
  }
  return config;
}

function serversOf(own) {
  return [own.webServer ?? []].flat();
}

/** Of such a server there can be only one on a machine. */
function atFixedPort(server) {
  return Boolean(server?.url || server?.port);
}

/** A configuration that starts the servers, and then waits. Its own reporter ends it, when the worker says so. */
function serving(own, settings) {
  return {
    webServer: serversOf(own).filter(atFixedPort),
    testDir: settings.serving,
    testMatch: "serves.test.cjs",
    globalSetup: path.join(settings.serving, "hold.cjs"),
    reporter: [[path.join(__dirname, "reporter.cjs"), { settings }]],
  };
}

/** Options of the browser: what the job asks for outranks the configuration; what neither gives has our default. */
function completeUse(own, settings, withFallback) {
  const use = withFallback ? { ...settings.fallback, ...own } : { ...own };
  Object.assign(use, settings.forced);
  const { reducedMotion, ...options } = settings.contextOptions;
  Object.assign(use, options);
  if (reducedMotion) use.contextOptions = { ...own.contextOptions, reducedMotion };
  if (settings.baseURL) use.baseURL = settings.baseURL;
  return use;
}

/** The suite's own reporters that are worth having here, and ours around the one that writes the blob. */
function reporters(own, settings) {
  const given = typeof own.reporter === "string" ? [[own.reporter]] : (own.reporter ?? []);
  const theirs = given.map((each) => (Array.isArray(each) ? each : [each])).filter(([name]) => !OURS_INSTEAD.has(name));
  const ours = [path.join(__dirname, "reporter.cjs"), { settings }];
  if (!settings.blob) return [ours];
  const blob = ["blob", { outputFile: settings.blob, outputDir: path.dirname(settings.blob) }];
  return [...theirs, ours, blob, [RESTORE], ...page(settings)];
}

/** Those that write Playwright Test's own HTML report, from stubs; none where variables of the suite's ask for another one. */
function page(settings) {
  const decides = (name) => /^(PLAYWRIGHT_HTML_(?!OPEN$)|PW_TEST_HTML_)/.test(name);
  if (!settings.page || Object.keys(process.env).some(decides)) return [];
  const { folder, title } = settings.page;
  const html = ["html", { outputFolder: folder, open: "never", title }];
  return [[RESTORE, { page: "before" }], html, [RESTORE, { page: "after" }]];
}

function browserOf(project, config) {
  const use = { ...config.use, ...project.use };
  return use.browserName ?? use.defaultBrowserType ?? "chromium";
}

/** Those projects that run in one of the browsers, with what they depend on. */
function inBrowsers(projects, config, settings) {
  const named = new Map(projects.map((project) => [project.name, project]));
  const supporting = new Set(projects.flatMap((each) => [...(each.dependencies ?? []), each.teardown].filter(Boolean)));
  const wanted = projects.filter(
    (each) => !supporting.has(each.name) && settings.browsers.includes(browserOf(each, config)),
  );
  const there = new Set(projects.map((each) => browserOf(each, config)));
  const absent = settings.browsers.filter((name) => !wanted.some((each) => browserOf(each, config) === name));
  if (absent.length) {
    const message =
      `no project of the suite runs in ${absent.join(" or ")}: its projects run in ${[...there].join(", ")}; ` +
      `add a project for it to ${settings.configFile}, or ask for another browser`;
    if (isMain()) send(settings, "browser_not_in_suite", { message });
    throw new Error(message);
  }
  const kept = new Set();
  const keep = (project) => {
    if (!project || kept.has(project)) return;
    kept.add(project);
    for (const name of [...(project.dependencies ?? []), project.teardown]) keep(named.get(name));
  };
  wanted.forEach(keep);
  return projects.filter((each) => kept.has(each));
}

/** A browser or an encoder that is not installed is told before anything starts, and not once for each test. */
function refuseMissing(config, settings) {
  const projects = config.projects ?? [{}];
  const missing = projects
    .filter((each) => !usesAnother({ ...config.use, ...each.use }))
    .map((each) => settings.missing[browserOf(each, config)])
    .concat(projects.some((each) => makesVideos({ ...config.use, ...each.use })) ? settings.ffmpegMissing : null)
    .filter(Boolean);
  if (!missing.length) return;
  for (const message of new Set(missing)) send(settings, "browser_missing", { message });
  throw new Error(missing[0]);
}

/** True if there will be a video of some test, made here. */
function makesVideos(use) {
  const mode = use.video?.mode ?? use.video;
  return !use.connectOptions && (mode === "on" || /^retain-on/.test(mode));
}

/** True if the suite brings a browser of its own: a remote one, an executable, or a branded channel. */
function usesAnother(use) {
  const channel = use.channel ?? use.launchOptions?.channel;
  return Boolean(use.connectOptions || use.launchOptions?.executablePath || (channel && channel !== "chromium"));
}
