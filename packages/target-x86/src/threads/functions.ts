/** What an x86 CPU on a thread of its own asks of its CPU object, and what that orders it to do. */
import { CPU_FUNCTIONS } from "@mimus/tcg";

const at = CPU_FUNCTIONS;
/** Questions. A 64-bit value is two, low half first. */
export const ASK = {
  /** -> vector, -1 none. */
  acknowledge: at,
  /** -> CR8. */
  readTpr: at + 1,
  /** value */
  writeTpr: at + 2,
  /** -> IA32_APIC_BASE. */
  readBase: at + 3,
  /** low, high -> allowed */
  writeBase: at + 4,
  /** number -> known, low, high */
  readMsr: at + 5,
  /** number, low, high -> allowed */
  writeMsr: at + 6,
  initReset: at + 7,
  timeChanged: at + 8,
  /** port, size -> value */
  portIn: at + 9,
  /** port, size, value */
  portOut: at + 10,
  shutdown: at + 11,
  /** level */
  ferr: at + 12,
  /** active */
  smm: at + 13,
  /** -> 32 bits */
  random: at + 14,
  /** -> place of the APIC's page, A20, and the SMRAM window: open, base, size, place */
  wiring: at + 15,
} as const;

/** Orders. */
export const ORDER = {
  /** vector of a start-up IPI */
  sipi: 0,
  /** {@link ASK.wiring} answers something else now. */
  rewire: 1,
} as const;
