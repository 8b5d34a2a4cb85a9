// Rows of SSE4a.
// Source: AMD APM volume 4 (2021).
import { defineRows } from "./notation.ts";

/** Rows of SSE4a. */
export const sse4aRows = defineRows([
  { name: "extrq", enc: "66 0F 78 /0:r ib ib", operands: "Udq,Ib,Ib", feature: "sse4a" },
  { name: "extrq", enc: "66 0F 79 /r:r", operands: "Vdq,Udq", feature: "sse4a" },
  { name: "insertq", enc: "F2 0F 78 /r:r ib ib", operands: "Vdq,Udq,Ib,Ib", feature: "sse4a" },
  { name: "insertq", enc: "F2 0F 79 /r:r", operands: "Vdq,Udq", feature: "sse4a" },
  { name: "movntss", enc: "F3 0F 2B /r:m", operands: "Mss,Vss", feature: "sse4a" },
  { name: "movntsd", enc: "F2 0F 2B /r:m", operands: "Msd,Vsd", feature: "sse4a" },
]); // prettier-ignore
