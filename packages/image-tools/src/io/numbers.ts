import { parseBytes } from "../sizes.ts";
import { CommandError } from "./command.ts";

/** Most bytes of one request that is not zeroes. */
const MAX_REQUEST = 2147483136;

/** An offset or a length. @throws CommandError */
export function numberOf(text: string): number {
  const value = parseBytes(text);
  if (value !== undefined) return value;
  if (/^\d/.test(text) && /^\d+[kmgtpe]?$/i.test(text))
    throw new CommandError(`Parsing error: argument too large -- ${text}`);
  throw new CommandError(`Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- ${text}`);
}

/** A length of one request. @throws CommandError */
export function lengthOf(text: string, large = false): number {
  const value = numberOf(text);
  if (!large && value > MAX_REQUEST)
    throw new CommandError(`length cannot exceed ${MAX_REQUEST} without -n, given ${text}`);
  return value;
}

/** A byte to compare with or to write. @throws CommandError */
export function patternOf(text: string): number {
  const value = /^(0x[\da-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 255) return value;
  throw new CommandError(`${text} is not a valid pattern byte`);
}

/** @throws CommandError */
export function sectorAligned(what: string, value: number): void {
  if (value % 512 !== 0) throw new CommandError(`${value} is not a sector-aligned value for '${what}'`);
}
