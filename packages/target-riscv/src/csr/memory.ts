/** satp and physical memory protection. Source: Privileged 20211203, 4.1.11, 3.7.1. */
import { MSTATUS, PRIV } from "../constants.ts";
import type { Hart } from "../hart.ts";
import { satpMode, satpModeExists } from "../mmu/satp.ts";
import { PMP_ENTRIES } from "../pmp.ts";
import { OFF, PAGED_INDEXES } from "../state.ts";
import { hasS, type Csr } from "./row.ts";

/** A mode that the hart lacks leaves satp wholly as it was (4.1.11). Without paging satp is zero. */
function writeSatp(hart: Hart, lo: number, hi: number): void {
  const { config } = hart;
  if (config.paging === "none" || !satpModeExists(config, satpMode(config.xlen, lo, hi))) return;
  if (lo === hart.lo(OFF.satp) && hi === hart.hi(OFF.satp)) return;
  // What the page tables call global is the same in every address space of a mode (4.3.1).
  const sameMode = satpMode(config.xlen, lo, hi) === satpMode(config.xlen, hart.lo(OFF.satp), hart.hi(OFF.satp));
  hart.set(OFF.satp, lo, hi);
  hart.walker.satpChanged();
  hart.engine.flushTlb(hart.env, PAGED_INDEXES, sameMode);
}

function pmpRows(): Csr[] {
  const rows: Csr[] = [];
  for (let n = 0; n < 4; n++) {
    rows.push({
      number: 0x3a0 + n,
      name: `pmpcfg${n}`,
      on: (c) => c.pmp && (c.xlen === 32 || n % 2 === 0),
      read(hart, out) {
        out[0] = hart.pmp.readCfg(4 * n);
        out[1] = hart.rv64 ? hart.pmp.readCfg(4 * n + 4) : 0;
      },
      write(hart, lo, hi) {
        hart.pmp.writeCfg(4 * n, lo);
        if (hart.rv64) hart.pmp.writeCfg(4 * n + 4, hi);
      },
    });
  }
  for (let n = 0; n < PMP_ENTRIES; n++) {
    rows.push({
      number: 0x3b0 + n,
      name: `pmpaddr${n}`,
      on: (c) => c.pmp,
      read(hart, out) {
        out[0] = hart.lo(OFF.pmpaddr + 8 * n);
        out[1] = hart.hi(OFF.pmpaddr + 8 * n);
      },
      write: (hart, lo, hi) => hart.pmp.writeAddress(n, lo, hi),
    });
  }
  return rows;
}

export const MEMORY_CSRS: readonly Csr[] = [
  {
    number: 0x180,
    name: "satp",
    on: hasS,
    access: (hart) => !(hart.lo(OFF.priv) === PRIV.S && hart.lo(OFF.mstatus) & MSTATUS.TVM),
    read(hart, out) {
      out[0] = hart.lo(OFF.satp);
      out[1] = hart.hi(OFF.satp);
    },
    write: writeSatp,
  },
  ...pmpRows(),
];
