import type { Agent, IncomingMessage } from "node:http";

import { late } from "../builtins.ts";

/** The part of `fetch` that image drivers use; `insecure` is beyond the standard: certificates are not checked. */
export interface FetchRequest {
  readonly method: "GET";
  readonly headers: Readonly<Record<string, string>>;
  readonly insecure?: boolean;
}

/** The part of a response that image drivers use. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: {
    getReader(): {
      read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
      cancel(): Promise<void>;
    };
  };
}

/** Redirections that are followed. */
const MAX_REDIRECTS = 10;

/** How servers are spoken to: in the clear, encrypted, encrypted with somebody who may be anybody. */
type Way = "plain" | "checked" | "unchecked";
const SETTINGS = { keepAlive: true, maxSockets: 8 };
const agents: Map<Way, Agent> = new Map();

function agentFor(way: Way): Agent {
  let agent = agents.get(way);
  if (agent === undefined) {
    agent =
      way === "plain"
        ? new late.http.Agent(SETTINGS)
        : new late.https.Agent({ ...SETTINGS, rejectUnauthorized: way === "checked" });
    agents.set(way, agent);
  }
  return agent;
}

/** HTTP for image drivers: connections are kept, certificates are checked unless `insecure` says otherwise. */
export async function nodeFetch(url: string, request: FetchRequest): Promise<FetchResponse> {
  let here = new URL(url);
  let headers = request.headers;
  for (let n = 0; n <= MAX_REDIRECTS; n++) {
    const message = await send(here, { ...request, headers });
    const { location } = message.headers;
    if (![301, 302, 303, 307, 308].includes(message.statusCode ?? 0) || location === undefined)
      return response(message);
    message.destroy();
    const next = new URL(location, here);
    if (next.protocol !== "http:" && next.protocol !== "https:") throw new Error(`redirected to ${next.protocol}`);
    if (here.protocol === "https:" && next.protocol === "http:") throw new Error("redirected from https to http");
    // Another server must not learn what was meant for the first.
    if (next.origin !== here.origin) {
      const { authorization: _a, cookie: _c, ...rest } = headers;
      headers = rest;
    }
    here = next;
  }
  throw new Error(`more than ${MAX_REDIRECTS} redirections`);
}

function send(url: URL, { headers, insecure }: FetchRequest): Promise<IncomingMessage> {
  const tls = url.protocol === "https:";
  const agent = agentFor(tls ? (insecure === true ? "unchecked" : "checked") : "plain");
  return new Promise((resolve, reject) => {
    const call = (tls ? late.https : late.http).request(url, { method: "GET", headers, agent }, resolve);
    call.once("error", reject);
    call.end();
  });
}

function response(message: IncomingMessage): FetchResponse {
  return {
    status: message.statusCode ?? 0,
    headers: {
      get(name) {
        const value = message.headers[name];
        return value === undefined ? null : String(value);
      },
    },
    body: {
      getReader() {
        const pieces = message[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
        return {
          async read() {
            const { done, value } = await pieces.next();
            return done === true ? { done: true } : { done: false, value };
          },
          async cancel() {
            message.destroy();
          },
        };
      },
    },
  };
}
