import { defineState, stateBytes } from "@mimus/machine-core";
import { z } from "zod";

const byte = z.int().min(0).max(0xff);

/** What the controller is doing. */
type Phase = "command" | "execution" | "result";

/** The registers of the controller. Defaults are those after a hardware reset. */
export interface FdcState {
  dor: number;
  tdr: number;
  /** Data rate select: rate in bits 0 and 1. */
  dsr: number;
  phase: Phase;
  /** Bytes of the command so far, or of the result that is left. */
  bytes: number[];
  /** Interrupts after a reset that SENSE INTERRUPT STATUS has yet to tell, 0 to 4. */
  resets: number;
  /** What SENSE INTERRUPT STATUS tells about the last seek; -1 for nothing. */
  seeked: number;
  interrupt: boolean;
  specify: [number, number];
  config: number;
  pretrack: number;
  lock: boolean;
  perpendicular: number;
  option: number;
  power: number;
  eot: number;
  /** The transfer that goes on: next sector. */
  cylinder: number;
  head: number;
  sector: number;
  /** Bytes of the buffer that have gone through. */
  at: number;
  buffer: Uint8Array;
}

export const State: { parse(raw: unknown): FdcState } = defineState("fdc", 1, {
  dor: byte.default(0x0c),
  tdr: byte.default(0),
  dsr: byte.default(0x02),
  phase: z.enum(["command", "execution", "result"]).default("command"),
  bytes: z.array(byte).max(20).default([]),
  resets: z.int().min(0).max(4).default(0),
  seeked: z.int().min(-1).max(0xff).default(-1),
  interrupt: z.boolean().default(false),
  specify: z.tuple([byte, byte]).default([0, 0]),
  config: byte.default(0),
  pretrack: byte.default(0),
  lock: z.boolean().default(false),
  perpendicular: byte.default(0),
  option: byte.default(0),
  power: byte.default(0),
  eot: byte.default(0),
  cylinder: byte.default(0),
  head: byte.default(0),
  sector: byte.default(0),
  at: z.int().min(0).max(0x10000).default(0),
  buffer: stateBytes(0x10000).default(() => new Uint8Array(0)),
}) as unknown as { parse(raw: unknown): FdcState };
