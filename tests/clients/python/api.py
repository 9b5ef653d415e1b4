"""Holds a gate's API to its own OpenAPI document, with requests that schemathesis makes of it: `api.py OPERATOR`.

Some are right by the document and some are wrong; an agent with a token sends them, and somebody who has nothing. No
answer is a failure of the server, each has a status that the document names for it, and the form that it says.
"""

import os
import subprocess
import sys
from pathlib import Path

from script import Cluster

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"

# What is there, so that more than "there is no such thing" is answered.
KNOWN = """
[parameters]
"path.cluster" = "prod"
"path.name" = "list_stores"
"""


def play(cluster, url, head, examples):
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", cluster.file("known.toml", KNOWN)]
    command += ["run", f"{url}/api/v1/openapi.json", "--checks", CHECKS, "--max-examples", str(examples)]
    # A stream has no end to wait for.
    command += ["--exclude-path", "/events"]
    command += ["--rate-limit", "550/m", "--seed", os.environ.get("CAMPAIGN_SEED", "1"), "--no-color", *head]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cluster.state)
    if done.returncode != 0:
        raise AssertionError(f"{head[:1]}\n{done.stdout}\n{done.stderr}")
    return next(line.strip() for line in reversed(done.stdout.splitlines()) if "generated," in line)


def main():
    cluster = Cluster(sys.argv[1], "stranger", at_gate=True)
    try:
        url = cluster.arguments[cluster.arguments.index("--server") + 1]
        token = Path(cluster.state, "token").read_text().strip()
        for who, head, examples in [("nobody", [], 3), ("an agent", ["-H", f"Authorization: Bearer {token}"], 15)]:
            print(f"api: as {who}: {play(cluster, url, head, examples)}", flush=True)
    finally:
        cluster.end()


main()
