import { expect, it } from "vitest";
import { jumpCacheIndex } from "../wasm/jump-cache.ts";
import type { Tb } from "./blocks.ts";
import { ENV, JUMP_CACHE_ENTRIES } from "./contract.ts";
import { JumpCache } from "./jump-cache.ts";

/** What the cache looks at of a block. */
function block(pcLo: number, address: number, { pcHi = 0, flags = 0, spans = false } = {}): Tb {
  return { pcLo: pcLo | 0, pcHi, flags, address, ram2: spans ? 4096 : -1 } as Tb;
}

function make(): { cache: JumpCache; direct: (pcLo: number, pcHi?: number, flags?: number) => number } {
  const i32 = new Int32Array(ENV.jumpCache / 4 + JUMP_CACHE_ENTRIES * 4);
  /** The search as generated code does it: one place. */
  const direct = (pcLo: number, pcHi = 0, flags = 0): number => {
    const e = ENV.jumpCache / 4 + jumpCacheIndex(pcLo) * 4;
    return i32[e] === (pcLo | 0) && i32[e + 1] === pcHi && i32[e + 2] === flags ? i32[e + 3]! : 0;
  };
  return { cache: new JumpCache(i32, 0), direct };
}

/** Addresses with the place of `pc`, in other pages. */
function rivals(pc: number, count: number): number[] {
  const found: number[] = [];
  for (let at = pc + 4096; found.length < count; at += 2) if (jumpCacheIndex(at) === jumpCacheIndex(pc)) found.push(at);
  return found;
}

it("keeps two blocks of one place, and gives generated code the one that was looked for last", () => {
  const { cache, direct } = make();
  const [one, two, three] = [0x1000, ...rivals(0x1000, 2)] as [number, number, number];
  cache.insert(block(one, 16), false);
  cache.insert(block(two, 32), true);
  expect([direct(one), direct(two)]).toEqual([0, 32]);
  expect([cache.find(one, 0, 0), direct(one), direct(two)]).toEqual([16, 16, 0]);
  expect([cache.find(two, 0, 0), direct(two)]).toEqual([32, 32]);
  // A third one takes the place of that which was not looked for.
  cache.insert(block(three, 48), false);
  expect([one, two, three].map((pc) => cache.find(pc, 0, 0))).toEqual([0, 32, 48]);
  // The flags tell blocks apart as the address does.
  cache.insert(block(three, 64, { flags: 8 }), false);
  expect([cache.find(three, 0, 8), cache.find(three, 0, 0)]).toEqual([64, 48]);
  cache.flush();
  expect([one, two, three].map((pc) => cache.find(pc, 0, 0))).toEqual([0, 0, 0]);
});

it("does not drive out a block that is in its own place", () => {
  const { cache } = make();
  const one = 0x1000;
  let neighbour = one + 2;
  while (jumpCacheIndex(neighbour) !== (jumpCacheIndex(one) ^ 1)) neighbour += 2;
  cache.insert(block(neighbour, 16), false);
  cache.insert(block(one, 32), false);
  cache.insert(block(rivals(one, 1)[0]!, 48), false);
  expect([neighbour, one].map((pc) => cache.find(pc, 0, 0))).toEqual([16, 0]);
});

it("knows nothing at any pc while it is empty, and after that has been cleared", () => {
  const { cache, direct } = make();
  const places = [0, 1, 2, 4, -1, ...rivals(0, 2)];
  for (const pc of places) expect([direct(pc), cache.find(pc | 0, 0, 0)]).toEqual([0, 0]);
  for (const pc of places) cache.insert(block(pc, 16), true);
  cache.flush();
  for (const pc of places) expect([direct(pc), cache.find(pc | 0, 0, 0)]).toEqual([0, 0]);
});

it("never gives a block that was removed or flushed, and keeps global ones when asked", () => {
  const { cache } = make();
  const pcs = [0x1000, 0x1ffe, 0x2000, 0xfffffff0, ...rivals(0x1000, 3), ...rivals(0x2000, 3)];
  const model = new Map<number, { tb: Tb; global: boolean }>();
  let state = 1;
  const random = (n: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % n;
  for (let round = 0; round < 20_000; round++) {
    const pc = pcs[random(pcs.length)]! | 0;
    const what = random(16);
    if (what < 8) {
      const tb = block(pc, 16 * (round + 1), { spans: random(4) === 0 });
      const entry = { tb, global: random(2) === 0 };
      const before = model.get(pc);
      if (before !== undefined) cache.remove(before.tb);
      cache.insert(tb, entry.global);
      model.set(pc, entry);
    } else if (what === 8) {
      const known = model.get(pc);
      if (known !== undefined) cache.remove(known.tb);
      model.delete(pc);
    } else if (what === 9) {
      const keep = random(2) === 0;
      cache.flush(keep);
      for (const [key, { global }] of model) if (!keep || !global) model.delete(key);
    } else if (what === 10) {
      const page = pc & ~4095;
      cache.flushPage(page, 0);
      for (const [key, { tb }] of model) {
        const spans = tb.ram2 >= 0 && ((key + 4096) & ~4095) === page && page !== 0;
        if ((key & ~4095) === page || spans) model.delete(key);
      }
    }
    const found = cache.find(pc, 0, 0);
    expect(found === 0 || found === model.get(pc)?.tb.address, `round ${round}`).toBe(true);
    if (what < 8) expect(found).toBe(model.get(pc)?.tb.address);
  }
});
