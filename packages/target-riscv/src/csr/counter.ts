/** Counters, their gates, and stimecmp. Source: Privileged 20211203, 3.1.10–3.1.12; Sstc 1.0, chapter 2. */
import type { HartConfig } from "../config.ts";
import { PRIV } from "../constants.ts";
import { COUNTINHIBIT } from "../counters.ts";
import type { Hart } from "../hart.ts";
import { OFF } from "../state.ts";
import { constant, hasS, hasU, rv32, since, split, word, type Csr, type CsrRead } from "./row.ts";

const readCycle: CsrRead = (hart, out) => hart.counters.readCount(OFF.mcycleOffset, COUNTINHIBIT.CY, out);
const readInstret: CsrRead = (hart, out) => hart.counters.readCount(OFF.minstretOffset, COUNTINHIBIT.IR, out);
const readTime: CsrRead = (hart, out) => hart.counters.readTime(out);

/** Counter `bit` is visible below M when mcounteren says so, and in U when scounteren does too. */
export function visible(hart: Hart, bit: number): boolean {
  const priv = hart.lo(OFF.priv);
  if (priv === PRIV.M) return true;
  if (!((hart.lo(OFF.mcounteren) >> bit) & 1)) return false;
  return priv === PRIV.S || !hart.config.ext.s || ((hart.lo(OFF.scounteren) >> bit) & 1) === 1;
}
const gate = (bit: number) => ({ access: (hart: Hart) => visible(hart, bit) });

/** mhpmcounter3.., their events and their user views: as many as the hart is given, all reading zero. */
function hpmRows(): Csr[] {
  const rows: Csr[] = [];
  for (let n = 3; n < 32; n++) {
    const on = (c: HartConfig): boolean => n < 3 + c.pmuCounters;
    const onHigh = (c: HartConfig): boolean => on(c) && rv32(c);
    rows.push(
      constant(0xb00 + n, `mhpmcounter${n}`, 0, { on }),
      constant(0xb80 + n, `mhpmcounter${n}h`, 0, { on: onHigh }),
      constant(0x320 + n, `mhpmevent${n}`, 0, { on }),
      constant(0xc00 + n, `hpmcounter${n}`, 0, { on, ...gate(n) }),
      constant(0xc80 + n, `hpmcounter${n}h`, 0, { on: onHigh, ...gate(n) }),
    );
  }
  return rows;
}

export const COUNTER_CSRS: readonly Csr[] = [
  ...split([0xc00, 0xc80], "cycle", readCycle, undefined, gate(0)),
  ...split([0xc01, 0xc81], "time", readTime, undefined, gate(1)),
  ...split([0xc02, 0xc82], "instret", readInstret, undefined, gate(2)),
  ...split([0xb00, 0xb80], "mcycle", readCycle, (hart, lo, hi) =>
    hart.counters.writeCount(OFF.mcycleOffset, COUNTINHIBIT.CY, lo, hi),
  ),
  ...split([0xb02, 0xb82], "minstret", readInstret, (hart, lo, hi) =>
    hart.counters.writeCount(OFF.minstretOffset, COUNTINHIBIT.IR, lo, hi),
  ),
  word(0x306, "mcounteren", OFF.mcounteren, -1, { on: hasU }),
  word(0x106, "scounteren", OFF.scounteren, -1, { on: hasS }),
  {
    ...word(0x320, "mcountinhibit", OFF.mcountinhibit, -1, { on: since(11) }),
    write: (hart, lo) => hart.counters.writeInhibit(lo & (COUNTINHIBIT.CY | COUNTINHIBIT.IR)),
  },
  ...split(
    [0x14d, 0x15d],
    "stimecmp",
    (hart, out) => {
      out[0] = hart.lo(OFF.stimecmp);
      out[1] = hart.hi(OFF.stimecmp);
    },
    (hart, lo, hi) => {
      hart.set(OFF.stimecmp, lo, hi);
      hart.counters.timeChanged();
    },
    {
      on: (c) => c.ext.s && c.ext.sstc,
      access: (hart) =>
        hart.lo(OFF.priv) === PRIV.M || (((hart.lo(OFF.mcounteren) >> 1) & 1) === 1 && hart.counters.sstcEnabled),
    },
  ),
  ...hpmRows(),
];
