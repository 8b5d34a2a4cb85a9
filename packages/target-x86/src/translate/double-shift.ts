/** SHLD and SHRD. Source: Intel SDM volume 2 (2023), chapter 4; APM volume 3 (2023). */
import type { Value } from "@mimus/tcg";
import { countOf, shiftOperand, type Count, type Shifted } from "./shift.ts";
import type { Translate, Tx } from "./tx.ts";

/** 16 bits: destination and source stand in one number of 48 bits, so that counts above 16 have a meaning. */
function word(t: Tx, old: Value, src: Value, count: Count, left: boolean): Shifted {
  const { ir } = t;
  const a = ir.extuI32(old);
  const b = ir.extuI32(src);
  const n = t.zext(count.value, 8);
  const less = ir.addI(n, -1);
  // Destination, source, destination: what follows the source when more than 16 bits come in.
  const three = ir.or(ir.or(ir.shlI(a, 32), ir.shlI(b, 16)), a);
  const three2 = ir.or(ir.or(a, ir.shlI(b, 16)), ir.shlI(a, 32));
  const at = (k: Value): Value => ir.extrl(left ? ir.shrI(ir.shl(three, k), 32) : ir.shr(three2, k));
  return { kind: left ? "shl" : "sar", dst: at(n), src: at(less) };
}

function wide(t: Tx, size: number, old: Value, src: Value, count: Count, left: boolean): Shifted {
  const { ir } = t;
  const n = count.value;
  const less = ir.addI(n, -1);
  const rest = ir.sub(t.sized(size, 8 * size - 1), n);
  if (left) {
    const moved = ir.or(ir.shl(old, n), ir.shr(ir.shrI(src, 1), rest));
    return { kind: "shl", dst: moved, src: ir.shl(old, less) };
  }
  const moved = ir.or(ir.shr(old, n), ir.shl(ir.shlI(src, 1), rest));
  return { kind: "sar", dst: moved, src: ir.shr(old, less) };
}

const double =
  (left: boolean): Translate =>
  (t) => {
    const size = t.i.operands[0].size;
    const count = countOf(t, 2, size);
    const src = t.read(1);
    shiftOperand(t, size, count, (old) =>
      size === 2 ? word(t, old, src, count, left) : wide(t, size, old, src, count, left),
    );
  };

/** Translators of the double shifts of chapter "bit". */
export const doubleShift = { shld: double(true), shrd: double(false) } satisfies Readonly<Record<string, Translate>>;
