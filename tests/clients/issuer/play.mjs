// A provider of identities that nobody here wrote, `oidc-provider`, issues tokens for a gate, and the official
// TypeScript SDK finds it by what the gate says: `node play.mjs OPERATOR`.
import { spawn } from "node:child_process";
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

/** A provider with this key, whose access tokens are JWTs for the resource that is asked for. */
async function serveProvider(issuer, key) {
  const provider = new Provider(issuer, {
    jwks: { keys: [key.jwk] },
    clients: [
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
  const server = provider.listen(Number(new URL(issuer).port), "127.0.0.1");
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
  writeFileSync(
    config,
    `[clusters.prod]\nsubject = "tikv"\npd = "${pd}"\ncluster_id = "${id}"\n` +
      `[serve]\nurl = "${gate}"\n[[serve.issuer]]\nname = "corp"\nissuer = "${issuer}"\n` +
      `jwks_uri = "${issuer}/jwks"\nkind = "agent"\nalgorithms = ["ES256"]\n` +
      `[[serve.issuer.subject]]\nsub = "night"\nname = "night"\nclusters = ["prod"]\nup_to = "medium"\n`,
  );
  writeFileSync(policy, 'version = 1\n[[rule]]\nname = "agents"\nproven_by = "oidc"\ndecision = "allow"\n');
  const first = await pair("first");
  let provider = await serveProvider(issuer, first);
  const files = ["--config", config, "--policy-file", policy, "--state-dir", join(place, "state")];
  const mode = spawn(operator, ["mode", "execute", "--reason", "a test", ...files]);
  await once(mode, "exit");
  await begin(["serve", "--up-to", "medium", "--listen", new URL(gate).host, ...files], /(serves)/);

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

  // The provider's key is another from one moment to the next.
  await stopProvider(provider);
  expect("while the provider is down", await status(token), 200);
  provider = await serveProvider(issuer, await pair("second"));
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
