// Rows of SSE3.
// Source: Intel SDM volume 2 (2023); volume 1, chapter 12.
import { defineRows } from "./notation.ts";

/** Rows of SSE3. */
export const sse3Rows = defineRows([
  { name: "haddpd", enc: "66 0F 7C /r", operands: "Vx,Wx", feature: "pni", flags: "aligned" },
  { name: "hsubpd", enc: "66 0F 7D /r", operands: "Vx,Wx", feature: "pni", flags: "aligned" },
  { name: "addsubpd", enc: "66 0F D0 /r", operands: "Vx,Wx", feature: "pni", flags: "aligned" },
  { name: "haddps", enc: "F2 0F 7C /r", operands: "Vx,Wx", feature: "pni", flags: "aligned" },
  { name: "hsubps", enc: "F2 0F 7D /r", operands: "Vx,Wx", feature: "pni", flags: "aligned" },
  { name: "addsubps", enc: "F2 0F D0 /r", operands: "Vx,Wx", feature: "pni", flags: "aligned" },
  { name: "movsldup", enc: "F3 0F 12 /r", operands: "Vx,Wx", feature: "pni", flags: "aligned" },
  { name: "movshdup", enc: "F3 0F 16 /r", operands: "Vx,Wx", feature: "pni", flags: "aligned" },
  { name: "movddup", enc: "F2 0F 12 /r", operands: "Vdq,Wq", feature: "pni" },
  { name: "lddqu", enc: "F2 0F F0 /r:m", operands: "Vx,Mx", feature: "pni" },
]); // prettier-ignore
