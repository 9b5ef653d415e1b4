// What `operator mcp` costs an agent's host: `node figures.mjs OPERATOR`. It prints how long the list of tools is, in
// characters of JSON and in tokens of o200k_base, how long it takes from the start of the process to that list, and
// how much memory the process has after 1,000 calls. Nothing is asked of a real system.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { encode } from "gpt-tokenizer/encoding/o200k_base";

const STARTS = 20;
const CALLS = 1_000;
const operator = process.argv[2];
const state = mkdtempSync(join(tmpdir(), "figures-"));
const sim = spawn(operator, ["sim"], { stdio: ["ignore", "pipe", "inherit"] });
const [first] = await lines(sim, 1);
const pd = first.match(/http:\/\/127\.0\.0\.1:\d+/)[0];

function lines(child, count) {
  return new Promise((resolve, reject) => {
    const found = [];
    createInterface({ input: child.stdout }).on("line", (line) => {
      found.push(line);
      if (found.length === count) resolve(found);
    });
    child.on("error", reject);
  });
}

// A server, after the handshake, and its list of tools.
async function start(flags) {
  const began = performance.now();
  const child = spawn(operator, ["mcp", "--state-dir", state, ...flags], { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = new Map();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line);
    waiting.get(message.id)?.(message);
  });
  let last = 0;
  const say = (message) => child.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
  const ask = (method, params) =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      say({ id: last, method, params });
    });
  const client = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "figures", version: "1" } };
  await ask("initialize", client);
  say({ method: "notifications/initialized" });
  const { tools } = (await ask("tools/list", {})).result;
  return { child, ask, tools, took: performance.now() - began };
}

async function end({ child }) {
  const over = new Promise((resolve) => child.on("exit", resolve));
  child.stdin.end();
  await over;
}

const tikv = ["--pd", pd];
const etcd = ["--endpoints", "http://127.0.0.1:1"];
try {
  console.log("| | tools | characters | tokens |\n|---|---|---|---|");
  for (const [what, flags] of [
    ["TiKV, default", tikv],
    ["TiKV, `--up-to high`", [...tikv, "--up-to", "high"]],
    ["etcd, default", etcd],
    ["etcd, `--up-to high`", [...etcd, "--up-to", "high"]],
  ]) {
    const server = await start(flags);
    const text = JSON.stringify(server.tools);
    const figures = [server.tools.length, text.length, encode(text).length].map((figure) => figure.toLocaleString("en"));
    console.log(`| ${what} | ${figures.join(" | ")} |`);
    await end(server);
  }
  const took = [];
  for (let at = 0; at < STARTS; at += 1) {
    const server = await start([...tikv, "--up-to", "high"]);
    took.push(server.took);
    await end(server);
  }
  took.sort((one, other) => one - other);
  const [median, longest] = [took[STARTS / 2], took.at(-1)].map((time) => `${time.toFixed(1)} ms`);
  console.log(`\nFrom the start of the process to the list of tools: median ${median}, longest ${longest}, of ${STARTS}.`);
  const server = await start([...tikv, "--up-to", "high"]);
  const memory = (name) => {
    const status = readFileSync(`/proc/${server.child.pid}/status`, "utf8");
    return `${(status.match(new RegExp(`${name}:\\s+(\\d+)`))[1] / 1024).toFixed(1)} MiB`;
  };
  const before = memory("VmRSS");
  for (let at = 0; at < CALLS; at += 1) {
    const { result } = await server.ask("tools/call", { name: "list_stores", arguments: {} });
    if (result?.structuredContent?.stores?.length !== 5) throw new Error(`call ${at}: ${JSON.stringify(result)}`);
  }
  console.log(`Resident memory: ${before} before the first call, ${memory("VmRSS")} after ${CALLS} calls, ${memory("VmHWM")} at most.`);
  await end(server);
} finally {
  sim.kill();
  rmSync(state, { recursive: true });
}
