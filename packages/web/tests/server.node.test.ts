/** Node only: an HTTP server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type PageServer, servePage } from "../scripts/server.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "mimus-web-"));
  for (const name of ["page", "guests", "pageant"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "page/index.html"), "the page");
  writeFileSync(join(folder, "guests/linux"), "a kernel");
  writeFileSync(join(folder, "pageant/secret"), "secret");
  writeFileSync(join(folder, "secret"), "secret");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** As `fetch`, which would tidy the path up. */
function raw(
  server: PageServer,
  path: string,
  method = "GET",
): Promise<{ status: number; body: string; coep: unknown }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(server.url);
    const sent = request({ host: "localhost", port, path, method }, (response) => {
      let body = "";
      response.on("data", (part: Buffer) => (body += part.toString()));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body, coep: response.headers["cross-origin-embedder-policy"] }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe.each([true, false])("isolated: %s", (isolated) => {
  let server: PageServer;
  beforeAll(async () => {
    server = await servePage({ page: join(folder, "page"), guests: join(folder, "guests"), isolated, port: 0 });
  });
  afterAll(() => server.close());

  test("serves the page and the guests, with the headers asked for", async () => {
    const coep = isolated ? "require-corp" : undefined;
    expect(await raw(server, "/")).toEqual({ status: 200, body: "the page", coep });
    expect(await raw(server, "/index.html?kernel=x")).toEqual({ status: 200, body: "the page", coep });
    expect(await raw(server, "/guests/linux")).toEqual({ status: 200, body: "a kernel", coep });
    expect(await raw(server, "/guests/linux", "HEAD")).toEqual({ status: 200, body: "", coep });
  });

  test.each([
    "/../secret",
    "/%2e%2e/secret",
    "/..%2fsecret",
    "/guests/..%2f..%2fsecret",
    "/guests/%2e%2e%2fsecret",
    "/..%2fpageant%2fsecret",
    "//etc/passwd",
    "/%00",
    "/%",
    "/guests",
    "/guests/",
    "/none",
  ])("%s leads nowhere", async (path) => {
    expect((await raw(server, path)).status).toBe(404);
  });

  test("only reads", async () => {
    expect((await raw(server, "/index.html", "POST")).status).toBe(404);
  });
});
