// A provider of identities that nobody here wrote, `oidc-provider`, issues tokens for a gate, and the official
// TypeScript SDK finds it by what the gate says. People log in at the same provider, with a browser that keeps
// cookies as one does: `node play.mjs OPERATOR`.
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { ClientCredentialsProvider } from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";
import { Browser, hidden } from "./browser.mjs";

const operator = process.argv[2];
const place = mkdtempSync(join(tmpdir(), "issuer-"));
const started = [];
const SECRET = "s".repeat(43);

function expect(what, found, wanted) {
  console.log(`${what}: ${found}`);
  if (found !== wanted) {
    throw new Error(`${what}: wanted ${wanted}, found ${found}`);
  }
}

/** What a program prints that fits, once it does. */
function begin(words, pattern) {
  const program = spawn(operator, words, { env: { ...process.env, OPERATOR_SETTLE_FOR: "0s" } });
  started.push(program);
  return new Promise((found, failed) => {
    let text = "";
    const look = (more) => {
      text += more;
      const match = pattern.exec(text);
      if (match) found(match[1]);
    };
    program.stdout.on("data", look);
    program.stderr.on("data", look);
    program.on("exit", () => failed(new Error(text)));
  });
}

/** A port that nobody has, for who must know it beforehand. */
async function port() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const found = server.address().port;
  await new Promise((closed) => server.close(closed));
  return found;
}

async function pair(kid) {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(privateKey)), kid, alg: "ES256", use: "sig" } };
}

/** What the provider answers instead of exchanging the next code, if that is set. */
let instead;

/** A client of the provider's at which people log in. */
function client(client_id, redirect_uri) {
  return {
    client_id,
    client_secret: SECRET,
    redirect_uris: [redirect_uri],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    id_token_signed_response_alg: "ES256",
    require_auth_time: true,
  };
}

/**
 * A provider with this key, whose access tokens are JWTs for the resource that is asked for, and at which
 * everybody is Ana, once they are asked.
 */
async function serveProvider(issuer, key, gate) {
  const provider = new Provider(issuer, {
    jwks: { keys: [key.jwk] },
    cookies: { keys: ["one key"] },
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    loadExistingGrant: async ({ oidc }) => {
      const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope("openid");
      await grant.save();
      return grant;
    },
    clients: [
      client("gate", `${gate}/login/callback`),
      client("other", "http://127.0.0.1:9/back"),
      {
        client_id: "night",
        client_secret: SECRET,
        grant_types: ["client_credentials"],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: "ES256",
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: "",
          audience: resource,
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
  });
  const rest = provider.callback();
  const server = createServer(async (request, response) => {
    if (request.url.startsWith("/interaction/")) {
      await provider.interactionFinished(request, response, { login: { accountId: "00u1ana" } });
    } else if (request.url === "/token" && instead) {
      const id_token = await instead;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ id_token, access_token: "x", token_type: "Bearer" }));
    } else {
      rest(request, response);
    }
  });
  server.listen(Number(new URL(issuer).port), "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function stopProvider(server) {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}

try {
  const pd = await begin(["sim"], /(http:\/\/127\.0\.0\.1:\d+)/);
  const { id } = JSON.parse((await (await fetch(`${pd}/pd/api/v1/cluster`)).text()).replace(/"id":\s*(\d+)/, '"id":"$1"'));
  const issuer = `http://127.0.0.1:${await port()}`;
  const gate = `http://127.0.0.1:${await port()}`;
  const config = join(place, "config.toml");
  const policy = join(place, "policy.toml");
  const vouching = generateKeyPairSync("ed25519");
  const sessionKey = join(place, "session.key");
  writeFileSync(sessionKey, vouching.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const bob = generateKeyPairSync("ed25519");
  const bobsKey = join(place, "bob.pem");
  writeFileSync(bobsKey, bob.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  const bobs = bob.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const vouched = vouching.publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const clientSecret = join(place, "client-secret");
  writeFileSync(clientSecret, `${SECRET}\n`, { mode: 0o600 });
  writeFileSync(
    config,
    `[clusters.prod]\nsubject = "tikv"\npd = "${pd}"\ncluster_id = "${id}"\n` +
      `[serve]\nurl = "${gate}"\nsession_key = "${sessionKey}"\n[serve.login]\nname = "corp"\n` +
      `issuer = "${issuer}"\nauthorization_endpoint = "${issuer}/auth"\ntoken_endpoint = "${issuer}/token"\n` +
      `jwks_uri = "${issuer}/jwks"\nclient_id = "gate"\nclient_secret_file = "${clientSecret}"\n` +
      `algorithms = ["ES256"]\n[[serve.login.subject]]\nsub = "00u1ana"\nname = "ana"\n` +
      `[[serve.issuer]]\nname = "corp"\nissuer = "${issuer}"\n` +
      `jwks_uri = "${issuer}/jwks"\nkind = "agent"\nalgorithms = ["ES256"]\n` +
      `[[serve.issuer.subject]]\nsub = "night"\nname = "night"\nclusters = ["prod"]\nup_to = "high"\n`,
  );
  writeFileSync(
    policy,
    `version = 1\n[[person]]\nname = "user:bob"\nkey = "${bobs}"\n[[gate]]\nname = "gate"\nkey = "${vouched}"\n[[rule]]\nname = "drains"\naction = "drain_store"\n` +
      'decision = "approve"\nby = "user:*"\nttl = "15m"\napproval_proven_by = "oidc"\n' +
      '[[rule]]\nname = "agents"\nproven_by = "oidc"\ndecision = "allow"\n',
  );
  const first = await pair("first");
  let provider = await serveProvider(issuer, first, gate);
  const files = ["--config", config, "--policy-file", policy, "--state-dir", join(place, "state")];
  const signed = ["--actor", "user:bob", "--sign-with", bobsKey];
  const mode = spawn(operator, ["mode", "execute", "--reason", "a test", ...signed, ...files]);
  const [set] = await once(mode, "exit");
  if (set !== 0) throw new Error(`the mode is not set: ${set}`);
  await begin(["serve", "--up-to", "high", "--listen", new URL(gate).host, ...files], /(serves)/);

  const ask = (path, token, body) =>
    fetch(`${gate}${path}`, {
      method: body ? "POST" : "GET",
      headers: token ? { authorization: `Bearer ${token}` } : {},
      body: body && JSON.stringify(body),
    });
  const status = async (token) => (await ask("/api/v1/me", token)).status;

  // Where tokens come from is found out as a client of MCP finds it.
  const refused = await ask("/mcp/prod", undefined, {});
  expect("without a token", refused.status, 401);
  const pointer = /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate"))[1];
  const metadata = await (await fetch(pointer)).json();
  const discovered = metadata.authorization_servers[0];
  const about = await (await fetch(`${discovered}/.well-known/openid-configuration`)).json();
  expect("the provider that is found", about.issuer, issuer);
  const issued = async (resource) => {
    const form = new URLSearchParams({ grant_type: "client_credentials", ...(resource && { resource }) });
    const basic = Buffer.from(`night:${SECRET}`).toString("base64");
    const answer = await fetch(about.token_endpoint, {
      method: "POST",
      headers: { authorization: `Basic ${basic}` },
      body: form,
    });
    const body = await answer.json();
    if (!body.access_token) throw new Error(JSON.stringify(body));
    return body.access_token;
  };

  const token = await issued(metadata.resource);
  expect("with its access token", await status(token), 200);
  const { regions } = await (await fetch(`${pd}/pd/api/v1/regions`)).json();
  const [region] = regions;
  const follower = region.peers.find((peer) => peer.store_id !== region.leader.store_id);
  const parameters = { region_id: region.id, to_store_id: String(follower.store_id) };
  const asked = await ask("/api/v1/clusters/prod/proposals", token, { action: "transfer_leader", parameters });
  const { proposal } = await asked.json();
  const proof = proposal.request.proven_by;
  expect("who asks", `${proposal.request.actor} by ${proof.kind} of ${proof.issuer}`, "agent:night by oidc of corp");
  const done = await (await ask(`/api/v1/proposals/${proposal.id}/execute`, token, {})).json();
  expect("what was asked for", done.phase, "applied");

  expect("an access token for another cluster", await status(await issued(`${gate}/mcp/other`)), 401);
  expect("an access token for another server", await status(await issued("http://127.0.0.1:9/mcp/prod")), 401);
  expect("an access token that is no JWT", await status(await issued()), 401);
  const idToken = new SignJWT({}).setProtectedHeader({ alg: "ES256", kid: "first", typ: "JWT" });
  idToken.setIssuer(issuer).setSubject("night").setAudience(metadata.resource).setIssuedAt().setExpirationTime("5m");
  expect("an ID token", await status(await idToken.sign(first.privateKey)), 401);

  // The official SDK finds the provider by itself, and asks for a token for just this gate and cluster.
  const authProvider = new ClientCredentialsProvider({ clientId: "night", clientSecret: SECRET, expectedIssuer: issuer });
  const client = new Client({ name: "play", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(new URL(metadata.resource), { authProvider }));
  const listed = await client.callTool({ name: "list_stores", arguments: {} });
  expect("stores, by the SDK of TypeScript", listed.structuredContent.stores.length, 5);
  await client.close();

  // A person logs in with a browser, and approves what the agent asks for.
  const ana = new Browser(gate);
  const arrived = await ana.logIn();
  expect("who has logged in", /user:ana<\/strong>, identity proven by the issuer corp/.test(arrived.text), true);
  const drain = { action: "drain_store", parameters: { store_id: "4" } };
  const waiting = (await (await ask("/api/v1/clusters/prod/proposals", token, drain)).json()).proposal;
  const page = await ana.get(`${gate}/proposals/${waiting.id}`);
  expect("the plan that is shown", hidden(page.text, "plan_hash"), waiting.plan_hash);
  const decision = { csrf: hidden(page.text, "csrf"), plan_hash: waiting.plan_hash, reason: "" };
  const elsewhere = await ana.post(`${gate}/proposals/${waiting.id}/approve`, decision, "http://evil.example");
  expect("by another page", elsewhere.status, 403);
  const approved = await ana.post(`${gate}/proposals/${waiting.id}/approve`, decision);
  expect("approved in a browser", approved.status, 200);
  const stands = await (await ask(`/api/v1/proposals/${waiting.id}`, token)).json();
  const [approval] = stands.approvals;
  expect("how it stands", `${stands.phase} by ${approval.by.actor}, ${approval.by.proven_by.kind}`, "approved by user:ana, oidc");
  const carried = await (await ask(`/api/v1/proposals/${waiting.id}/execute`, token, {})).json();
  expect("carried out", carried.phase, "applied");
  for (const path of ["/api/v1/me", "/mcp/prod", "/events"]) {
    expect(`her cookie at ${path}`, (await ana.get(`${gate}${path}`)).status, 403);
  }

  // What is tried with a login.
  const thief = new Browser(gate);
  const back = await thief.visit(await thief.begin());
  const code = hidden(back.text, "code");
  const again = { csrf: hidden(back.text, "csrf"), code, state: hidden(back.text, "state") };
  const kept = thief.kept();
  expect("a code", (await thief.post(`${gate}/login/finish`, again)).status, 200);
  const later = new Browser(gate, kept);
  expect("the same once more", (await later.post(`${gate}/login/finish`, again)).status, 403);
  const anew = await later.visit(await later.begin());
  const replayed = { csrf: hidden(anew.text, "csrf"), code, state: hidden(anew.text, "state") };
  expect("its code in another login", (await later.post(`${gate}/login/finish`, replayed)).status, 403);
  const tried = async (audience) => {
    const browser = new Browser(gate);
    const address = await browser.begin();
    const answered = await browser.visit(address);
    const made = new SignJWT({ nonce: new URL(address).searchParams.get("nonce") });
    made.setProtectedHeader({ alg: "ES256", kid: "first" }).setIssuer(issuer).setSubject("00u1ana");
    instead = made.setAudience(audience).setIssuedAt().setExpirationTime("5m").sign(first.privateKey);
    const [csrf, fresh, state] = ["csrf", "code", "state"].map((name) => hidden(answered.text, name));
    const answer = await browser.post(`${gate}/login/finish`, { csrf, code: fresh, state });
    instead = undefined;
    return answer.status;
  };
  expect("an ID token of another client", await tried("other"), 403);
  expect("an ID token of another client, too", await tried(["gate", "other"]), 403);
  expect("an ID token of this client", await tried("gate"), 200);

  // The provider's key is another from one moment to the next.
  await stopProvider(provider);
  expect("while the provider is down", await status(token), 200);
  expect("who is logged in stays so", (await ana.get(`${gate}/`)).status, 200);
  provider = await serveProvider(issuer, await pair("second"), gate);
  let logins = 60;
  while (!(await new Browser(gate).logIn()).text.includes("user:ana") && logins > 0) {
    logins -= 1;
    await wait(1_000);
  }
  expect("a login with the next key", logins > 0, true);
  const out = await ana.post(`${gate}/logout`, { csrf: hidden((await ana.get(`${gate}/`)).text, "csrf") });
  expect("logged out", out.text.includes("<h1>Log in</h1>"), true);
  const next = await issued(metadata.resource);
  let tries = 60;
  while ((await status(next)) !== 200 && tries > 0) {
    tries -= 1;
    await wait(1_000);
  }
  expect("with the next key", await status(next), 200);
  expect("with the key that is gone", await status(token), 401);
  await stopProvider(provider);
  console.log("all of it went as it should");
} finally {
  started.forEach((program) => program.kill());
}
