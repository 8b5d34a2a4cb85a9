/** The address-translation modes of satp. Source: Privileged 20211203, 4.1.11. */
import type { HartConfig } from "../config.ts";
import type { Xlen } from "../state.ts";

/** Shape of a translation mode. `order` ranks those a hart may be limited to. */
export interface SatpMode {
  readonly name: "sv32" | "sv39" | "sv48" | "sv57";
  readonly levels: number;
  readonly vaBits: number;
}

/** By satp.MODE; Sv32's mode 1 exists on RV32 only. 0 is Bare. */
export const SATP_MODES: Readonly<Record<number, SatpMode>> = {
  1: { name: "sv32", levels: 2, vaBits: 32 },
  8: { name: "sv39", levels: 3, vaBits: 39 },
  9: { name: "sv48", levels: 4, vaBits: 48 },
  10: { name: "sv57", levels: 5, vaBits: 57 },
};

const RANK = ["none", "sv32", "sv39", "sv48", "sv57"] as const;

/** MODE field of a satp value. */
export function satpMode(xlen: Xlen, lo: number, hi: number): number {
  return xlen === 64 ? hi >>> 28 : lo >>> 31;
}

/** May this hart be set to a mode? Writing satp with another has no effect at all. */
export function satpModeExists(config: HartConfig, mode: number): boolean {
  if (mode === 0) return true;
  const found = SATP_MODES[mode];
  if (!found || (found.name === "sv32") !== (config.xlen === 32)) return false;
  return RANK.indexOf(found.name) <= RANK.indexOf(config.paging);
}
