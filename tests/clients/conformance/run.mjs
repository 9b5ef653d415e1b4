// The official conformance suite at a server over HTTP: `node run.mjs SERVER ERA`, where SERVER is the example
// `conformance` of operator-mcp and ERA is a version of the protocol, or `tasks` for the extension of
// that name. `not-applicable-ERA.yml` lists what our server has nothing for, with the reason: what is listed
// there and passes is a failure, as what fails and is not listed.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [server, era] = process.argv.slice(2);
const here = import.meta.dirname;

const results = mkdtempSync(join(tmpdir(), "conformance-"));
const serving = spawn(server, { stdio: ["ignore", "pipe", "inherit"] });
try {
  const url = await new Promise((found, lost) => {
    serving.stdout.once("data", (text) => found(String(text).trim()));
    serving.once("exit", () => lost(new Error("the server has ended")));
  });
  const list = join(here, `not-applicable-${era}.yml`);
  const release = era === "tasks" ? "2026-07-28" : era;
  const suite = join(here, "node_modules", `conformance-${release}`, "dist", "index.js");
  const run = (...words) => spawnSync(process.execPath, [suite, ...words], { encoding: "utf8" });
  const common = ["server", "--url", url, "--expected-failures", list, "-o", results];
  // What is an extension is in no suite, and run one by one.
  const tasks = () => run("list", "--server").stdout.match(/(?<=- )tasks-\S+/g);
  const runs =
    era === "tasks"
      ? tasks().map((scenario) => run(...common, "--scenario", scenario, "--timeout", "90000"))
      : [run(...common, "--suite", "all", "--spec-version", era)];

  const listed = readFileSync(list, "utf8").match(/(?<=^ +- )\S+/gm) ?? [];
  let scenarios = 0;
  let [passed, checks, checksPassed] = [0, 0, 0];
  for (const name of readdirSync(results)) {
    const scenario = name.replace(/^server-/, "").replace(/-\d{4}-\d{2}-\d{2}T.*$/, "");
    if (listed.includes(scenario)) continue;
    const found = JSON.parse(readFileSync(join(results, name, "checks.json"), "utf8"));
    const isJudged = (check) => !["INFO", "SKIPPED"].includes(check.status);
    const applies = found.filter((check) => isJudged(check) && !listed.includes(`${scenario}:${check.id}`));
    const fine = applies.filter((check) => check.status === "SUCCESS");
    scenarios += 1;
    checks += applies.length;
    checksPassed += fine.length;
    passed += fine.length === applies.length ? 1 : 0;
  }
  const leftOut = `${listed.length} of the suite's do not apply`;
  console.log(`conformance ${era}: ${passed} of ${scenarios} scenarios, ${checksPassed} of ${checks} checks; ${leftOut}`);
  const failed = runs.filter((ran) => ran.status !== 0);
  if (failed.length > 0 || scenarios === 0 || passed !== scenarios) {
    for (const ran of failed) console.error(ran.stdout.slice(-2000), ran.stderr);
    process.exitCode = 1;
  }
} finally {
  serving.kill();
  rmSync(results, { recursive: true });
}
