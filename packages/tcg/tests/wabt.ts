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
    const again = assemble(printWat(bytes, { style }));
    if (Buffer.compare(bytes, again) === 0) continue;
    expect(printWat(again, { style })).toBe(printWat(bytes, { style }));
    expect.fail("other bytes with the same text");
  }
}
