"""What every agent here does, whoever runs it: a model without a model, and the cluster that it looks at.

`play(Cluster)` is a generator: it yields calls, is given what they answer, and ends when all of it went as it
should. A framework's own loop carries the calls out.
"""

import json
import re
import subprocess
import tempfile
from pathlib import Path

POLICY = """
version = 1

[[rule]]
name = "agents move leaders"
actor = "agent:*"
action = "transfer_leader"
decision = "allow"

[[rule]]
name = "people decide about the rest"
action = "*"
decision = "approve"
by = ["user:*"]
count = 1
ttl = "30m"
"""


class Cluster:
    """A simulated cluster, and a state directory in which things may be sent."""

    def __init__(self, operator, agent):
        self.operator = operator
        self.sim = subprocess.Popen([operator, "sim"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.pd = re.search(r"http://127\.0\.0\.1:\d+", self.sim.stdout.readline()).group(0)
        self.state = tempfile.mkdtemp()
        policy = Path(self.state, "policy.toml")
        policy.write_text(POLICY)
        self.flags = ["--pd", self.pd, "--state-dir", self.state, "--policy-file", str(policy)]
        self.person("mode", "execute", "--reason", "agents may ask")
        self.arguments = ["mcp", "--up-to", "high", "--actor", f"agent:{agent}", *self.flags]

    def person(self, *words):
        """A command of a person, beside the agent."""
        done = subprocess.run([self.operator, *words, *self.flags], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def approve(self, waits):
        """A person agrees to exactly the plan that they have read."""
        seen = waits["plan"]["plan_hash"]
        self.person("approve", waits["proposal_id"], "--plan", seen, "--reason", "looks right")

    def end(self):
        self.sim.terminate()
        self.sim.wait()


def said(text):
    """The JSON that an answer's text holds, whatever a framework puts around it."""
    if not isinstance(text, str):
        return text
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


def expect(what, found, wanted):
    print(f"  {what}: {found}", flush=True)
    if found != wanted:
        raise AssertionError(f"{what}: wanted {wanted!r}, found {found!r}")


def play(cluster):
    stores = (yield "list_stores", {})["stores"]
    expect("stores", len(stores), 5)
    region = (yield "find_region", {"form": "hex", "key": ""})["region"]
    peers = [peer["store_id"] for peer in region["peers"]]
    away = next(str(store["store_id"]) for store in stores if str(store["store_id"]) not in peers)
    follower = next(store for store in peers if store != region["leader_store_id"])

    transfer = {"region_id": region["region_id"], "to_store_id": away}
    plan = yield "plan", {"action": "transfer_leader", "arguments": transfer}
    expect("a plan that is refused", plan["plan"]["verdict"]["code"], "no_voter")
    transfer["to_store_id"] = follower
    moved = yield "transfer_leader", transfer
    expect("a transfer that is allowed", moved["standing"], "applied")

    drain = {"store_id": "4"}
    waits = yield "drain_store", drain
    expect("a drain", waits["standing"], "waits_for_approval")
    again = yield "drain_store", drain
    expect("the same asked for again is the same", again["proposal_id"], waits["proposal_id"])
    proposal = {"proposal_id": waits["proposal_id"]}
    still = yield "get_proposal", proposal
    expect("before anybody has looked", still["standing"], "waits_for_approval")
    cluster.approve(waits)
    drained = yield "execute_proposal", proposal
    while drained["standing"] == "in_progress":
        drained = yield "get_proposal", {**proposal, "wait_seconds": 10}
    expect("the drain, approved", drained["standing"], "applied")
    drains = yield "list_drains", {}
    expect("what drains", [str(one["store_id"]) for one in drains["drains"]], ["4"])

    undo = yield "undo", proposal
    if undo["standing"] == "waits_for_approval":
        cluster.approve(undo)
        undo = yield "execute_proposal", {"proposal_id": undo["proposal_id"]}
    expect("the drain, taken back", undo["standing"], "applied")
    drains = yield "list_drains", {}
    expect("what drains then", drains["drains"], [])
    cluster.person("journal", "verify")


class Script:
    """The next call for each answer; `None` when it is over."""

    def __init__(self, cluster):
        self.steps = play(cluster)
        self.begun = False
        self.over = False

    def next(self, answer):
        try:
            if not self.begun:
                self.begun = True
                return next(self.steps)
            return self.steps.send(said(answer))
        except StopIteration:
            self.over = True
            return None
