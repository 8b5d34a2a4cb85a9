/** Whether the host's relaxed multiply-add of vectors is fused. */
import { Code, F64, I32 } from "./encode.ts";
import { ModuleBuilder } from "./module.ts";
import { wasm } from "./types.ts";

/** Functions of x and y that give x × x + y: `f64` on numbers, `f32` on bits. */
function probeModule(): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  const wide = m.type([F64, F64], [F64]);
  const narrow = m.type([I32, I32], [I32]);
  const body = (get: readonly number[], splat: number, madd: number, lane: number, put: readonly number[]): Code => {
    const code = new Code(64);
    for (const local of [0, 0, 1]) {
      code.get(local);
      code.bytes(get);
      code.bytes([0xfd, splat]);
    }
    code.bytes([0xfd, madd, 0x02, 0xfd, lane, 0]);
    code.bytes(put);
    return code;
  };
  m.exportFunction("f64", m.function(wide, [], body([], 0x14, 0x87, 0x21, [])));
  m.exportFunction("f32", m.function(narrow, [], body([0xbe], 0x13, 0x85, 0x1f, [0xbc])));
  return m.finish();
}

function probe(): boolean {
  try {
    const { exports } = new wasm.Instance(new wasm.Module(probeModule()));
    const f64 = exports["f64"] as (x: number, y: number) => number;
    const f32 = exports["f32"] as (x: number, y: number) => number;
    // (1 + 2^-30)² − (1 + 2^-29) = 2^-60; (1 + 2^-12)² − (1 + 2^-11) = 2^-24. Rounded twice, both are 0.
    return f64(1 + 2 ** -30, -(1 + 2 ** -29)) === 2 ** -60 && f32(0x3f800800, 0xbf801000 | 0) === 0x33800000;
  } catch {
    return false; // no relaxed SIMD
  }
}

/** `f32x4.relaxed_madd` and `f64x2.relaxed_madd` round once on this host. */
export const HOST_FMA: boolean = /* @__PURE__ */ probe();
