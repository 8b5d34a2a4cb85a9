/** Every CSR there is, by chapter. */
import { COUNTER_CSRS } from "./counter.ts";
import { FLOAT_CSRS } from "./float.ts";
import { IDENTITY_CSRS } from "./identity.ts";
import { INTERRUPT_CSRS } from "./interrupt.ts";
import { MEMORY_CSRS } from "./memory.ts";
import type { Csr } from "./row.ts";
import { STATUS_CSRS } from "./status.ts";
import { TRAP_CSRS } from "./trap.ts";

/** Every CSR there is, by chapter of the specification. */
export const CSRS: readonly Csr[] = [
  ...FLOAT_CSRS,
  ...COUNTER_CSRS,
  ...STATUS_CSRS,
  ...INTERRUPT_CSRS,
  ...TRAP_CSRS,
  ...MEMORY_CSRS,
  ...IDENTITY_CSRS,
];

/** Names by number, for disassemblers: a register that RV32 splits keeps the name of its low half. */
export const CSR_NAMES: ReadonlyMap<number, string> = new Map(CSRS.map((csr) => [csr.number, csr.name]));
