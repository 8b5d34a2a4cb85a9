import { defineState } from "@mimus/machine-core";
import { z } from "zod";
import { ALL, LVT, MASKED } from "./spec.ts";

/** The state of a local APIC, as it is saved. */
export interface ApicState {
  baseLow: number;
  baseHigh: number;
  id: number;
  tpr: number;
  ldr: number;
  dfr: number;
  svr: number;
  errors: number;
  esr: number;
  icrLow: number;
  icrHigh: number;
  lvt: number[];
  isr: number[];
  tmr: number[];
  irr: number[];
  lint0: boolean;
  lint1: boolean;
  extInt: boolean;
  initial: number;
  divide: number;
  /** When the count was written, ns. */
  start: number;
  deadlineLow: number;
  deadlineHigh: number;
  /** A count in one-shot mode has reached 0. */
  ended: boolean;
}

const word = z.uint32().default(0);
const words = z
  .array(z.uint32())
  .length(8)
  .default(() => Array.from({ length: 8 }, () => 0));

/** Checks an {@link ApicState}; what is missing is as at power-on. */
export const apicState: z.ZodType<ApicState, unknown> = defineState("apic", 1, {
  baseLow: z.uint32().default(0),
  baseHigh: word,
  id: z.uint32().default(0),
  tpr: z.int().min(0).max(0xff).default(0),
  ldr: word,
  dfr: z.uint32().default(ALL),
  svr: z.int().min(0).max(0x1fff).default(0xff),
  errors: z.int().min(0).max(0xff).default(0),
  esr: z.int().min(0).max(0xff).default(0),
  icrLow: word,
  icrHigh: word,
  lvt: z
    .array(z.uint32())
    .length(LVT.COUNT)
    .default(() => Array.from({ length: LVT.COUNT }, () => MASKED)),
  isr: words,
  tmr: words,
  irr: words,
  lint0: z.boolean().default(false),
  lint1: z.boolean().default(false),
  extInt: z.boolean().default(false),
  initial: word,
  divide: z.int().min(0).max(0xf).default(0),
  start: z.number().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  deadlineLow: word,
  deadlineHigh: word,
  ended: z.boolean().default(true),
});

/** The registers that are plain numbers, and the levels of the pins. */
export type Scalars = Omit<
  ApicState,
  "lvt" | "isr" | "tmr" | "irr" | "initial" | "divide" | "start" | "deadlineLow" | "deadlineHigh" | "ended"
>;

/** The {@link Scalars} of a state. */
export function scalars(s: ApicState): Scalars {
  const { lvt: _1, isr: _2, tmr: _3, irr: _4, initial: _5, divide: _6, start: _7, ...rest } = s;
  const { deadlineLow: _8, deadlineHigh: _9, ended: _10, ...plain } = rest;
  return plain;
}
