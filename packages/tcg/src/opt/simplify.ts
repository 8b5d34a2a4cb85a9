import type { Op } from "../ir/block.ts";
import { OPS, type OpName } from "../ir/ops.ts";
import { NONE, type Value } from "../ir/type.ts";
import { bits } from "./bits.ts";
import { conditions } from "./conditions.ts";
import { fold } from "./fold.ts";
import { identities } from "./identities.ts";
import type { Rewriter } from "./rewriter.ts";
import type { Rule, Rules } from "./rule.ts";

const byCode = (rules: Rules): readonly (Rule | undefined)[] => OPS.map((spec) => rules[spec.name as OpName]);
const IDENTITIES = byCode({ ...identities, ...conditions });
const BITS = byCode(bits);

/** The value that a pure operation of the new block may be replaced by, or NONE; may exchange its operands. */
export function simplify(r: Rewriter, op: Op): Value {
  const { code } = op.spec;
  const folded = fold(r, op);
  if (folded >= 0) return folded;
  if (op.spec.commutative && inOtherOrder(r, op)) {
    const { a } = op;
    op.a = op.b;
    op.b = a;
  }
  const identity = IDENTITIES[code];
  if (identity !== undefined) {
    const v = identity(r, op);
    if (v >= 0) return v;
  }
  const bit = BITS[code];
  return bit === undefined ? NONE : bit(r, op);
}

/** Constants stand last, else the older value first. */
function inOtherOrder(r: Rewriter, op: Op): boolean {
  return r.isConst(op.a) || (op.a > op.b && !r.isConst(op.b));
}
