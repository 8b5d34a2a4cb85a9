// Rows of SSSE3.
// Source: Intel SDM volume 2 (2023); volume 1, chapter 12.
import { defineRows } from "./notation.ts";

/** Rows of SSSE3. */
export const ssse3Rows = defineRows([
  { name: "pshufb", enc: "NP 0F 38 00 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "pshufb", enc: "66 0F 38 00 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "phaddw", enc: "NP 0F 38 01 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "phaddw", enc: "66 0F 38 01 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "phaddd", enc: "NP 0F 38 02 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "phaddd", enc: "66 0F 38 02 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "phaddsw", enc: "NP 0F 38 03 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "phaddsw", enc: "66 0F 38 03 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "pmaddubsw", enc: "NP 0F 38 04 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "pmaddubsw", enc: "66 0F 38 04 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "phsubw", enc: "NP 0F 38 05 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "phsubw", enc: "66 0F 38 05 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "phsubd", enc: "NP 0F 38 06 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "phsubd", enc: "66 0F 38 06 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "phsubsw", enc: "NP 0F 38 07 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "phsubsw", enc: "66 0F 38 07 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "psignb", enc: "NP 0F 38 08 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "psignb", enc: "66 0F 38 08 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "psignw", enc: "NP 0F 38 09 /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "psignw", enc: "66 0F 38 09 /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "psignd", enc: "NP 0F 38 0A /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "psignd", enc: "66 0F 38 0A /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "pmulhrsw", enc: "NP 0F 38 0B /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "pmulhrsw", enc: "66 0F 38 0B /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "pabsb", enc: "NP 0F 38 1C /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "pabsb", enc: "66 0F 38 1C /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "pabsw", enc: "NP 0F 38 1D /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "pabsw", enc: "66 0F 38 1D /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "pabsd", enc: "NP 0F 38 1E /r", operands: "Pq,Qq", feature: "ssse3" },
  { name: "pabsd", enc: "66 0F 38 1E /r", operands: "Vx,Wx", feature: "ssse3", flags: "aligned" },
  { name: "palignr", enc: "NP 0F 3A 0F /r ib", operands: "Pq,Qq,Ib", feature: "ssse3" },
  { name: "palignr", enc: "66 0F 3A 0F /r ib", operands: "Vx,Wx,Ib", feature: "ssse3", flags: "aligned" },
]); // prettier-ignore
