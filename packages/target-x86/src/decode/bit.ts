// Source: Intel SDM volume 2 (2023), appendix A tables.
import type { Encoding } from "../insn.ts";
import { defineRows } from "./notation.ts";

/** The six encodings of a shift or rotation: `n` is its place in group 2. */
function shift<const Name extends string>(name: Name, n: number, flags?: string): Encoding<Name>[] {
  const more = flags === undefined ? {} : { flags };
  return [
    { name, enc: `C0 /${n} ib`, operands: "Eb,Ib", ...more },
    { name, enc: `C1 /${n} ib`, operands: "Ev,Ib", ...more },
    { name, enc: `D0 /${n}`, operands: "Eb,1", ...more },
    { name, enc: `D1 /${n}`, operands: "Ev,1", ...more },
    { name, enc: `D2 /${n}`, operands: "Eb,CL", ...more },
    { name, enc: `D3 /${n}`, operands: "Ev,CL", ...more },
  ];
}

/** Shifts, bit tests, bit scans. */
export const bitRows = defineRows([
  ...shift("rol", 0),
  ...shift("ror", 1),
  ...shift("rcl", 2),
  ...shift("rcr", 3),
  ...shift("shl", 4),
  ...shift("shr", 5),
  ...shift("shl", 6, "alias"),
  ...shift("sar", 7),
  { name: "shld", enc: "0F A4 /r ib", operands: "Ev,Gv,Ib" },
  { name: "shld", enc: "0F A5 /r", operands: "Ev,Gv,CL" },
  { name: "shrd", enc: "0F AC /r ib", operands: "Ev,Gv,Ib" },
  { name: "shrd", enc: "0F AD /r", operands: "Ev,Gv,CL" },
  // With a register as index, a memory operand lies (index >> 3) bytes further
  { name: "bt", enc: "0F A3 /r", operands: "Ev,Gv" },
  { name: "bts", enc: "0F AB /r", operands: "Ev,Gv", flags: "lock" },
  { name: "btr", enc: "0F B3 /r", operands: "Ev,Gv", flags: "lock" },
  { name: "btc", enc: "0F BB /r", operands: "Ev,Gv", flags: "lock" },
  { name: "bt", enc: "0F BA /4 ib", operands: "Ev,Ib" },
  { name: "bts", enc: "0F BA /5 ib", operands: "Ev,Ib", flags: "lock" },
  { name: "btr", enc: "0F BA /6 ib", operands: "Ev,Ib", flags: "lock" },
  { name: "btc", enc: "0F BA /7 ib", operands: "Ev,Ib", flags: "lock" },
  { name: "bsf", enc: "0F BC /r", operands: "Gv,Ev" },
  { name: "bsr", enc: "0F BD /r", operands: "Gv,Ev" },
]);
