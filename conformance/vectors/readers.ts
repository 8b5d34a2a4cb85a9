import { VectorError } from "./case.ts";
import type { Reader, VectorFile } from "./case.ts";
import { capstoneDecode, icedDecode, zydisDecode } from "./readers/decode.ts";
import { i286, r3000 } from "./readers/single-step.ts";
import { steps } from "./readers/steps.ts";
import { testfloat } from "./readers/testfloat.ts";
import { x86Native } from "./readers/x86-native.ts";

/** Every known format. A new one is a line here. */
export const READERS: readonly Reader[] = [
  x86Native,
  r3000,
  i286,
  icedDecode,
  capstoneDecode,
  zydisDecode,
  testfloat,
  steps,
];

/**
 * Reads a file's text by the format that its first line shows.
 * @throws VectorError kind "unknown-format" or "malformed"
 */
export function readVectors(text: string, readers: readonly Reader[] = READERS, name?: string): VectorFile {
  const head = text.slice(0, 4096);
  const reader = readers.find((candidate) => candidate.sniff(head));
  if (!reader) {
    const shown = JSON.stringify(head.split("\n")[0]?.slice(0, 60) ?? "");
    const known = readers.map(({ name }) => name).join(", ");
    throw new VectorError("unknown-format", `not a format known here: starts with ${shown}; known are ${known}`);
  }
  return reader.read(text, name);
}
