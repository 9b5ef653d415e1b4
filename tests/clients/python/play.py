"""Plays an operator's day through the official Python SDK: `play.py OPERATOR initialize|discover`.

It serves a simulated cluster, starts `operator mcp` as a host would, and says what came of each step. Runs
with `mcp` 1.x, which only initializes, and with 2.x.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile

import mcp
from mcp.client.stdio import StdioServerParameters, stdio_client

operator, era = sys.argv[1], sys.argv[2]


def run(*words):
    """A command beside the agent's, as a person gives it."""
    done = subprocess.run([operator, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def said(result):
    """What an answer says: for an error its text holds the same."""
    content = getattr(result, "structured_content", None) or getattr(result, "structuredContent", None)
    return content if content is not None else json.loads(result.content[0].text)


def expect(what, found, wanted):
    print(f"{what}: {found}")
    if found != wanted:
        sys.exit(f"{what}: wanted {wanted!r}, found {found!r}")


def approve(waits, state):
    """A person agrees to exactly the plan that they have read."""
    seen = waits["plan"]["plan_hash"]
    return run("approve", waits["proposal_id"], "--plan", seen, "--reason", "looks right", "--state-dir", state)


async def play(call, tools, state, pd):
    names = [tool.name for tool in tools]
    length = len(json.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]))
    print(f"tools: {len(names)}, {length} characters")
    stores = said(await call("list_stores", {}))["stores"]
    print(f"stores: {len(stores)}")
    region = said(await call("find_region", {"form": "hex", "key": ""}))["region"]
    region_id = region["region_id"]
    leader = region["leader_store_id"]
    peers = [str(peer["store_id"]) for peer in region["peers"]]
    follower = next(store for store in peers if store != leader)
    away = next(str(store["store_id"]) for store in stores if str(store["store_id"]) not in peers)

    wrong = await call("transfer_leader", {"region": 2})
    problems = said(wrong)["error"]["problems"]
    expect("wrong arguments, problems at once", len(problems) >= 2, True)
    transfer = {"region_id": region_id, "to_store_id": away}
    plan = said(await call("plan", {"action": "transfer_leader", "arguments": transfer}))
    expect("plan of a transfer to a store without a replica", plan["plan"]["verdict"]["code"], "no_voter")
    refused = said(await call("transfer_leader", transfer))
    expect("the same, asked for", refused["standing"], "refused_by_plan")

    transfer = {"region_id": region_id, "to_store_id": follower}
    waits = said(await call("transfer_leader", transfer))
    expect("a transfer that can be", waits["standing"], "waits_for_approval")
    proposal = {"proposal_id": waits["proposal_id"]}
    expect("executed too early", said(await call("execute_proposal", proposal))["standing"], "waits_for_approval")
    code, _, error = approve(waits, state)
    expect("approved by a person", code, 0)
    applied = said(await call("execute_proposal", proposal))
    expect("executed", applied["standing"], "applied")
    now = said(await call("get_region", {"region_id": region_id}))
    expect("the leader is where it was asked to be", now["leader_store_id"], follower)

    undo = said(await call("undo", proposal))
    if undo["standing"] == "waits_for_approval":
        code, _, error = approve(undo, state)
        expect("the undo, approved by a person", code, 0)
        undo = said(await call("execute_proposal", {"proposal_id": undo["proposal_id"]}))
    expect("taken back", undo["standing"], "applied")
    expect("the first one stands", said(await call("get_proposal", proposal))["standing"], "taken_back")
    listed = said(await call("list_proposals", {"ended": True}))
    print(f"proposals: {len(listed['proposals'])}")
    code, _, _ = run("journal", "verify", "--state-dir", state)
    expect("the journal verifies", code, 0)


async def main():
    sim = subprocess.Popen([operator, "sim"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    pd = None
    for line in sim.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            pd = found.group(0)
            break
    state = tempfile.mkdtemp()
    try:
        run("mode", "execute", "--reason", "a test", "--state-dir", state)
        arguments = ["mcp", "--up-to", "high", "--actor", "agent:python", "--pd", pd, "--state-dir", state]
        server = StdioServerParameters(command=operator, args=arguments)
        if era == "initialize":
            async with stdio_client(server) as (read, write), mcp.ClientSession(read, write) as session:
                await session.initialize()
                tools = (await session.list_tools()).tools
                await play(session.call_tool, tools, state, pd)
        else:
            async with mcp.Client(stdio_client(server), mode="2026-07-28") as client:
                tools = (await client.list_tools()).tools
                await play(client.call_tool, tools, state, pd)
    finally:
        sim.terminate()
    print("all of it went as it should")


asyncio.run(main())
