// Plays an operator's day through the official TypeScript SDK: `node play.mjs OPERATOR`.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const operator = process.argv[2];
const run = (...words) => spawnSync(operator, words, { encoding: "utf8" });
const said = (result) => result.structuredContent ?? JSON.parse(result.content[0].text);

function expect(what, found, wanted) {
  console.log(`${what}: ${found}`);
  if (found !== wanted) {
    throw new Error(`${what}: wanted ${wanted}, found ${found}`);
  }
}

const sim = spawn(operator, ["sim"]);
const pd = await new Promise((found) => {
  const look = (text) => {
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(String(text));
    if (address) found(address[0]);
  };
  sim.stdout.on("data", look);
  sim.stderr.on("data", look);
});
try {
  const state = mkdtempSync(join(tmpdir(), "operator-"));
  run("mode", "execute", "--reason", "a test", "--state-dir", state);
  const client = new Client({ name: "play", version: "1.0.0" });
  await client.connect(
    new StdioClientTransport({
      command: operator,
      args: ["mcp", "--up-to", "high", "--actor", "agent:typescript", "--pd", pd, "--state-dir", state],
    }),
  );
  const call = async (name, args) => said(await client.callTool({ name, arguments: args }));
  const { tools } = await client.listTools();
  console.log(`tools: ${tools.length}, ${JSON.stringify(tools).length} characters`);
  const { stores } = await call("list_stores", {});
  console.log(`stores: ${stores.length}`);
  const { region } = await call("find_region", { form: "hex", key: "" });
  const peers = region.peers.map((peer) => String(peer.store_id));
  const leader = region.leader_store_id;
  const away = stores.map((store) => String(store.store_id)).find((store) => !peers.includes(store));
  const refused = await call("transfer_leader", { region_id: region.region_id, to_store_id: away });
  expect("a transfer to a store without a replica", refused.standing, "refused_by_plan");
  const follower = peers.find((store) => store !== leader);
  const waits = await call("transfer_leader", { region_id: region.region_id, to_store_id: follower });
  expect("a transfer that can be", waits.standing, "waits_for_approval");
  const approved = run(
    ...["approve", waits.proposal_id, "--plan", waits.plan.plan_hash],
    ...["--reason", "looks right", "--state-dir", state],
  );
  expect("approved by a person", approved.status, 0);
  const applied = await call("execute_proposal", { proposal_id: waits.proposal_id });
  expect("executed", applied.standing, "applied");
  await client.close();
  console.log("all of it went as it should");
} finally {
  sim.kill();
}
