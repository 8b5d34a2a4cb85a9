import { defineState, stateBytes } from "@mimus/machine-core";
import { z } from "zod";
import { CHUNK } from "./spec.ts";

const byte = z.int().min(0).max(0xff);
const count = z.int().min(0).max(0x10000);
const sector = z
  .int()
  .min(0)
  .max(2 ** 48);

/** What the data register is for, or what a DMA transfer that waits for the bus master does. */
type Phase = "idle" | "reply" | "read" | "write" | "packet" | "packet-in" | "packet-out" | "dma-read" | "dma-write" | "dma-trim" | "dma-packet"; // prettier-ignore

/** Registers and progress of one unit. Defaults are those after power-on. */
export interface UnitState {
  feature: number;
  error: number;
  /** Sector count and the three address registers; `high…` what was in them before. */
  count: number;
  sector: number;
  low: number;
  high: number;
  before: [number, number, number, number, number];
  device: number;
  status: number;
  phase: Phase;
  /** The command uses 48-bit addresses. */
  wide: boolean;
  /** Next sector, and how many are left. */
  at: number;
  left: number;
  /** Sectors of one block of data. */
  block: number;
  multiple: number;
  /** Translation by the host's INITIALIZE DEVICE PARAMETERS. */
  heads: number;
  sectors: number;
  /** Mode that was chosen, as SET FEATURES codes it. */
  mode: number;
  writeCache: boolean;
  smart: boolean;
  smartAutosave: boolean;
  /** Data that goes through the data register: what is there, where the host is, where the block ends. */
  data: Uint8Array;
  from: number;
  to: number;
  /** A write that is flushed before it is done. */
  through: boolean;
  // Packet devices.
  packetDma: boolean;
  byteLimit: number;
  senseKey: number;
  senseCode: number;
  locked: boolean;
  open: boolean;
  /** Media events that GET EVENT STATUS NOTIFICATION has yet to tell, and a unit attention that is due. */
  newMedia: boolean;
  ejectRequest: boolean;
  attention: boolean;
  /** Bytes of each sector that READ CD asked for: 2048 or 2352. */
  sectorBytes: number;
}

export const State: { parse(raw: unknown): UnitState } = defineState("ide-unit", 1, {
  feature: byte.default(0),
  error: byte.default(1),
  count: byte.default(1),
  sector: byte.default(1),
  low: byte.default(0),
  high: byte.default(0),
  before: z.tuple([byte, byte, byte, byte, byte]).default([0, 0, 0, 0, 0]),
  device: byte.default(0),
  status: byte.default(0x50),
  phase: z
    .enum([
      "idle",
      "reply",
      "read",
      "write",
      "packet",
      "packet-in",
      "packet-out",
      "dma-read",
      "dma-write",
      "dma-trim",
      "dma-packet",
    ]) // prettier-ignore
    .default("idle"),
  wide: z.boolean().default(false),
  at: sector.default(0),
  left: count.default(0),
  block: count.default(1),
  multiple: byte.max(16).default(16),
  heads: byte.default(0),
  sectors: byte.default(0),
  mode: byte.default(0x45),
  writeCache: z.boolean().default(true),
  smart: z.boolean().default(true),
  smartAutosave: z.boolean().default(true),
  data: stateBytes(CHUNK).default(() => new Uint8Array(0)),
  from: count.max(CHUNK).default(0),
  to: count.max(CHUNK).default(0),
  through: z.boolean().default(false),
  packetDma: z.boolean().default(false),
  byteLimit: count.default(0),
  senseKey: byte.default(0),
  senseCode: byte.default(0),
  locked: z.boolean().default(false),
  open: z.boolean().default(false),
  newMedia: z.boolean().default(false),
  ejectRequest: z.boolean().default(false),
  attention: z.boolean().default(false),
  sectorBytes: z.int().min(2048).max(2352).default(2048),
});
