/** What the hart is, and the registers of features it does without. Source: Privileged 20211203, 3.1.1–3.1.5. */
import type { HartConfig } from "../config.ts";
import { OFF } from "../state.ts";
import { constant, since, type Csr, type CsrRead } from "./row.ts";

const pair =
  (of: (c: HartConfig) => readonly [number, number]): CsrRead =>
  (hart, out) => {
    const value = of(hart.config);
    out[0] = value[0];
    out[1] = value[1];
  };

export const IDENTITY_CSRS: readonly Csr[] = [
  // Writes to misa are ignored: extensions can't be switched off.
  constant(0x301, "misa", (hart, out) => {
    out[0] = hart.lo(OFF.misa);
    out[1] = hart.hi(OFF.misa);
  }),
  constant(0xf11, "mvendorid", (hart, out) => {
    out[0] = hart.config.mvendorid;
    out[1] = 0;
  }),
  constant(
    0xf12,
    "marchid",
    pair((c) => c.marchid),
  ),
  constant(
    0xf13,
    "mimpid",
    pair((c) => c.mimpid),
  ),
  constant(0xf14, "mhartid", (hart, out) => {
    out[0] = hart.config.hartid;
    out[1] = 0;
  }),
  constant(0xf15, "mconfigptr", 0, { on: since(12) }),
  // No triggers: tselect stays 0 and tdata1 says type 0, "no trigger here" (Debug 0.13.2, 5.2.2).
  constant(0x7a0, "tselect", 0, { on: (c) => c.debug }),
  constant(0x7a1, "tdata1", 0, { on: (c) => c.debug }),
  constant(0x7a2, "tdata2", 0, { on: (c) => c.debug }),
  constant(0x7a3, "tdata3", 0, { on: (c) => c.debug }),
];
