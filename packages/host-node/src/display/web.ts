import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { type DisplayConsole, type InputRouter, remoteInput } from "@mimus/display";

import { late } from "../builtins.ts";
import { page } from "./page.ts";
import { Viewers } from "./viewers.ts";

/** What a display shows, and where what is typed goes. */
export interface DisplayTarget {
  readonly title: string;
  readonly console: DisplayConsole;
  readonly input: InputRouter;
  /** Runs `act` where the machine takes what comes from outside. */
  post(act: () => void): void;
}

/** Where the page is served. */
export interface WebDisplayOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

/** A display that runs until it is closed. */
export interface RunningDisplay {
  /** For people: where to look. */
  readonly address: string;
  /** Ends it; the machine goes on. */
  close(): Promise<void>;
}

/** Milliseconds between looks at the screen, and the longest that a browser waits for a change. */
const FRAME = 33;
const PATIENCE = 20_000;
const MOST_BODY = 65_536;

/**
 * Serves one page that shows the screen: the address has a secret, requests for another host's name are refused.
 * A browser asks for changes and waits for the answer; what is typed is posted.
 * @throws Error when the port cannot be had
 */
export async function webDisplay(target: DisplayTarget, options: WebDisplayOptions): Promise<RunningDisplay> {
  const secret = late.crypto.randomBytes(12).toString("base64url");
  const viewers = new Viewers(target.console);
  const life = { over: false };

  const frame = async (id: string, response: ServerResponse): Promise<void> => {
    const viewer = viewers.of(id);
    const until = Date.now() + PATIENCE;
    let message = viewer.feed.take();
    while (message === undefined && !life.over && Date.now() < until && !response.destroyed) {
      await new Promise((resolve) => void setTimeout(resolve, FRAME).unref());
      message = viewer.feed.take();
    }
    viewer.seen = Date.now();
    if (response.destroyed) {
      viewer.feed.again();
      return;
    }
    const pointer = target.input.absolute ? "absolute" : "relative";
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-encoding": "gzip",
      "cache-control": "no-store",
      "x-pointer": pointer,
    });
    response.end(await packed(message ?? new Uint8Array(0)));
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://host");
    const [, key, what] = url.pathname.split("/");
    if (key !== secret || !localName(request.headers.host, options.host)) return refuse(response, 404);
    if (request.method === "GET" && what === "") {
      const nonce = late.crypto.randomBytes(12).toString("base64url");
      response.writeHead(200, {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'`,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
      });
      response.end(page(target.title, nonce));
    } else if (request.method === "GET" && what === "frame")
      await frame((url.searchParams.get("session") ?? "").slice(0, 64), response);
    else if (request.method === "POST" && what === "input") {
      const events = await body(request);
      target.post(() => remoteInput(target.input, events));
      response.writeHead(204).end();
    } else refuse(response, 404);
  };

  const server = late.http.createServer((request, response) => {
    answer(request, response).catch(() => refuse(response, 400));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}/${secret}/`,
    close: async () => {
      life.over = true;
      viewers.close();
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

/** Whether a request names this host as the user would: a page elsewhere cannot make its own name lead here. */
function localName(header: string | undefined, host: string): boolean {
  const name = (header ?? "").replace(/:\d+$/, "").replaceAll(/[[\]]/g, "");
  return name === host || name === "localhost" || /^[\d.]+$/.test(name) || name.includes(":");
}

function refuse(response: ServerResponse, status: number): void {
  if (!response.headersSent) response.writeHead(status);
  response.end();
}

function packed(bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) =>
    late.zlib.gzip(bytes, { level: 1 }, (error, out) => (error === null ? resolve(out) : reject(error))),
  );
}

async function body(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BODY) throw new Error("too long");
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString("utf8")) as unknown;
}
