import type { BlockNode } from "./node.ts";
import { zeroRange } from "./node.ts";

/** How space for an image is taken before anybody writes: not, reserved, or written. */
export type Preallocation = "off" | "falloc" | "full";

/** The host says when the disk is full once in a while, not after hours. */
const RESERVED = 2 ** 30;
const WRITTEN = 2 ** 20;

/** Takes space for a range of a file that reads as zeroes and is as long already. */
export async function takeSpace(file: BlockNode, from: number, to: number, how: Preallocation): Promise<void> {
  if (how === "falloc")
    for (let at = from; at < to; at += RESERVED) await zeroRange(file, at, Math.min(RESERVED, to - at), false);
  if (how === "full") {
    const zeroes = new Uint8Array(WRITTEN);
    for (let at = from; at < to; at += WRITTEN) await file.write(at, zeroes.subarray(0, Math.min(WRITTEN, to - at)));
  }
}
