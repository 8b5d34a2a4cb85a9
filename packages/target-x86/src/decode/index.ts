import type { Encoding } from "../insn.ts";
import { aesRows } from "./aes.ts";
import { avxRows } from "./avx.ts";
import { avx2Rows } from "./avx2.ts";
import { bitRows } from "./bit.ts";
import { bmiRows } from "./bmi.ts";
import { branchRows } from "./branch.ts";
import { fmaRows } from "./fma.ts";
import { generalRows } from "./general.ts";
import { mmxRows } from "./mmx.ts";
import { sseRows } from "./sse.ts";
import { sse2Rows } from "./sse2.ts";
import { sse3Rows } from "./sse3.ts";
import { sse4Rows } from "./sse4.ts";
import { sse4aRows } from "./sse4a.ts";
import { ssse3Rows } from "./ssse3.ts";
import { stringRows } from "./string.ts";
import { systemRows } from "./system.ts";
import { x87Rows } from "./x87.ts";
import { xstateRows } from "./xstate.ts";

const CHAPTERS: readonly (readonly Encoding[])[] = [
  generalRows,
  branchRows,
  stringRows,
  bitRows,
  bmiRows,
  systemRows,
  x87Rows,
  xstateRows,
  mmxRows,
  sseRows,
  sse2Rows,
  sse3Rows,
  ssse3Rows,
  sse4Rows,
  sse4aRows,
  aesRows,
  avxRows,
  avx2Rows,
  fmaRows,
];

/** Every row, in the order of `Insn.row`. */
export const ALL_ROWS: readonly Encoding[] = CHAPTERS.flat();
