import type { BlockFormat, BlockNode, FormatOps } from "@mimus/block";
import { createImage, FileNode, MemoryFile, openImage } from "@mimus/block";
import { testFormat, testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { luks } from "./index.ts";

/** New parts of a payload read as noise: for the suite, which wants zeroes, they are written first. */
const zeroed: BlockFormat = {
  ...luks,
  class: {
    format: {
      ...luks.class.format,
      create: async (file, size, options, ctx) => {
        await luks.class.format.create?.(file, size, options, ctx);
        const node = await luks.class.format.open(file, { "key-secret": "s" } as never, {
          ...({ name: "n", readOnly: false, filename: "n", children: {} } as never as Parameters<FormatOps["open"]>[2]),
          host: ctx.host,
        });
        await node.write(0, new Uint8Array(node.size));
      },
      open: async (...args) => growsWithZeroes(await luks.class.format.open(...args)),
    },
  },
};

function growsWithZeroes(node: BlockNode): BlockNode {
  return {
    name: node.name,
    get size() {
      return node.size;
    },
    readOnly: node.readOnly,
    sectorSize: node.sectorSize,
    read: (at, into) => node.read(at, into),
    write: (at, from) => node.write(at, from),
    flush: () => node.flush(),
    resize: async (size) => {
      const before = node.size;
      await node.resize?.(size);
      if (size > before) await node.write(before, new Uint8Array(size - before));
    },
    close: () => node.close(),
  };
}

testFormat(zeroed, {
  size: 64 * 1024 + 512,
  variants: {
    "aes-xts": { "key-secret": "s", "iter-time": 1 },
    "serpent-cbc-essiv": {
      "key-secret": "s",
      "iter-time": 1,
      "cipher-alg": "serpent-128",
      "cipher-mode": "cbc",
      "ivgen-alg": "essiv",
      "ivgen-hash-alg": "sha256",
    },
  },
  open: { "key-secret": "s" },
  counts: { operations: 80, cuts: 6, faults: 5, mutations: 25 },
});

describe("luks", () => {
  let clock = 0;
  const host = { ...testHost(), now: () => (clock += 30) };
  const passwords: Record<string, string> = { first: "one", second: "two" };
  const withSecrets = { ...host, secret: async (id: string) => new TextEncoder().encode(passwords[id] ?? "?") };
  const make = async (): Promise<MemoryFile> => {
    const file = new MemoryFile("x.luks");
    await createImage(luks, file, 8192, { options: { "key-secret": "first", "iter-time": 1 }, host: withSecrets });
    return file;
  };
  const open = (file: MemoryFile, secret?: string, readOnly = false) =>
    openImage(luks, file, {
      readOnly,
      host: withSecrets,
      options: secret === undefined ? {} : { "key-secret": secret },
    });

  it("tells about itself without a password, but reads nothing", async () => {
    const node = await open(await make(), undefined, true);
    const info = await node.image?.info?.();
    expect(info?.specific?.data).toMatchObject({ "cipher-alg": "aes-256", "payload-offset": 2068480 });
    await expect(node.read(0, new Uint8Array(512))).rejects.toMatchObject({ kind: "permission" });
    await expect(open(await make())).rejects.toMatchObject({ kind: "bad-option" });
  });

  it("adds and erases key slots, never the last one", async () => {
    const file = await make();
    let node = await open(file, "first");
    await node.write(100, new Uint8Array(1000).fill(7));
    await node.image?.amend?.({ state: "active", "new-secret": "second", "iter-time": 1 });
    await node.image?.amend?.({ state: "inactive", "old-secret": "first" });
    await expect(node.image?.amend?.({ state: "inactive", keyslot: 1 })).rejects.toThrow(/only active keyslot/);
    await node.close();
    await expect(open(file, "first")).rejects.toMatchObject({ kind: "permission" });
    node = await open(file, "second");
    const back = new Uint8Array(1000);
    await node.read(100, back);
    expect(back.every((b) => b === 7)).toBe(true);
  });

  it("takes its header from another node", async () => {
    const file = await make();
    const header = new MemoryFile("header");
    const all = new Uint8Array(await file.size());
    await file.read(0, all);
    await header.write(0, all.subarray(0, 2068480));
    await file.truncate(0);
    await file.write(0, all.subarray(2068480));
    const node = await openImage(luks, file, {
      host: withSecrets,
      options: { "key-secret": "first" },
      children: { header: await FileNode.open("header", header, { readOnly: false }) },
    });
    expect(node.size).toBe(8192);
    await node.write(0, new Uint8Array(512).fill(3));
    await node.close();
  });

  it("keeps what concurrent writes to one sector do", async () => {
    const node = await open(await make(), "first");
    await node.write(0, new Uint8Array(1024));
    await Promise.all(Array.from({ length: 64 }, (_, i) => node.write(i * 16, new Uint8Array(16).fill(i + 1))));
    const back = new Uint8Array(1024);
    await node.read(0, back);
    expect(back.every((b, i) => b === Math.floor(i / 16) + 1)).toBe(true);
  });

  it("takes its space beforehand", async () => {
    const written = async (preallocation: string): Promise<number> => {
      let sum = 0;
      class Counting extends MemoryFile {
        override write(at: number, from: Uint8Array): Promise<number> {
          sum += from.length;
          return super.write(at, from);
        }
      }
      const options = { "key-secret": "first", "iter-time": 1, preallocation };
      await createImage(luks, new Counting("x.luks"), 8 << 20, { options, host: withSecrets });
      return sum;
    };
    expect((await written("full")) - (await written("off"))).toBe(8 << 20);
  });
});
