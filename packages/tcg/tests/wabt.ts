/** The WebAssembly Binary Toolkit as an oracle of our text; needs Node. */
import { expect } from "vitest";
import wabt from "wabt";
import { printWat } from "../src/wasm/print.ts";

const FEATURES = {
  simd: true, relaxed_simd: true, tail_call: true, bulk_memory: true, sat_float_to_int: true, sign_extension: true,
  multi_value: true, reference_types: true, threads: true,
}; // prettier-ignore

const api = await wabt();

function assemble(text: string): Uint8Array {
  const module = api.parseWat("printed.wat", text, FEATURES);
  try {
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

/** The module without its custom sections, which have no text: hints for the engine. */
function plain(bytes: Uint8Array): Uint8Array {
  const kept = [...bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length;) {
    let [size, shift, head] = [0, 0, 1];
    for (let more = true; more; shift += 7, head++) {
      const byte = bytes[at + head]!;
      size |= (byte & 0x7f) << shift;
      more = byte >= 0x80;
    }
    if (bytes[at] !== 0) kept.push(...bytes.subarray(at, at + head + size));
    at += head + size;
  }
  return Uint8Array.from(kept);
}

/** Both forms of the text of a module, assembled, give its bytes again. */
export function roundTrip(module: Uint8Array): void {
  const bytes = plain(module);
  for (const style of ["folded", "flat"] as const) {
    const text = printWat(bytes, { style });
    const again = assemble(text);
    if (bytes.length === again.length && bytes.every((byte, i) => byte === again[i])) continue;
    // Whole texts are too long for a readable difference.
    const [ours, theirs] = [text.split("\n"), printWat(again, { style }).split("\n")];
    const line = ours.findIndex((one, i) => one !== theirs[i]);
    expect(theirs.slice(line, line + 5)).toEqual(ours.slice(line, line + 5));
    expect.fail("other bytes with the same text");
  }
}

/**
 * The text of a module, assembled, has the same text, and the engine takes it. For modules whose numbers are longer than they need be, as where the
 * index of a function was filled in later.
 */
export function sameText(module: Uint8Array): void {
  const text = printWat(module);
  const again = assemble(text);
  if (!WebAssembly.validate(again as Uint8Array<ArrayBuffer>)) new WebAssembly.Module(again as Uint8Array<ArrayBuffer>);
  expect(printWat(again) === text, text.slice(0, 2000)).toBe(true);
}
