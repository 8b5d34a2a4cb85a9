/** mstatus and its view sstatus. Source: Privileged 20211203, 3.1.6, 4.1.1. */
import type { HartConfig } from "../config.ts";
import { MSTATUS, PRIV } from "../constants.ts";
import type { Hart } from "../hart.ts";
import { FS, OFF, PAGED_INDEXES } from "../state.ts";
import { constant, hasS, rv32, type Csr } from "./row.ts";

/** Bits of sstatus's low half. */
export const SSTATUS: number = MSTATUS.SIE | MSTATUS.SPIE | MSTATUS.SPP | MSTATUS.FS | MSTATUS.SUM | MSTATUS.MXR;
/** Bits that need S-mode, and those that need a mode below M. */
const NEED_S = MSTATUS.SIE | MSTATUS.SPIE | MSTATUS.SPP | MSTATUS.SUM | MSTATUS.MXR | MSTATUS.TVM | MSTATUS.TSR;
const NEED_U = MSTATUS.MPRV | MSTATUS.TW;
const ALL = NEED_S | NEED_U | MSTATUS.MIE | MSTATUS.MPIE | MSTATUS.MPP | MSTATUS.FS;

/** mstatus bits that exist on a hart. */
export function mstatusMask(config: HartConfig): number {
  const { ext } = config;
  return ALL & ~(ext.s ? 0 : NEED_S) & ~(ext.u ? 0 : NEED_U | MSTATUS.MPP) & ~(ext.f ? 0 : MSTATUS.FS);
}

/** SD says that FS (the only extension state there is) is dirty. */
function dirty(hart: Hart): boolean {
  return ((hart.lo(OFF.mstatus) >> 13) & 3) === FS.DIRTY;
}

/** Writes the bits of `mask` and lets what depends on them follow. */
function writeStatus(hart: Hart, value: number, mask: number): void {
  const old = hart.lo(OFF.mstatus);
  let now = (old & ~mask) | (value & mask);
  // MPP is WARL: a mode that does not exist leaves it as it was.
  const mpp = (now >> 11) & 3;
  const { ext } = hart.config;
  if (mpp === 2 || (mpp === PRIV.S && !ext.s) || (mpp === PRIV.U && !ext.u))
    now = (now & ~MSTATUS.MPP) | (old & MSTATUS.MPP);
  if (now === old) return;
  hart.setLo(OFF.mstatus, now);
  if ((now ^ old) & MSTATUS.MXR) hart.engine.flushTlb(hart.env, PAGED_INDEXES);
  hart.updateFlags();
  hart.checkInterrupts();
}

/** Makes the floating-point state dirty: a write to fcsr does. */
export function markFpDirty(hart: Hart): void {
  hart.setLo(OFF.mstatus, hart.lo(OFF.mstatus) | MSTATUS.FS);
  hart.updateFlags();
}

export const STATUS_CSRS: readonly Csr[] = [
  {
    number: 0x300,
    name: "mstatus",
    read(hart, out) {
      const { ext } = hart.config;
      out[0] = hart.lo(OFF.mstatus);
      // UXL and SXL always say 64.
      out[1] = (ext.u ? 2 : 0) | (ext.s ? 8 : 0);
      setSd(hart, out);
    },
    write: (hart, lo) => writeStatus(hart, lo, mstatusMask(hart.config)),
  },
  constant(0x310, "mstatush", 0, { on: rv32 }),
  {
    number: 0x100,
    name: "sstatus",
    on: hasS,
    read(hart, out) {
      out[0] = hart.lo(OFF.mstatus) & SSTATUS;
      out[1] = hart.config.ext.u ? 2 : 0;
      setSd(hart, out);
    },
    write: (hart, lo) => writeStatus(hart, lo, SSTATUS & mstatusMask(hart.config)),
  },
];

/** SD is the top bit of the register, whatever its width. */
function setSd(hart: Hart, out: Int32Array): void {
  if (dirty(hart)) out[hart.rv64 ? 1 : 0]! |= 0x80000000;
}
