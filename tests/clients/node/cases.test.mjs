// Plays ../cases/*.json with Intercom's own client for JavaScript. README.md there tells their form.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, beforeEach, describe, test } from "node:test";

import { tool } from "../../node/tools.mjs";
import { startSandbox } from "./sandbox.mjs";

const { Intercom, IntercomClient, IntercomError } = tool("intercom-client");
const CASES = new URL("../cases/", import.meta.url);

let sandbox;
before(async () => { sandbox = await startSandbox(); });
after(() => sandbox.stop());
beforeEach(() => sandbox.control("POST reset"));

for (const file of readdirSync(CASES).filter((name) => name.endsWith(".json")).sort()) {
  describe(file.replace(".json", ""), () => {
    for (const one of JSON.parse(readFileSync(new URL(file, CASES), "utf8"))) test(one.name, () => play(one));
  });
}

async function play(one) {
  const kept = {};
  for (const [n, step] of one.steps.entries()) {
    try {
      await take(step, { token: one.token, version: one.version, ...step }, kept);
    } catch (error) {
      error.message = `step ${n + 1}, ${step.call ?? step.each ?? step.control}: ${error.message}`;
      throw error;
    }
  }
}

async function take(step, { token = "clients-token", version }, kept) {
  const given = filled(step.with, kept);
  if (step.control) return check(step, await sandbox.control(filled(step.control, kept), given), kept);
  const client = new IntercomClient({ token, version, baseUrl: sandbox.url, maxRetries: 0 });
  if (step.each) return turnPages(client, step, given, kept);
  if (!step.fails) return check(step, await call(client, step.call, given), kept);
  await assert.rejects(call(client, step.call, given), (error) => {
    const kind = Intercom[step.fails.error] ?? IntercomError;
    assert.equal(error.constructor.name, kind.name);
    assert.equal(error.statusCode, step.fails.status);
    assert.equal(error.body.type, "error.list");
    assert.equal(error.body.errors[0].code, step.fails.code);
    if (step.fails.message) assert.equal(error.body.errors[0].message, step.fails.message);
    return true;
  });
}

/** Reads a list to its end twice: by hand, page by page, and with the client's iterator. */
async function turnPages(client, step, given, kept) {
  const lengths = [];
  for (let page = await call(client, step.each, given); ; page = await page.getNextPage()) {
    // A list whose pages are counted ends with an empty one.
    if (lengths.length && !page.data.length) break;
    lengths.push(page.data.length);
    if (!page.hasNextPage()) break;
  }
  assert.deepEqual(lengths, step.pages);
  const items = [];
  for await (const item of await call(client, step.each, given)) items.push(item);
  for (const [field, values] of Object.entries(filled(step.items, kept)))
    assert.deepEqual(items.map((item) => at(item, field)), values, field);
}

function call(client, name, given) {
  const [resource, method] = name.split(".").map((word) => word.replace(/_(.)/g, (_, letter) => letter.toUpperCase()));
  return given === undefined ? client[resource][method]() : client[resource][method](structuredClone(given));
}

function check(step, answer, kept) {
  for (const [path, expected] of Object.entries(filled(step.gives ?? {}, kept))) {
    const value = at(answer, path);
    if (expected?.like) assert.match(String(value), new RegExp(expected.like), path);
    else if (expected?.count !== undefined) assert.equal(value.length, expected.count, path);
    else assert.deepEqual(value, expected, path);
  }
  for (const [name, path] of Object.entries(step.keep ?? {})) {
    kept[name] = at(answer, path);
    assert.notEqual(kept[name], null, `nothing at ${path}`);
  }
}

function at(value, path) {
  const step = (here, name) => (Array.isArray(here) ? here.at(Number(name)) : here?.[name]);
  return path.split(".").reduce(step, value) ?? null;
}

/** Puts what was kept where `$name` stands, inside of texts as well. */
function filled(value, kept) {
  if (typeof value === "string") {
    const whole = value.match(/^\$(\w+)$/);
    if (whole) return keptAs(whole[1], kept);
    return value.replace(/\$\{(\w+)\}/g, (_, name) => keptAs(name, kept));
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, kept));
  if (value && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, kept)]));
  return value;
}

function keptAs(name, kept) {
  assert.ok(name in kept, `nothing is kept as ${name}`);
  return kept[name];
}
