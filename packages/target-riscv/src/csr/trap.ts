/** Trap setup and handling, and environment configuration. Source: Privileged 20211203, 3.1.7, 3.1.13–3.1.18, 4.1. */
import type { HartConfig } from "../config.ts";
import { ENVCFG } from "../constants.ts";
import type { Hart } from "../hart.ts";
import { OFF } from "../state.ts";
import { hasS, hasU, since, slot, split, type Csr } from "./row.ts";

/** xtvec: modes 0 (direct) and 1 (vectored) exist; a write of another changes nothing. */
function vector(number: number, name: string, offset: number, on?: (c: HartConfig) => boolean): Csr {
  return {
    ...slot(number, name, offset, -1, -1, on ? { on } : {}),
    write(hart, lo, hi) {
      if ((lo & 3) < 2) hart.set(offset, lo, hi);
    },
  };
}

/** xepc: its low bit is always zero, the next one too without compressed instructions. */
function exceptionPc(number: number, name: string, offset: number, on?: (c: HartConfig) => boolean): Csr {
  return {
    ...slot(number, name, offset, -1, -1, on ? { on } : {}),
    write: (hart, lo, hi) => hart.set(offset, lo & (hart.config.ext.c ? ~1 : ~3), hi),
  };
}

/** Bits of xenvcfg's low half. CBIE = 2 is reserved and leaves the field alone. */
function writeEnvcfg(hart: Hart, offset: number, lo: number, hi: number): void {
  const { ext } = hart.config;
  let mask = ENVCFG.FIOM | (ext.zicbom ? ENVCFG.CBIE | ENVCFG.CBCFE : 0) | (ext.zicboz ? ENVCFG.CBZE : 0);
  if ((lo & ENVCFG.CBIE) === 2 << 4) mask &= ~ENVCFG.CBIE;
  hart.set(offset, (hart.lo(offset) & ~mask) | (lo & mask), hi);
}

const envcfg12 = since(12);

export const TRAP_CSRS: readonly Csr[] = [
  vector(0x305, "mtvec", OFF.mtvec),
  slot(0x340, "mscratch", OFF.mscratch, -1, -1, { inline: "mscratch" }),
  exceptionPc(0x341, "mepc", OFF.mepc),
  slot(0x342, "mcause", OFF.mcause, -1, -1, { inline: "mcause" }),
  slot(0x343, "mtval", OFF.mtval, -1, -1, { inline: "mtval" }),
  ...split(
    [0x30a, 0x31a],
    "menvcfg",
    (hart, out) => {
      out[0] = hart.lo(OFF.menvcfg);
      out[1] = hart.hi(OFF.menvcfg);
    },
    (hart, lo, hi) => {
      writeEnvcfg(hart, OFF.menvcfg, lo, hart.config.ext.sstc ? hi & ENVCFG.STCE_HI : 0);
      hart.counters.timeChanged();
    },
    { on: (c) => c.ext.u && envcfg12(c) },
  ),
  vector(0x105, "stvec", OFF.stvec, hasS),
  slot(0x140, "sscratch", OFF.sscratch, -1, -1, { on: hasS, inline: "sscratch" }),
  exceptionPc(0x141, "sepc", OFF.sepc, hasS),
  slot(0x142, "scause", OFF.scause, -1, -1, { on: hasS, inline: "scause" }),
  slot(0x143, "stval", OFF.stval, -1, -1, { on: hasS, inline: "stval" }),
  {
    ...slot(0x10a, "senvcfg", OFF.senvcfg, -1, -1, { on: (c) => hasS(c) && hasU(c) && envcfg12(c) }),
    write: (hart, lo) => writeEnvcfg(hart, OFF.senvcfg, lo, 0),
  },
];
