// A real Chromium for the tests: CHROMIUM names one, else the system's is used, else the one that
// comes with `make node-tools`. A test without a browser fails; none is skipped.

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { tool } from "../node/tools.mjs";

const { chromium: playwright } = tool("playwright-core");
const SYSTEM = "/usr/bin/chromium";
const UNPACKED = fileURLToPath(new URL("../../.tools/chromium", import.meta.url));
const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

/** Unpacks the browser that npm brought; with the libraries it needs when the machine lacks them. */
async function unpacked(withLibraries) {
  const directory = join(UNPACKED, withLibraries ? "with-libraries" : "plain");
  mkdirSync(directory, { recursive: true });
  const before = { ...process.env };
  process.env.TMPDIR = directory;
  // The package brings the libraries where it takes the machine for one without any.
  if (withLibraries) process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs24.x";
  try {
    const { default: packed } = await import(pathToFileURL(tool.resolve("@sparticuz/chromium")).href);
    const path = await packed.executablePath();
    return { path, environment: withLibraries ? { LD_LIBRARY_PATH: join(directory, "al2023", "lib"), FONTCONFIG_PATH: join(directory, "fonts") } : {} };
  } finally {
    for (const name of ["TMPDIR", "AWS_LAMBDA_JS_RUNTIME", "FONTCONFIG_PATH", "LD_LIBRARY_PATH", "HOME"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

const start = ({ path, environment }) =>
  playwright.launch({ executablePath: path, args: ARGUMENTS, env: { ...process.env, ...environment } });

export async function launch() {
  if (process.env.CHROMIUM) return start({ path: process.env.CHROMIUM, environment: {} });
  if (existsSync(SYSTEM)) return start({ path: SYSTEM, environment: {} });
  const problems = [];
  for (const withLibraries of [false, true]) {
    try {
      return await start(await unpacked(withLibraries));
    } catch (problem) {
      problems.push(problem.message.split("\n").slice(0, 6).join("\n"));
    }
  }
  throw new Error(`There is no browser to test the page with. Name one: CHROMIUM=/path/to/chromium make test-page.\n${problems.join("\n")}`);
}

// Run by itself it makes the browser ready, so that no test waits for that, and says which it is.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const browser = await launch();
  console.log(`Chromium ${browser.version()}`);
  await browser.close();
}
