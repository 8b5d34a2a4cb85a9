import type { Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import { INVERSE, NONE, SWAPPED, type Cond, type Value } from "../ir/type.ts";
import { holdsForConstants, sum } from "./fold.ts";
import type { Rewriter } from "./rewriter.ts";
import type { Rule, Rules } from "./rule.ts";

/** What became of a condition: it never holds, always, or it depends. */
export type Verdict = "never" | "always" | "depends";

/** Brings the condition of an operation (`cond`, `a`, `b`, changed in place) to its simplest form. */
export function simplifyCondition(r: Rewriter, op: Op): Verdict {
  for (;;) {
    const [x, y] = [r.out[op.a]!, r.out[op.b]!];
    if (x.spec === ops.const) {
      if (y.spec === ops.const) return holdsForConstants(op.cond, x, y) ? "always" : "never";
      compareWith(op, SWAPPED[op.cond], op.b, op.a);
      continue;
    }
    if (op.a === op.b) {
      if (op.cond === "tsteq" || op.cond === "tstne") {
        compareWith(op, op.cond === "tsteq" ? "eq" : "ne", op.a, r.small(op.type, 0));
        continue;
      }
      return HOLDS_WHEN_EQUAL.has(op.cond) ? "always" : "never";
    }
    if (y.spec !== ops.const) return "depends";
    const verdict = withConstant(r, op, x, y);
    if (verdict !== "again") return verdict;
  }
}

const HOLDS_WHEN_EQUAL: ReadonlySet<Cond> = new Set(["eq", "le", "ge", "leu", "geu"]);

function compareWith(op: Op, cond: Cond, a: Value, b: Value): "again" {
  op.cond = cond;
  op.a = a;
  op.b = b;
  return "again";
}

/** A condition between x and the constant y. */
function withConstant(r: Rewriter, op: Op, x: Op, y: Op): Verdict | "again" {
  const zero = y.imm === 0 && y.imm2 === 0;
  switch (op.cond) {
    case "ltu":
      if (zero) return "never";
      return r.is(op.b, 1) ? compareWith(op, "eq", op.a, r.small(op.type, 0)) : "depends";
    case "geu":
      if (zero) return "always";
      return r.is(op.b, 1) ? compareWith(op, "ne", op.a, r.small(op.type, 0)) : "depends";
    case "leu":
      return zero ? compareWith(op, "eq", op.a, op.b) : "depends";
    case "gtu":
      return zero ? compareWith(op, "ne", op.a, op.b) : "depends";
    case "lt":
      return zero && signIsZero(r, op) ? "never" : "depends";
    case "ge":
      return zero && signIsZero(r, op) ? "always" : "depends";
    case "tsteq":
    case "tstne":
      return tested(r, op, y);
    case "eq":
    case "ne":
      return zero ? equalsZero(r, op, x) : equals(r, op, x, y);
    default:
      return "depends";
  }
}

function signIsZero(r: Rewriter, op: Op): boolean {
  return op.type === "i32" ? r.zeroLo[op.a]! < 0 : r.zeroHi[op.a]! < 0;
}

/** x & y compared with zero. */
function tested(r: Rewriter, op: Op, y: Op): Verdict | "again" {
  if (r.within(op.a, ~y.imm, ~y.imm2)) return op.cond === "tsteq" ? "always" : "never";
  if (r.is(op.b, -1)) return compareWith(op, op.cond === "tsteq" ? "eq" : "ne", op.a, r.small(op.type, 0));
  return "depends";
}

/** x = 0 or x ≠ 0, where x is made by an operation that says when it is 0. */
function equalsZero(r: Rewriter, op: Op, x: Op): Verdict | "again" {
  switch (x.spec) {
    case ops.setcond:
    case ops.negsetcond:
      return compareWith(op, op.cond === "ne" ? x.cond : INVERSE[x.cond], x.a, x.b);
    case ops.xor:
    case ops.sub:
      return compareWith(op, op.cond, x.a, x.b);
    case ops.neg:
      return compareWith(op, op.cond, x.a, op.b);
    case ops.and:
      return compareWith(op, op.cond === "eq" ? "tsteq" : "tstne", x.a, x.b);
    default:
      return "depends";
  }
}

/** x = c or x ≠ c. */
function equals(r: Rewriter, op: Op, x: Op, y: Op): Verdict | "again" {
  // A bit is 1 that is never 1 in x
  if ((r.zeroLo[op.a]! & y.imm) !== 0 || (op.type === "i64" && (r.zeroHi[op.a]! & y.imm2) !== 0))
    return op.cond === "eq" ? "never" : "always";
  // A truth value is 1 when it is not 0
  if (x.spec === ops.setcond && r.is(op.b, 1))
    return compareWith(op, op.cond === "eq" ? "ne" : "eq", op.a, r.small(op.type, 0));
  if (!(x.spec === ops.add || x.spec === ops.xor) || !r.isConst(x.b)) return "depends";
  // x + c = d when x = d - c; x ^ c = d when x = c ^ d
  const c = r.out[x.b]!;
  const moved =
    x.spec === ops.xor
      ? r.constant(op.type, c.imm ^ y.imm, c.imm2 ^ y.imm2)
      : difference(r, op, y, r.out[r.make(ops.neg, op.type, x.b)]!);
  return compareWith(op, op.cond, x.a, moved);
}

const difference = (r: Rewriter, op: Op, y: Op, negated: Op): Value =>
  sum(r, op.type, y.imm, y.imm2, negated.imm, negated.imm2);

/** setcond and negsetcond with a verdict or in their simplest form. */
const condition: Rule = (r, op) => {
  const verdict = simplifyCondition(r, op);
  const yes = op.spec === ops.setcond ? 1 : -1;
  if (verdict !== "depends") return r.small(op.type, verdict === "always" ? yes : 0);
  return NONE;
};

const movcond: Rule = (r, op) => {
  if (op.c === op.d) return op.c;
  const verdict = simplifyCondition(r, op);
  if (verdict !== "depends") return verdict === "always" ? op.c : op.d;
  const { type, cond, a, b, c, d } = op;
  if (r.is(d, 0)) {
    if (r.is(c, 1)) return r.compare(ops.setcond, type, cond, a, b);
    if (r.is(c, -1)) return r.compare(ops.negsetcond, type, cond, a, b);
  }
  if (r.is(c, 0)) {
    if (r.is(d, 1)) return r.compare(ops.setcond, type, INVERSE[cond], a, b);
    if (r.is(d, -1)) return r.compare(ops.negsetcond, type, INVERSE[cond], a, b);
  }
  // a when a = b is b
  if (cond === "eq" && ((c === a && d === b) || (c === b && d === a))) return d;
  if (cond === "ne" && ((c === a && d === b) || (c === b && d === a))) return c;
  return NONE;
};

/** Simplifications of comparisons. */
export const conditions: Rules = { setcond: condition, negsetcond: condition, movcond };
