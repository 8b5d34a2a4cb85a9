import type { Op } from "../ir/block.ts";
import { ops, type OpSpec } from "../ir/ops.ts";
import { NONE, type Value } from "../ir/type.ts";
import { sum } from "./fold.ts";
import type { Rewriter } from "./rewriter.ts";
import { log2, type Rules } from "./rule.ts";

/**
 * Algebraic identities. A constant operand of a commutative operation has been moved to b before.
 */
export const identities: Rules = {
  add(r, op) {
    const [x, y] = [r.out[op.a]!, r.out[op.b]!];
    // x + 0 = x
    if (r.is(op.b, 0)) return op.a;
    // (x + c) + d = x + (c + d)
    if (y.spec === ops.const && x.spec === ops.add && r.isConst(x.b)) {
      const c = r.out[x.b]!;
      return r.make(ops.add, op.type, x.a, sum(r, op.type, c.imm, c.imm2, y.imm, y.imm2));
    }
    // x + -y = x - y
    if (y.spec === ops.neg) return r.make(ops.sub, op.type, op.a, y.a);
    if (x.spec === ops.neg) return r.make(ops.sub, op.type, op.b, x.a);
    // (x - y) + y = x
    if (x.spec === ops.sub && x.b === op.b) return x.a;
    if (y.spec === ops.sub && y.b === op.a) return y.a;
    return NONE;
  },
  sub(r, op) {
    const [x, y] = [r.out[op.a]!, r.out[op.b]!];
    // x - x = 0
    if (op.a === op.b) return r.small(op.type, 0);
    // x - c = x + -c
    if (y.spec === ops.const) return r.make(ops.add, op.type, op.a, r.make(ops.neg, op.type, op.b));
    // 0 - x = -x
    if (r.is(op.a, 0)) return r.make(ops.neg, op.type, op.b);
    // x - -y = x + y
    if (y.spec === ops.neg) return r.make(ops.add, op.type, op.a, y.a);
    // (x + y) - y = x
    if (x.spec === ops.add && x.b === op.b) return x.a;
    if (x.spec === ops.add && x.a === op.b) return x.b;
    return NONE;
  },
  mul(r, op) {
    const y = r.out[op.b]!;
    if (y.spec !== ops.const) return NONE;
    // x * 0 = 0, x * 1 = x, x * -1 = -x
    if (r.is(op.b, 0)) return op.b;
    if (r.is(op.b, 1)) return op.a;
    if (r.is(op.b, -1)) return r.make(ops.neg, op.type, op.a);
    // x * 2^n = x << n
    const n = log2(y);
    return n < 0 ? NONE : r.make(ops.shl, op.type, op.a, r.small(op.type, n));
  },
  mulsh: (r, op) => (r.is(op.b, 0) ? op.b : NONE),
  muluh: (r, op) => (r.is(op.b, 0) ? op.b : r.is(op.b, 1) ? r.small(op.type, 0) : NONE),
  mulsuh: (r, op) => (r.is(op.b, 0) ? op.b : NONE),
  div(r, op) {
    // x / 0 = -1, x / 1 = x, x / -1 = -x
    if (r.is(op.b, 0)) return r.small(op.type, -1);
    if (r.is(op.b, 1)) return op.a;
    if (r.is(op.b, -1)) return r.make(ops.neg, op.type, op.a);
    return NONE;
  },
  divu(r, op) {
    // x / 0 = all ones, x / 2^n = x >> n
    if (r.is(op.b, 0)) return r.small(op.type, -1);
    const n = r.isConst(op.b) ? log2(r.out[op.b]!) : -1;
    return n < 0 ? NONE : r.make(ops.shr, op.type, op.a, r.small(op.type, n));
  },
  rem(r, op) {
    // x % 0 = x, x % ±1 = 0
    if (r.is(op.b, 0)) return op.a;
    return r.is(op.b, 1) || r.is(op.b, -1) ? r.small(op.type, 0) : NONE;
  },
  remu(r, op) {
    // x % 0 = x, x % 2^n = x & (2^n - 1)
    if (r.is(op.b, 0)) return op.a;
    if (!r.isConst(op.b) || log2(r.out[op.b]!) < 0) return NONE;
    return r.make(ops.and, op.type, op.a, r.make(ops.add, op.type, op.b, r.small(op.type, -1)));
  },
  neg(r, op) {
    const x = r.out[op.a]!;
    // --x = x, -(x - y) = y - x
    if (x.spec === ops.neg) return x.a;
    if (x.spec === ops.sub) return r.make(ops.sub, op.type, x.b, x.a);
    // -setcond = negsetcond
    if (x.spec === ops.setcond) return r.compare(ops.negsetcond, op.type, x.cond, x.a, x.b);
    if (x.spec === ops.negsetcond) return r.compare(ops.setcond, op.type, x.cond, x.a, x.b);
    return NONE;
  },
  and(r, op) {
    // x & 0 = 0, x & -1 = x, x & x = x
    if (r.is(op.b, 0)) return op.b;
    if (r.is(op.b, -1) || op.a === op.b) return op.a;
    return r.isConst(op.b) ? reassociated(r, op) : complemented(r, op, ops.andc);
  },
  or(r, op) {
    // x | 0 = x, x | -1 = -1, x | x = x
    if (r.is(op.b, 0) || op.a === op.b) return op.a;
    if (r.is(op.b, -1)) return op.b;
    return r.isConst(op.b) ? reassociated(r, op) : complemented(r, op, ops.orc);
  },
  xor(r, op) {
    // x ^ 0 = x, x ^ x = 0, x ^ -1 = ~x
    if (r.is(op.b, 0)) return op.a;
    if (op.a === op.b) return r.small(op.type, 0);
    if (r.is(op.b, -1)) return r.make(ops.not, op.type, op.a);
    return r.isConst(op.b) ? reassociated(r, op) : complemented(r, op, ops.eqv);
  },
  not(r, op) {
    const x = r.out[op.a]!;
    // ~~x = x
    if (x.spec === ops.not) return x.a;
    // ~(x & y) = x nand y, and so on
    if (x.spec === ops.and) return r.make(ops.nand, op.type, x.a, x.b);
    if (x.spec === ops.or) return r.make(ops.nor, op.type, x.a, x.b);
    if (x.spec === ops.xor) return r.make(ops.eqv, op.type, x.a, x.b);
    if (x.spec === ops.eqv) return r.make(ops.xor, op.type, x.a, x.b);
    if (x.spec === ops.nand) return r.make(ops.and, op.type, x.a, x.b);
    if (x.spec === ops.nor) return r.make(ops.or, op.type, x.a, x.b);
    return NONE;
  },
  // With a constant: x & ~c. With itself: x & ~x = 0. With a complement: x & ~~y = x & y.
  andc: (r, op) => (op.a === op.b ? r.small(op.type, 0) : plain(r, op, ops.and)),
  orc: (r, op) => (op.a === op.b ? r.small(op.type, -1) : plain(r, op, ops.or)),
  eqv: (r, op) => (op.a === op.b ? r.small(op.type, -1) : plain(r, op, ops.xor)),
  nand: (r, op) => (op.a === op.b || r.is(op.b, -1) ? r.make(ops.not, op.type, op.a) : NONE),
  nor: (r, op) => (op.a === op.b || r.is(op.b, 0) ? r.make(ops.not, op.type, op.a) : NONE),
};

/** (x OP c) OP d = x OP (c OP d), for and, or, xor. */
function reassociated(r: Rewriter, op: Op): Value {
  const x = r.out[op.a]!;
  if (x.spec !== op.spec || !r.isConst(x.b)) return NONE;
  return r.make(op.spec, op.type, x.a, r.make(op.spec, op.type, x.b, op.b));
}

/** x OP ~y in one operation. */
function complemented(r: Rewriter, op: Op, spec: OpSpec): Value {
  const [x, y] = [r.out[op.a]!, r.out[op.b]!];
  if (y.spec === ops.not) return r.make(spec, op.type, op.a, y.a);
  return x.spec === ops.not ? r.make(spec, op.type, op.b, x.a) : NONE;
}

/** x OP ~y where ~y is a constant or a value that there is. */
function plain(r: Rewriter, op: Op, spec: OpSpec): Value {
  const y = r.out[op.b]!;
  if (y.spec === ops.not) return r.make(spec, op.type, op.a, y.a);
  return y.spec === ops.const ? r.make(spec, op.type, op.a, r.make(ops.not, op.type, op.b)) : NONE;
}
