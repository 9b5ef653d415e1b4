"""Plays an operator's day through the official Python SDK: `play.py OPERATOR initialize|discover [gate]`.

It serves a simulated cluster, starts `operator mcp` as a host would, and says what came of each step. With `gate` that
has a token for a gate and nothing else. Runs with `mcp` 1.x, which only initializes, and with 2.x.
"""

import asyncio
import json
import sys

import mcp
from mcp.client.stdio import StdioServerParameters, stdio_client

from script import WAITS, Cluster

operator, era, *where = sys.argv[1:]


def said(result):
    """What an answer says: for an error its text holds the same."""
    content = getattr(result, "structured_content", None) or getattr(result, "structuredContent", None)
    return content if content is not None else json.loads(result.content[0].text)


def expect(what, found, wanted):
    print(f"{what}: {found}")
    if found != wanted:
        sys.exit(f"{what}: wanted {wanted!r}, found {found!r}")


async def play(call, tools, cluster):
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
    cluster.approve(waits)
    applied = said(await call("execute_proposal", proposal))
    expect("executed", applied["standing"], "applied")
    now = said(await call("get_region", {"region_id": region_id}))
    expect("the leader is where it was asked to be", now["leader_store_id"], follower)

    undo = said(await call("undo", proposal))
    if undo["standing"] == "waits_for_approval":
        cluster.approve(undo)
        undo = said(await call("execute_proposal", {"proposal_id": undo["proposal_id"]}))
    expect("taken back", undo["standing"], "applied")
    expect("the first one stands", said(await call("get_proposal", proposal))["standing"], "taken_back")
    listed = said(await call("list_proposals", {"ended": True}))
    print(f"proposals: {len(listed['proposals'])}")
    cluster.person("journal", "verify")


async def main():
    cluster = Cluster(operator, "python", WAITS, at_gate=where == ["gate"])
    try:
        server = StdioServerParameters(command=operator, args=cluster.arguments)
        if era == "initialize":
            async with stdio_client(server) as (read, write), mcp.ClientSession(read, write) as session:
                await session.initialize()
                tools = (await session.list_tools()).tools
                await play(session.call_tool, tools, cluster)
        else:
            async with mcp.Client(stdio_client(server), mode="2026-07-28") as client:
                tools = (await client.list_tools()).tools
                await play(client.call_tool, tools, cluster)
    finally:
        cluster.end()
    print("all of it went as it should")


asyncio.run(main())
