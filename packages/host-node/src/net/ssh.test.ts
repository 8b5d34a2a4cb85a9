import { createHash, createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import ssh2 from "ssh2";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

import { knownHost } from "./known-hosts.ts";
import { nodeSsh } from "./ssh.ts";

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;
const keys = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 });
const parsed = ssh2.utils.parseKey(keys.public);
const publicKey = (parsed as unknown as { getPublicSSH(): Buffer }).getPublicSSH();
let content = Buffer.alloc(0);
let server: ssh2.Server;
let port = 0;
let home = "";
let clients: ssh2.Connection[] = [];

/** A server with one file, /disk. */
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "mimus-ssh-"));
  server = new ssh2.Server({ hostKeys: [keys.private] }, (client) => {
    clients.push(client);
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      if (context.method === "password" && context.username === "me" && context.password === "secret") context.accept();
      else context.reject(["password"]);
    });
    client.on("session", (accept) => accept().on("sftp", (take) => serve(take())));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});
afterEach(() => {
  for (const client of clients) client.end();
  clients = [];
});

function serve(sftp: ssh2.SFTPWrapper): void {
  const events = sftp as unknown as { on(event: string, act: (id: number, ...args: never[]) => void): void };
  const handle = Buffer.from([1]);
  events.on("OPEN", (id: number, path: never, flags: never) => {
    if (path !== "/disk") return void sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    if (flags & OPEN_MODE.TRUNC) content = Buffer.alloc(0);
    sftp.handle(id, handle);
  });
  events.on("FSTAT", (id: number) => sftp.attrs(id, { size: content.length } as never));
  events.on("FSETSTAT", (id: number, _: never, attrs: never) => {
    const { size } = attrs as { size?: number };
    if (size !== undefined)
      content = Buffer.concat([content.subarray(0, size), Buffer.alloc(Math.max(0, size - content.length))]);
    sftp.status(id, STATUS_CODE.OK);
  });
  events.on("READ", (id: number, _: never, at: never, length: never) => {
    const bytes = content.subarray(at, (at as number) + (length as number));
    if (bytes.length === 0) sftp.status(id, STATUS_CODE.EOF);
    else sftp.data(id, bytes);
  });
  events.on("WRITE", (id: number, _: never, at: never, data: never) => {
    const end = (at as number) + (data as Buffer).length;
    if (end > content.length) content = Buffer.concat([content, Buffer.alloc(end - content.length)]);
    (data as Buffer).copy(content, at);
    sftp.status(id, STATUS_CODE.OK);
  });
  events.on("CLOSE", (id: number) => sftp.status(id, STATUS_CODE.OK));
}

const target = {
  host: "127.0.0.1",
  user: "me",
  password: "secret",
  path: "/disk",
  hostKey: { mode: "none" },
  writable: true,
} as const;

test("reads, writes, grows a file on another machine", async () => {
  content = Buffer.alloc(100_000, 7);
  const file = await nodeSsh({ ...target, port });
  expect(await file.size()).toBe(100_000);
  const into = new Uint8Array(99_000);
  expect(await file.read(500, into)).toBe(99_000);
  expect(into.every((byte) => byte === 7)).toBe(true);
  expect(await file.read(99_990, new Uint8Array(100))).toBe(10);
  await file.write(99_999, new Uint8Array(70_000).fill(9));
  expect([content.length, content[99_998], content[169_998]]).toEqual([169_999, 7, 9]);
  await file.truncate(200_000);
  expect(await file.size()).toBe(200_000);
  await file.flush();
  await file.close();
  await (await nodeSsh({ ...target, port, create: true })).close();
  expect(content.length).toBe(0);
});

test("a wrong password, a missing file, another server: each with its reason", async () => {
  await expect(nodeSsh({ ...target, port, password: "wrong" })).rejects.toMatchObject({ kind: "permission" });
  await expect(nodeSsh({ ...target, port, path: "/nothing" })).rejects.toMatchObject({ kind: "not-found" });
  await expect(nodeSsh({ ...target, port: 1 })).rejects.toThrow(/ECONNREFUSED/);
  const hash = createHash("sha256").update(publicKey).digest("hex");
  await (await nodeSsh({ ...target, port, hostKey: { mode: "hash", type: "sha256", hash } })).close();
  const wrong = { mode: "hash", type: "sha256", hash: hash.replace(/^./, (c) => (c === "0" ? "1" : "0")) } as const;
  await expect(nodeSsh({ ...target, port, hostKey: wrong })).rejects.toThrow(/does not match host_key_check/);
});

test("a lost connection is an error, not a wait", async () => {
  content = Buffer.alloc(1000);
  const file = await nodeSsh({ ...target, port });
  for (const client of clients) client.end();
  await expect(file.read(0, new Uint8Array(10))).rejects.toMatchObject({ kind: "io" });
  await file.close();
});

test("known_hosts: names, ports, patterns, hashes, revoked keys", () => {
  const path = join(home, "known_hosts");
  const key = Buffer.from("the key");
  const data = key.toString("base64");
  const salt = Buffer.from("salt").toString("base64");
  const hashed = createHmac("sha1", "salt").update("hidden").digest("base64");
  writeFileSync(
    path,
    [
      "# comment",
      `plain,[other]:2222 ssh-rsa ${data}`,
      `*.example.org,!bad.example.org ssh-rsa ${data}`,
      `|1|${salt}|${hashed} ssh-rsa ${data}`,
      `changed ssh-rsa ${Buffer.from("another").toString("base64")}`,
      `@revoked gone ssh-rsa ${data}`,
    ].join("\n"),
  );
  for (const [host, port] of [
    ["plain", 22],
    ["other", 2222],
    ["a.example.org", 22],
    ["hidden", 22],
  ] as const)
    expect(knownHost(host, port, key, path)).toBeUndefined();
  expect(knownHost("other", 22, key, path)).toMatch(/no host key of 'other'/);
  expect(knownHost("bad.example.org", 22, key, path)).toMatch(/no host key/);
  expect(knownHost("changed", 22, key, path)).toMatch(/does not match/);
  expect(knownHost("gone", 22, key, path)).toMatch(/revoked/);
  expect(knownHost("plain", 22, key, join(home, "none"))).toMatch(/there is no/);
});
