/** fflags, frm and fcsr. Source: Unprivileged 20191213, 11.2. */
import type { Hart } from "../hart.ts";
import { FS, OFF } from "../state.ts";
import { hasF, type Csr } from "./row.ts";
import { markFpDirty } from "./status.ts";

/** With FS off, floating-point state can't be touched. */
const on = { on: hasF, access: (hart: Hart) => ((hart.lo(OFF.mstatus) >> 13) & 3) !== FS.OFF };

function setFrm(hart: Hart, frm: number): void {
  hart.setLo(OFF.frm, frm);
  hart.setLo(OFF.fpRm, frm);
}

export const FLOAT_CSRS: readonly Csr[] = [
  {
    number: 0x001,
    name: "fflags",
    ...on,
    read(hart, out) {
      out[0] = hart.lo(OFF.fpFlags) & 31;
      out[1] = 0;
    },
    write(hart, lo) {
      hart.setLo(OFF.fpFlags, lo & 31);
      markFpDirty(hart);
    },
  },
  {
    number: 0x002,
    name: "frm",
    ...on,
    read(hart, out) {
      out[0] = hart.lo(OFF.frm);
      out[1] = 0;
    },
    write(hart, lo) {
      setFrm(hart, lo & 7);
      markFpDirty(hart);
    },
  },
  {
    number: 0x003,
    name: "fcsr",
    ...on,
    read(hart, out) {
      out[0] = (hart.lo(OFF.fpFlags) & 31) | (hart.lo(OFF.frm) << 5);
      out[1] = 0;
    },
    write(hart, lo) {
      hart.setLo(OFF.fpFlags, lo & 31);
      setFrm(hart, (lo >> 5) & 7);
      markFpDirty(hart);
    },
  },
];
