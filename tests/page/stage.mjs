// A sandbox with a browser in front of it, and what the tests do with both.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { launch } from "./browser.mjs";

export const CARLA = "65a0c0ffee0000000000c001";
export const BOT = "900001";
export const ALICE = "900002";

/** A `baton sandbox` of its own, on a free port unless one is named; beside a bot platform when there is one. */
export async function sandbox(port = 0, bot = null) {
  const command = process.env.BATON;
  assert.ok(command, "BATON must name the baton command; make test-page does that");
  const child = spawn(command, ["sandbox", "--listen", `127.0.0.1:${port}`, ...(bot ? ["--bot", bot] : [])], { stdio: ["ignore", "pipe", "inherit"] });
  const said = createInterface({ input: child.stdout });
  const [line] = await once(said, "line");
  const url = line.match(/http:\/\/\S+/)[0];
  const call = async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    url,
    port: Number(new URL(url).port),
    hand: (path, body) => call(body === undefined ? "GET" : "POST", `/_sandbox${path}`, body),
    rest: (method, path, body) => call(method, path, body, { authorization: "Bearer sandbox-token", "intercom-version": "2.15", "content-type": "application/json" }),
    start: async (body, contact = CARLA) => (await call("POST", "/_sandbox/sandbox1/conversations", { contact_id: contact, body })).conversation_id,
    stop: async () => {
      child.kill("SIGTERM");
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

/** A browser whose pages fail the test when a script of theirs fails. */
export async function stage({ hostile = false, bot = null } = {}) {
  const [box, browser] = [await sandbox(0, bot), await launch()];
  const problems = [];
  return {
    box,
    browser,
    problems,
    /** A tab on the page, at the state that is given as in the address. */
    async open(at = {}, { viewport = { width: 1440, height: 900 }, url = box.url, ...options } = {}) {
      const context = await browser.newContext({ viewport, ...options });
      context.setDefaultTimeout(15_000);
      const page = await context.newPage();
      page.on("pageerror", (problem) => problems.push(problem.stack ?? problem.message));
      page.on("console", (message) => {
        // Styles in what somebody wrote are refused as it is parsed, before they are taken out.
        const expected = hostile && message.text().startsWith("Applying inline style");
        if (/Content Security Policy|TrustedHTML/.test(message.text()) && !expected) problems.push(message.text());
      });
      await page.goto(`${url}/_sandbox/#${new URLSearchParams({ app: "sandbox1", ...at })}`);
      await page.locator("#connection.live").waitFor();
      return page;
    },
    async end() {
      await browser.close();
      await box.stop();
      assert.deepEqual(problems, []);
    },
  };
}

export const inbox = (page) => page.locator("#pane-inbox");
/** The conversations in the list; the words narrow. */
export const rows = (page, hasText) => page.locator("#inbox-list [role=option]").filter(hasText ? { hasText } : {});
export const messenger = (page) => page.locator("#pane-messenger");
export const chat = (page) => page.locator("#pane-chat");
export const baton = (page) => page.locator("#pane-baton");
