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

/** Both forms of the text of a module, assembled, give its bytes again. */
export function roundTrip(bytes: Uint8Array): void {
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
