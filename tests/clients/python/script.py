"""What every agent here does, whoever runs it: a model without a model, and the cluster that it looks at.

`play(Cluster)` is a generator: it yields calls, is given what they answer, and ends when all of it went as it
should. A framework's own loop carries the calls out.
"""

import json
import re
import shlex
import subprocess
import tempfile
import urllib.request
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



# Whatever an agent asks for waits for a person.
WAITS = POLICY[: POLICY.index("[[rule]]")] + POLICY[POLICY.rindex("[[rule]]") :]


class Cluster:
    """A simulated cluster in which things may be sent, and how an agent reaches it: by a server of its own, or with
    a token by a gate to it, which people answer with their keys."""

    def __init__(self, operator, agent, policy=POLICY, at_gate=False):
        self.operator = operator
        self.sim = subprocess.Popen([operator, "sim"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.pd = re.search(r"http://127\.0\.0\.1:\d+", self.sim.stdout.readline()).group(0)
        self.gate = None
        self.by_people = []
        self.state = tempfile.mkdtemp()
        self.flags = ["--state-dir", self.state, "--policy-file", self.file("policy.toml", policy)]
        self.who = []
        if not at_gate:
            self.flags += ["--pd", self.pd]
            self.person("mode", "execute", "--reason", "agents may ask")
            self.arguments = ["mcp", "--up-to", "high", "--actor", f"agent:{agent}", *self.flags]
            return
        keys = {name: self.key(name) for name in ("ana", "bob")}
        people = "".join(f'[[person]]\nname = "user:{name}"\nkey = "{public}"\n' for name, public in keys.items())
        self.file("policy.toml", policy.replace("version = 1\n", f"version = 1\n{people}"))
        with urllib.request.urlopen(f"{self.pd}/pd/api/v1/cluster") as answer:
            cluster_id = json.load(answer)["id"]
        cluster = f'[clusters.prod]\nsubject = "tikv"\npd = "{self.pd}"\ncluster_id = "{cluster_id}"\n'
        self.flags += ["--config", self.file("config.toml", cluster)]
        # Who answers for the token does not approve what is asked for with it.
        self.who = ["--actor", "user:ana", "--sign-with", str(Path(self.state, "ana.pem"))]
        self.person("mode", "execute", "--reason", "agents may ask")
        for_whom = ["--cluster", "prod", "--up-to", "high", "--expires", "1d"]
        words = ["token", "create", "--actor", f"agent:{agent}", *for_whom, "--sign-with", self.who[-1]]
        token = subprocess.run(
            [operator, *words, *self.flags], capture_output=True, text=True, check=True, env={"OPERATOR_ACTOR": "user:ana"}
        )
        self.who = ["--actor", "user:bob", "--sign-with", str(Path(self.state, "bob.pem"))]
        serve = [operator, "serve", "--listen", "127.0.0.1:0", "--up-to", "high", *self.flags]
        self.gate = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
        url = re.search(r"http://127\.0\.0\.1:\d+", self.gate.stdout.readline()).group(0)
        token_file = self.file("token", token.stdout)
        self.arguments = ["mcp", "--server", url, "--cluster", "prod", "--token-file", token_file]

    def file(self, name, text):
        path = Path(self.state, name)
        path.write_text(text)
        return str(path)

    def key(self, name):
        """Makes a person's key, and says its public half as a policy lists it."""
        path = str(Path(self.state, f"{name}.pem"))
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
        public = ["openssl", "pkey", "-in", path, "-pubout"]
        public = subprocess.run(public, capture_output=True, text=True, check=True).stdout
        return "".join(line for line in public.splitlines() if "-----" not in line)

    def person(self, *words):
        """A command of a person, beside the agent."""
        command = [self.operator, *words, *self.flags, *self.who]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        self.by_people.append(shlex.join(["operator", *words]))
        return done.stdout

    def approve(self, waits):
        """A person agrees to exactly the plan that they have read."""
        seen = waits["plan"]["plan_hash"]
        self.person("approve", waits["proposal_id"], "--plan", seen, "--reason", "looks right")

    def end(self):
        for process in (self.gate, self.sim):
            if process:
                process.terminate()
                process.wait()


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
    """The next call for each answer; `None` when it is over. It keeps what was said."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.steps = play(cluster)
        self.begun = False
        self.over = False
        self.said = []

    def next(self, answer):
        try:
            if self.begun:
                answer = said(answer)
                self.said.append(in_short(answer))
            self.cluster.by_people.clear()
            call = self.steps.send(answer if self.begun else None)
            self.begun = True
        except StopIteration:
            call = None
            self.over = True
        self.said += [f"    $ {command}" for command in self.cluster.by_people]
        if call:
            self.said.append(f"`{call[0]}` {json.dumps(call[1])}")
        return call

    def transcript(self):
        """What was said, without what differs from run to run."""
        text = "\n\n".join(self.said)
        text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
        ids = {}
        found = r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b"
        return re.sub(found, lambda match: ids.setdefault(match.group(0), f"ID-{len(ids) + 1}"), text)


def in_short(answer):
    """What an agent goes by in an answer."""
    if "standing" in answer:
        return f"> `{answer['standing']}`: {answer['summary']}. Next: {answer['next']}."
    lists = [f"{len(found)} {name}" for name, found in answer.items() if isinstance(found, list)]
    verdict = answer.get("plan", {}).get("verdict")
    return f"> {verdict['code']}: {verdict['text']}" if verdict else f"> {', '.join(lists) or ', '.join(answer)}"
