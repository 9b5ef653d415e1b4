// As much of a browser as a login takes: cookies of each host, redirects, and forms with an `Origin`.

/** What a form has in it unseen. */
export function hidden(text, name) {
  const found = new RegExp(`name="${name}" value="([^"]*)"`).exec(text);
  if (!found) throw new Error(`no ${name}: ${text}`);
  return found[1].replaceAll("&amp;", "&");
}

export class Browser {
  #gate;
  #cookies;

  constructor(gate, cookies = new Map()) {
    this.#gate = gate;
    this.#cookies = cookies;
  }

  /** Its cookies, for another one that has them. */
  kept() {
    return new Map([...this.#cookies].map(([host, jar]) => [host, new Map(jar)]));
  }

  async #ask(address, options = {}) {
    const { host } = new URL(address);
    const jar = this.#cookies.get(host) ?? new Map();
    this.#cookies.set(host, jar);
    const headers = { ...options.headers };
    if (jar.size > 0) headers.cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(address, { ...options, headers, redirect: "manual" });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (/max-age=0(;|$)|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    const place = answer.headers.get("location");
    if (place) return this.#ask(new URL(place, address).href);
    return { status: answer.status, text: await answer.text(), address };
  }

  get(address) {
    return this.#ask(address);
  }

  post(address, form, origin = new URL(address).origin) {
    return this.#ask(address, { method: "POST", headers: { origin }, body: new URLSearchParams(form) });
  }

  /** Begins a login: where the provider is to be asked. */
  async begin() {
    const page = await this.get(`${this.#gate}/login`);
    const next = await this.post(`${this.#gate}/login`, { csrf: hidden(page.text, "csrf") });
    return /content="0; url=([^"]+)"/.exec(next.text)[1].replaceAll("&amp;", "&");
  }

  /** Logs in at the provider: the page of the gate that it comes back to. */
  visit(address) {
    return this.get(address);
  }

  /** All of it: the page that is seen afterwards. */
  async logIn() {
    const back = await this.visit(await this.begin());
    const form = Object.fromEntries(["csrf", "code", "state"].map((name) => [name, hidden(back.text, name)]));
    return this.post(`${this.#gate}/login/finish`, form);
  }
}
