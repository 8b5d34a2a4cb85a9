// Source: Intel SDM volume 1 (2023), chapters 10.5 and 13; volume 2, the instructions' own pages.
import { defineRows } from "./notation.ts";

/** FXSAVE and the XSAVE family, MXCSR. With REX.W (`Insn.rexW`) pointers are 64 bits. */
export const xstateRows = defineRows([
  { name: "fxsave", enc: "NP 0F AE /0:m", operands: "M", feature: "fxsr", text: "fxsave%x" },
  { name: "fxrstor", enc: "NP 0F AE /1:m", operands: "M", feature: "fxsr", text: "fxrstor%x" },
  { name: "ldmxcsr", enc: "NP 0F AE /2:m", operands: "Md", feature: "sse" },
  { name: "stmxcsr", enc: "NP 0F AE /3:m", operands: "Md", feature: "sse" },
  { name: "vldmxcsr", enc: "VEX.LZ.NP.0F.WIG AE /2:m", operands: "Md", feature: "avx" },
  { name: "vstmxcsr", enc: "VEX.LZ.NP.0F.WIG AE /3:m", operands: "Md", feature: "avx" },
  { name: "xsave", enc: "NP 0F AE /4:m", operands: "M", feature: "xsave", text: "xsave%x" },
  { name: "xrstor", enc: "NP 0F AE /5:m", operands: "M", feature: "xsave", text: "xrstor%x" },
  { name: "xsaveopt", enc: "NP 0F AE /6:m", operands: "M", feature: "xsaveopt", text: "xsaveopt%x" },
  { name: "xrstors", enc: "NP 0F C7 /3:m", operands: "M", feature: "xsaves", flags: "cpl0", text: "xrstors%x" },
  { name: "xsavec", enc: "NP 0F C7 /4:m", operands: "M", feature: "xsavec", text: "xsavec%x" },
  { name: "xsaves", enc: "NP 0F C7 /5:m", operands: "M", feature: "xsaves", flags: "cpl0", text: "xsaves%x" },
]);
