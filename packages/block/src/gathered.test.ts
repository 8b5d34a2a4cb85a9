import { expect, it } from "vitest";

import { Gathered } from "./gathered.ts";
import type { BlockNode } from "./node.ts";

/** A disk in memory without vectors, which notes its requests. */
class Plain implements BlockNode {
  readonly name: string = "plain";
  readonly driver: string = "plain";
  readonly sectorSize: number = 512;
  readonly readOnly: boolean = false;
  readonly bytes: Uint8Array;
  readonly requests: [what: string, at: number, length: number][] = [];
  /** Replaces the next read. */
  next: ((into: Uint8Array) => Promise<void>) | undefined;

  constructor(size: number) {
    this.bytes = Uint8Array.from({ length: size }, (_, i) => (i >> 8) ^ i);
  }
  get size(): number {
    return this.bytes.length;
  }
  async read(at: number, into: Uint8Array): Promise<void> {
    this.requests.push(["read", at, into.length]);
    const { next } = this;
    this.next = undefined;
    if (next) return next(into);
    into.set(this.bytes.subarray(at, at + into.length));
  }
  async write(at: number, from: Uint8Array): Promise<void> {
    this.requests.push(["write", at, from.length]);
    this.bytes.set(from, at);
  }
  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

const pieces = (...lengths: number[]): Uint8Array[] => lengths.map((length) => new Uint8Array(length));
const joined = (list: readonly Uint8Array[]): Uint8Array => Uint8Array.from(list.flatMap((piece) => [...piece]));

it("reads a guest's pages with few requests, and what is large where it is wanted", async () => {
  const node = new Plain(1 << 20);
  const list = pieces(...Array.from({ length: 100 }, () => 4096), 300_000, 512, 1024);
  await new Gathered(node).read(512, list);
  const end = 512 + 409_600 + 300_000;
  expect(node.requests).toEqual([
    ["read", 512, 262_144],
    ["read", 512 + 262_144, 147_456],
    ["read", 512 + 409_600, 300_000],
    ["read", end, 1536],
  ]);
  expect(joined(list)).toEqual(node.bytes.subarray(512, end + 1536));
});

it("writes likewise", async () => {
  const node = new Plain(1 << 20);
  const list = pieces(...Array.from({ length: 65 }, () => 4096)).map((piece, i) => piece.fill(i + 1));
  await new Gathered(node).write(4096, list);
  expect(node.requests).toEqual([
    ["write", 4096, 262_144],
    ["write", 4096 + 262_144, 4096],
  ]);
  expect(node.bytes.subarray(4096, 4096 + 65 * 4096)).toEqual(joined(list));
});

it("keeps what a failed request still does away from the next one", async () => {
  const node = new Plain(1 << 16);
  const gathered = new Gathered(node);
  await gathered.read(0, pieces(512, 512));
  let late: Uint8Array | undefined;
  node.next = async (into) => {
    late = into;
    throw new Error("one of its parts failed");
  };
  await expect(gathered.read(0, pieces(512, 512))).rejects.toThrow("one of its parts failed");
  const list = pieces(512, 512);
  node.next = async (into) => {
    into.set(node.bytes.subarray(0, 1024));
    await Promise.resolve();
    late?.fill(0xee);
  };
  await gathered.read(0, list);
  expect(joined(list)).toEqual(node.bytes.subarray(0, 1024));
});
