import { defineState, stateBytes } from "@mimus/machine-core";
import { z } from "zod";
import { COUNT } from "./registers.ts";

const byte = z.int().min(0).max(0xff);
const block = (count: number): z.ZodDefault<z.ZodType<Uint8Array, Uint8Array>> =>
  stateBytes(count, true).default(() => new Uint8Array(count));

/** The registers of a VGA as they are now. */
export interface VgaState {
  seqIndex: number;
  readonly seq: Uint8Array;
  gfxIndex: number;
  readonly gfx: Uint8Array;
  crtcIndex: number;
  readonly crtc: Uint8Array;
  attrIndex: number;
  readonly attr: Uint8Array;
  attrData: boolean;
  misc: number;
  feature: number;
  status0: number;
  status1: number;
  latch: number;
  readonly dac: Uint8Array;
  dacMask: number;
  dacRead: number;
  dacWrite: number;
  dacPart: number;
  dacReading: boolean;
}

/** The registers of a VGA as a saved state has them. */
export const State: { parse(raw: unknown): VgaState } = defineState("vga", 1, {
  seqIndex: byte.default(0),
  seq: block(COUNT.seq),
  gfxIndex: byte.default(0),
  gfx: block(COUNT.gfx),
  crtcIndex: byte.default(0),
  crtc: block(COUNT.crtc),
  /** Index of the attribute controller; bit 5 lets the screen show. */
  attrIndex: byte.default(0),
  attr: block(COUNT.attr),
  /** The next write to port 3C0 is data. */
  attrData: z.boolean().default(false),
  /** Miscellaneous output. */
  misc: byte.default(0),
  feature: byte.default(0),
  status0: byte.default(0),
  status1: byte.default(0),
  latch: z.uint32().default(0),
  dac: block(768),
  dacMask: byte.default(0xff),
  dacRead: byte.default(0),
  dacWrite: byte.default(0),
  /** Component 0 to 2 that comes next. */
  dacPart: z.int().min(0).max(2).default(0),
  /** The last index was set for reading. */
  dacReading: z.boolean().default(false),
});

/** Takes over `from`; the arrays stay the same objects. */
export function assign(s: VgaState, from: VgaState): void {
  const { seq, gfx, crtc, attr, dac, ...scalars } = from;
  s.seq.set(seq);
  s.gfx.set(gfx);
  s.crtc.set(crtc);
  s.attr.set(attr);
  s.dac.set(dac);
  Object.assign(s, scalars);
}
