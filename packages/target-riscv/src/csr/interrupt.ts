/** Interrupt registers of M and S, and delegation. Source: Privileged 20211203, 3.1.8, 3.1.9, 4.1.3; Sstc 1.0. */
import { DELEGABLE_EXCEPTIONS, IRQ, M_INTERRUPTS, S_INTERRUPTS } from "../constants.ts";
import type { Hart } from "../hart.ts";
import { OFF } from "../state.ts";
import { hasS, type Csr } from "./row.ts";

const SSIP = 1 << IRQ.SSI;
const STIP = 1 << IRQ.STI;

/** Bits of mip that M-mode software may write: SSIP, SEIP, and STIP unless Sstc drives it. */
function writableMip(hart: Hart): number {
  if (!hart.config.ext.s) return 0;
  return hart.counters.sstcEnabled ? S_INTERRUPTS & ~STIP : S_INTERRUPTS;
}

function writeMip(hart: Hart, value: number, mask: number): void {
  hart.setLo(OFF.mipSoft, (hart.lo(OFF.mipSoft) & ~mask) | (value & mask));
  hart.checkInterrupts();
}

function writeMie(hart: Hart, value: number, mask: number): void {
  hart.setLo(OFF.mie, (hart.lo(OFF.mie) & ~mask) | (value & mask));
  hart.checkInterrupts();
}

export const INTERRUPT_CSRS: readonly Csr[] = [
  {
    number: 0x302,
    name: "medeleg",
    on: hasS,
    read(hart, out) {
      out[0] = hart.lo(OFF.medeleg);
      out[1] = 0;
    },
    write: (hart, lo) => hart.setLo(OFF.medeleg, lo & DELEGABLE_EXCEPTIONS),
  },
  {
    number: 0x303,
    name: "mideleg",
    on: hasS,
    read(hart, out) {
      out[0] = hart.lo(OFF.mideleg);
      out[1] = 0;
    },
    write(hart, lo) {
      hart.setLo(OFF.mideleg, lo & S_INTERRUPTS);
      hart.checkInterrupts();
    },
  },
  {
    number: 0x304,
    name: "mie",
    read(hart, out) {
      out[0] = hart.lo(OFF.mie);
      out[1] = 0;
    },
    write: (hart, lo) => writeMie(hart, lo, hart.config.ext.s ? M_INTERRUPTS | S_INTERRUPTS : M_INTERRUPTS),
  },
  {
    number: 0x344,
    name: "mip",
    read(hart, out) {
      out[0] = hart.mip;
      out[1] = 0;
    },
    // Setting or clearing a bit must not copy the external SEI line into the software bit (3.1.9).
    readForUpdate(hart, out) {
      out[0] = hart.lo(OFF.mipSoft);
      out[1] = 0;
    },
    write: (hart, lo) => writeMip(hart, lo, writableMip(hart)),
  },
  {
    number: 0x104,
    name: "sie",
    on: hasS,
    read(hart, out) {
      out[0] = hart.lo(OFF.mie) & hart.lo(OFF.mideleg);
      out[1] = 0;
    },
    write: (hart, lo) => writeMie(hart, lo, hart.lo(OFF.mideleg)),
  },
  {
    number: 0x144,
    name: "sip",
    on: hasS,
    read(hart, out) {
      out[0] = hart.mip & hart.lo(OFF.mideleg);
      out[1] = 0;
    },
    // Only SSIP is writable from S-mode.
    write: (hart, lo) => writeMip(hart, lo, SSIP & hart.lo(OFF.mideleg)),
  },
];
