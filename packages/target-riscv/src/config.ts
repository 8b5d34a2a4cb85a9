/** What a hart is built with: register width, extensions and identity. Fixed after realize. */
import type { Xlen } from "./state.ts";

/** Extensions that may be on or off, by their names in lower case. */
export interface Extensions {
  readonly e: boolean;
  readonly m: boolean;
  readonly a: boolean;
  readonly f: boolean;
  readonly d: boolean;
  readonly c: boolean;
  readonly s: boolean;
  readonly u: boolean;
  readonly zicsr: boolean;
  readonly zifencei: boolean;
  readonly zihintpause: boolean;
  readonly zba: boolean;
  readonly zbb: boolean;
  readonly zbc: boolean;
  readonly zbs: boolean;
  readonly zicbom: boolean;
  readonly zicboz: boolean;
  readonly zicbop: boolean;
  readonly sstc: boolean;
  readonly svinval: boolean;
  readonly zawrs: boolean;
}

/** Names of {@link Extensions}, in the order of an ISA string: letters, then Z by category, then S. */
export const EXTENSION_NAMES = [
  "e", "m", "a", "f", "d", "c", "s", "u",
  "zicbom", "zicbop", "zicboz", "zicsr", "zifencei", "zihintpause", "zawrs", "zba", "zbb", "zbc", "zbs",
  "sstc", "svinval",
] as const satisfies readonly (keyof Extensions)[]; // prettier-ignore

/** The ISA string for device trees. S and U are not part of it. Source: Unprivileged 20191213, chapter 27. */
export function isaString(config: HartConfig, short = false): string {
  const { ext } = config;
  const letters = (ext.e ? "e" : "i") + ["m", "a", "f", "d", "c"].filter((l) => ext[l as "m"]).join("");
  const long = short ? [] : EXTENSION_NAMES.filter((name) => name.length > 1 && ext[name]);
  return [`rv${config.xlen}${letters}`, ...long].join("_");
}

/** Address translation modes; each includes those below it on RV64. */
export type PagingMode = "none" | "sv32" | "sv39" | "sv48" | "sv57";

/** Everything constant about a hart. */
export interface HartConfig {
  readonly xlen: Xlen;
  readonly hartid: number;
  readonly ext: Extensions;
  /** Largest translation mode satp accepts. */
  readonly paging: PagingMode;
  readonly pmp: boolean;
  /** Trigger CSRs exist (and hold nothing). */
  readonly debug: boolean;
  /** Counters from mhpmcounter3 on that exist (and read zero), 0..29. */
  readonly pmuCounters: number;
  /** Privileged specification: 10 = 1.10, 11 = 1.11, 12 = 1.12. */
  readonly priv: 10 | 11 | 12;
  readonly mvendorid: number;
  /** [low half, high half] */
  readonly marchid: readonly [number, number];
  readonly mimpid: readonly [number, number];
  /** Address of the first instruction, [low half, high half]. */
  readonly resetVector: readonly [number, number];
  /** Bytes that one Zicbom / Zicboz operation covers: a power of two, 4..4096. */
  readonly cbomBlock: number;
  readonly cbozBlock: number;
  /** ECALL enters its handler within translated code; else, and by default, through `TargetCpu.deliver`. */
  readonly inlineTraps?: boolean;
}

/** misa's extension bits (A is bit 0). Source: Privileged 20211203, 3.1.1. */
export function misaExtensions(ext: Extensions): number {
  const letters = (ext.e ? "E" : "I") + (["m", "a", "f", "d", "c", "s", "u"] as const).filter((l) => ext[l]).join("");
  let bits = 0;
  for (const letter of letters.toUpperCase()) bits |= 1 << (letter.charCodeAt(0) - 65);
  return bits;
}
