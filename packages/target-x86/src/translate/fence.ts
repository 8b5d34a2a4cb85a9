/** Fences, cache lines, random numbers. Source: Intel SDM volume 2 (2023); volume 3A, 8.2.5. */
import { FLAG } from "../state.ts";
import type { Translate } from "./tx.ts";

/** What the processor orders by itself but for stores that are read back, a barrier orders too. */
const fence: Translate = (t) => {
  if (t.ctx.shared) t.ir.call("fence");
  else t.ir.mb(15);
};

/** There are no caches: what is left is the look at the page, as a load's. */
const clflush: Translate = (t) => void t.load("u8", t.address(0, "r"));

/** CF says whether there was a random number; the destination is 0 where there was none. */
const random: Translate = (t, i) => {
  const { ir } = t;
  const o = i.operands[0];
  const source = t.call("random_source");
  const low = t.call("random");
  t.setReg(o.n, o.size, o.size === 8 ? ir.or(ir.extuI32(low), ir.shlI(ir.extuI32(t.call("random")), 32)) : low);
  t.setFlagBits(ir.mulI(source, FLAG.cf));
};

/** Translators of what is left of chapter "general". */
export const fences = {
  lfence: fence,
  mfence: fence,
  sfence: fence,
  clflush,
  rdrand: random,
  rdseed: random,
} satisfies Readonly<Record<string, Translate>>;
