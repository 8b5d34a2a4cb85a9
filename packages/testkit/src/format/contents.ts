import type { BlockNode } from "@mimus/block";
import { expect } from "vitest";
import { Seeded } from "../random.ts";

/** Bytes that look random: the same ones for the same seed. */
export function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return new Seeded(seed).bytes(length);
}

/** All bytes of a disk. */
export async function readAll(node: BlockNode): Promise<Uint8Array> {
  const out = new Uint8Array(node.size);
  await node.read(0, out);
  return out;
}

/** Expects that `open` refuses the bytes of `good` with `why` in its message once `value` stands at the offset `at`. */
export type Refusal = (why: string, at: number, ...value: number[]) => Promise<void>;

/** How an image is refused whose bytes are damaged. `good` may change between two refusals. */
export function refusals(good: Uint8Array, open: (bytes: Uint8Array) => Promise<unknown>): Refusal {
  return async (why, at, ...value) => {
    const bad = good.slice();
    bad.set(value, at);
    await expect(open(bad), why).rejects.toThrow(why);
  };
}
