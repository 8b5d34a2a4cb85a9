import block, { BlockGraph, MemoryFile, MemoryFiles } from "@mimus/block";
import { Registry } from "@mimus/qom";
import { testManifest } from "@mimus/testkit";
import { describe, expect, test } from "vitest";

import { parseAddress } from "./address.ts";
import type { SshTarget } from "./host.ts";
import manifest from "../package.json" with { type: "json" };
import ssh from "./index.ts";

testManifest(manifest, ssh);

function graph(targets: SshTarget[], withService = true): BlockGraph {
  const service = async (target: SshTarget): Promise<MemoryFile> => {
    targets.push(target);
    return new MemoryFile(target.path, 1 << 20);
  };
  const secret = async (): Promise<Uint8Array> => Uint8Array.of(0x70, 0x77);
  return new BlockGraph({
    registry: new Registry().use(block).use(ssh),
    files: new MemoryFiles(),
    warn: () => undefined,
    services: withService ? { ssh: service, secret } : {},
  });
}

describe("addresses", () => {
  test.each([
    ["ssh://host/disk.img", { server: { host: "host", port: "22" }, path: "/disk.img" }],
    ["ssh://me@[::1]:2222/a%20b", { server: { host: "::1", port: "2222" }, path: "/a b", user: "me" }],
    ["ssh://h/p?host_key_check=no", { server: { host: "h", port: "22" }, path: "/p", host_key_check: "no" }],
  ])("%s", (text, options) => expect(parseAddress(text)).toEqual(options));
  test.each([
    ["ssh://host", /expected ssh:/],
    ["ssh://me:pw@host/x", /password-secret=/],
    ["ssh://host/%zz", /wrong %-sequence/],
    ["ssh://host/x?y=1", /unknown parameter 'y'/],
  ])("%s is refused", (text, message) => expect(() => parseAddress(text)).toThrow(message));
});

test("a file is read and written through the host's service", async () => {
  const targets: SshTarget[] = [];
  const node = await graph(targets).openFile("ssh://me@host:23/disk.img", { driver: "raw" });
  await node.write(1000, Uint8Array.of(1, 2, 3));
  const into = new Uint8Array(3);
  await node.read(1000, into);
  expect([...into]).toEqual([1, 2, 3]);
  expect(targets).toEqual([
    { host: "host", port: 23, user: "me", path: "/disk.img", hostKey: { mode: "known_hosts" }, writable: true },
  ]);
});

test("options: host key, password, read-only", async () => {
  const targets: SshTarget[] = [];
  const md5 = "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:FF";
  await graph(targets).open({
    ...{ driver: "ssh", "node-name": "n", "server.host": "h", path: "/p", "read-only": true, "password-secret": "s" },
    ...{ "host-key-check.mode": "hash", "host-key-check.type": "md5", "host-key-check.hash": md5 },
  });
  expect(targets[0]).toMatchObject({
    ...{
      writable: false,
      password: "pw",
      hostKey: { mode: "hash", type: "md5", hash: "00112233445566778899aabbccddeeff" },
    },
  });
});

test.each([
  [{ path: "/p" }, /needs server.host/],
  [{ host: "h", path: "/p", port: "0" }, /port 0 is not/],
  [{ host: "h", path: "/p", host_key_check: "maybe" }, /unknown host_key_check/],
  [{ host: "h", path: "/p", "host-key-check.mode": "hash" }, /needs type=/],
  [{ host: "h", path: "/p", host_key_check: "md5:123" }, /needs type=/],
  [{ host: "h", path: "/p", host_key_check: "no", "host-key-check.mode": "none" }, /exclude each other/],
])("%j is refused", async (options, message) => {
  await expect(graph([]).open({ driver: "ssh", "node-name": "n", ...options })).rejects.toThrow(message);
});

test("without the host's service it says what is missing", async () => {
  await expect(graph([], false).openFile("ssh://h/p", { driver: "raw" })).rejects.toThrow(/needs the package ssh2/);
});
