/** Loads and stores of some elements: VMASKMOVPS, VPMASKMOVD, gathers. Source: Intel SDM volume 2 (2023), VMASKMOV, VPGATHERDD. */
import { SSE_BLOCK } from "@mimus/softfloat/sse";
import { ops, type Value } from "@mimus/tcg";
import type { Insn } from "../../insn.ts";
import { OFF } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";
import { memOf } from "../width.ts";
import { apart, forget, isMem, isWide, readVec, setVec, upper, vec, writeVec, zeros, type Half } from "./registers.ts";

const lanesOf = (bytes: 4 | 8) =>
  bytes === 4
    ? { get: ops.i32x4_extract_lane, put: ops.i32x4_replace_lane, bits: ops.i32x4_bitmask, count: 4 }
    : { get: ops.i64x2_extract_lane, put: ops.i64x2_replace_lane, bits: ops.i64x2_bitmask, count: 2 };

/** Elements whose mask has its top bit set are moved; no other is touched. */
function masked(bytes: 4 | 8): Translate {
  const lanes = lanesOf(bytes);
  return (t, i) => {
    const { ir } = t;
    const mask = readVec(t, i, 1).map((v) => ir.vector(lanes.bits, v));
    const store = isMem(i, 0);
    const address = t.address(store ? 0 : 2, store ? "w" : "r");
    const at = (h: number, n: number): Value => upper(t, address, 16 * h + bytes * n);
    if (store) {
      const v = readVec(t, i, 2);
      for (const [h, bits] of mask.entries())
        for (let n = 0; n < lanes.count; n++)
          t.when("tstne", bits, ir.const32(1 << n), () =>
            t.store(memOf(bytes), at(h, n), ir.vector(lanes.get, v[h]!, undefined, undefined, n)),
          );
      return;
    }
    // Through the state, for what paths leave must meet; it is written once all elements were there.
    for (const [h] of mask.entries()) put(t, h, zeros(ir));
    for (const [h, bits] of mask.entries())
      for (let n = 0; n < lanes.count; n++)
        t.when("tstne", bits, ir.const32(1 << n), () => putLane(t, h, bytes, n, t.load(memOf(bytes), at(h, n))));
    writeVec(t, i, 0, mask.map((_, h) => taken(t, h))); // prettier-ignore
  };
}

/** Gathers: element type, and the type of the indexes. The mask, operand 2, loses the bits of what was done. */
function gather(bytes: 4 | 8, index: 4 | 8): Translate {
  return (t, i) => {
    const { ir } = t;
    const [to, , maskOf] = i.operands;
    const indexes = i.mem.index;
    if (to.n === maskOf.n || to.n === indexes || maskOf.n === indexes) return t.ud();
    const wide = isWide(i);
    const total = (wide ? 32 : 16) / Math.max(bytes, index);
    const element = lanesOf(bytes);
    const from = lanesOf(index);
    apart(t, () => {
      const place = (k: number, count: number): [Half, number] => [k < count ? 0 : 1, k % count];
      for (let k = 0; k < total; k++) {
        const [h, n] = place(k, element.count);
        const [ih, at] = place(k, from.count);
        const on = ir.vector(element.get, vec(t, maskOf.n, h), undefined, undefined, n);
        t.when("lt", on, ir.constant(bytes === 4 ? "i32" : "i64", 0), () => {
          const offset = ir.vector(from.get, vec(t, indexes, ih), undefined, undefined, at);
          const x = t.load(memOf(bytes), elementAddress(t, i, offset, bytes));
          setVec(t, to.n, h, ir.vector(element.put, vec(t, to.n, h), x, undefined, n));
        });
        // Up to the element that faults the mask is cleared.
        const none = ir.constant(bytes === 4 ? "i32" : "i64", 0);
        setVec(t, maskOf.n, h, ir.vector(element.put, vec(t, maskOf.n, h), none, undefined, n));
      }
      // What has no element becomes zero.
      setVec(t, maskOf.n, 0, zeros(ir));
      setVec(t, maskOf.n, 1, zeros(ir));
      const done = total * bytes;
      if (done === 8) {
        const v = vec(t, to.n);
        setVec(t, to.n, 0, ir.vector(ops.i64x2_replace_lane, v, ir.const64(0n), undefined, 1));
      }
      if (done <= 16) setVec(t, to.n, 1, zeros(ir));
    });
    forget();
  };
}

/** Linear address of an element: base + (index << scale) + displacement. */
function elementAddress(t: Tx, i: Insn, index: Value, bytes: number): Value {
  const { ir } = t;
  const wide = t.word === 64;
  const isLong = ir.typeOf(index) === "i64";
  const n = wide ? (isLong ? index : ir.extI32(index)) : isLong ? ir.extrl(index) : index;
  const { base, scale, disp } = i.mem;
  let sum = ir.addI(ir.shlI(n, scale), disp | 0);
  if (base >= 0) sum = ir.add(sum, t.wordReg(base));
  return t.segAddress(i.mem.seg, t.cut(sum, i.adSize), bytes, "r");
}

export const maskedMoves = {
  vmaskmovps: masked(4), vmaskmovpd: masked(8), vpmaskmovd: masked(4), vpmaskmovq: masked(8),
  vpgatherdd: gather(4, 4), vpgatherdq: gather(8, 4), vpgatherqd: gather(4, 8), vpgatherqq: gather(8, 8),
  vgatherdps: gather(4, 4), vgatherdpd: gather(8, 4), vgatherqps: gather(4, 8), vgatherqpd: gather(8, 8),
}; // prettier-ignore

// ---- a vector in the state block, made lane by lane

const PLACE = OFF.vector + SSE_BLOCK.size + 16;

function put(t: Tx, half: number, v: Value): void {
  t.ir.envSt("v128", PLACE + 16 * half, v);
}
function putLane(t: Tx, half: number, bytes: number, lane: number, v: Value): void {
  t.ir.envSt(memOf(bytes), PLACE + 16 * half + bytes * lane, v);
}
function taken(t: Tx, half: number): Value {
  return t.ir.envLd("v128", "v128", PLACE + 16 * half);
}
