import { messageOf } from "../errors.ts";
import { explained } from "../tools.ts";
import type { Readable } from "./source.ts";

const SECTOR = 512;

/**
 * Reads; with `salvage` what cannot be read is zeroes, and the callback is told. A failed read is halved until the bad sectors
 * stand alone.
 * @throws ToolError without `salvage`
 */
export async function readOrSalvage(
  source: Readable,
  at: number,
  into: Uint8Array,
  salvage: ((message: string) => void) | undefined,
): Promise<void> {
  try {
    await source.read(at, into);
  } catch (error) {
    if (salvage === undefined) throw explained(`error while reading at byte ${at}`, error);
    if (into.length <= SECTOR) {
      into.fill(0);
      salvage(`error while reading offset ${at}: ${messageOf(error)}`);
      return;
    }
    const half = Math.ceil(into.length / 2 / SECTOR) * SECTOR;
    await readOrSalvage(source, at, into.subarray(0, half), salvage);
    await readOrSalvage(source, at + half, into.subarray(half), salvage);
  }
}
