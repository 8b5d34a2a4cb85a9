/** A small static server for development and tests: the page, and a folder of guests under /guests/. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, resolve, sep } from "node:path";

export interface ServeOptions {
  /** The built page. */
  readonly page: string;
  /** Kernels and firmware, under /guests/; nothing there when absent. */
  readonly guests?: string;
  /** Sends the headers that make the page cross-origin isolated. */
  readonly isolated: boolean;
  /** 0: any free one. */
  readonly port: number;
}

export interface PageServer {
  /** `"http://localhost:8000/"` */
  readonly url: string;
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".map": "application/json",
  ".txt": "text/plain; charset=utf-8",
};

/** Serves to this machine only. */
export async function servePage({ page, guests, isolated, port }: ServeOptions): Promise<PageServer> {
  const headers: Readonly<Record<string, string>> = {
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    ...(isolated
      ? { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" }
      : {}),
  };
  const server = createServer((request, response) => {
    const path = fileOf(request.url ?? "/", page, guests);
    const found = path === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
    if (path === undefined || found?.isFile() !== true || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(404, { ...headers, "content-type": "text/plain" }).end("not found\n");
      return;
    }
    response.writeHead(200, {
      ...headers,
      "content-type": TYPES[extname(path)] ?? "application/octet-stream",
      "content-length": found.size,
    });
    if (request.method === "HEAD") response.end();
    else createReadStream(path).pipe(response);
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed);
    server.listen(port, "localhost", listening);
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/** The file for an address; undefined outside both folders. */
function fileOf(address: string, page: string, guests: string | undefined): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(new URL(address, "http://localhost/").pathname);
  } catch {
    return undefined;
  }
  const guest = path.startsWith("/guests/");
  if (path.includes("\0") || (guest && guests === undefined)) return undefined;
  const root = resolve(guest ? (guests ?? "") : page);
  const file = resolve(root, `.${guest ? path.slice("/guests".length) : path === "/" ? "/index.html" : path}`);
  return file.startsWith(root + sep) ? file : undefined;
}
