// Source: Intel SDM volume 2 (2023), appendix A tables.
import { defineRows } from "./notation.ts";

/** Near branches, calls, returns, BOUND; far ones and INT are rows of the system chapter. */
export const branchRows = defineRows([
  { name: "jcc", enc: "70+cc cb", operands: "Jb", flags: "f64", text: "j%c" },
  { name: "jcc", enc: "0F 80+cc cz", operands: "Jz", flags: "f64", text: "j%c" },
  { name: "loopne", enc: "E0 cb", operands: "Jb", flags: "f64" },
  { name: "loope", enc: "E1 cb", operands: "Jb", flags: "f64" },
  { name: "loop", enc: "E2 cb", operands: "Jb", flags: "f64" },
  { name: "jcxz", enc: "E3 cb", operands: "Jb", flags: "f64" },
  { name: "jmp", enc: "EB cb", operands: "Jb", flags: "f64" },
  { name: "jmp", enc: "E9 cz", operands: "Jz", flags: "f64" },
  { name: "call", enc: "E8 cz", operands: "Jz", flags: "f64" },
  { name: "jmp_ind", enc: "FF /4", operands: "Ev", flags: "f64", text: "jmp%s" },
  { name: "call_ind", enc: "FF /2", operands: "Ev", flags: "f64", text: "call%s" },
  { name: "ret", enc: "C2 iw", operands: "Iw", flags: "f64" },
  { name: "ret", enc: "C3", operands: "", flags: "f64" },
  { name: "bound", enc: "62 /r:m", operands: "Gv,Ma", flags: "i64" },
]);
