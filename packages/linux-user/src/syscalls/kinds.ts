/** How arguments are taken from registers and shown by `-strace`. */
import type { Fields, Layout } from "../layout.ts";
import type { ArgKind, SyscallResult } from "../process.ts";
import type { Kernel } from "./kernel.ts";

/** Names of bits: the first entry of a mask that matches is shown. */
export interface FlagSet {
  readonly bits: readonly (readonly [value: number, name: string])[];
  /** Part that is a number, not bits, and its names. */
  readonly choice?: { readonly mask: number; readonly names: Readonly<Record<number, string>> };
}

/** A number that stands for a name. */
export interface NameSet {
  readonly names: Readonly<Record<number, string>>;
}

/** A kind with details. Indices count arguments from 0. */
export type DetailedKind =
  | { readonly flags: FlagSet }
  | { readonly one: NameSet }
  /** Bytes that the program gives; `length` is the index of the argument with their number. */
  | { readonly textIn: number }
  /** Bytes that the call fills: as many as it returns. */
  | { readonly textOut: true }
  /** An array of iovec, whose length is an argument. */
  | { readonly iovec: number }
  /** A structure that the program gives. */
  | { readonly structIn: Layout<Fields> }
  /** A structure that the call fills. */
  | { readonly structOut: Layout<Fields> };

export type Kind = ArgKind | "resource" | DetailedKind;

/** A row of the table. */
export interface CallDef {
  readonly name: string;
  readonly args: readonly Kind[];
  run(k: Kernel, ...args: never[]): SyscallResult;
}

/** How a register becomes a number. */
export const TAKE = { S32: 0, U32: 1, LONG: 2, ULONG: 3, PAIR: 4 } as const;

/** How a kind is taken. */
export function takeOf(kind: Kind): number {
  if (typeof kind === "object") {
    if ("flags" in kind) return TAKE.U32;
    return "one" in kind ? TAKE.S32 : TAKE.ULONG;
  }
  switch (kind) {
    case "int":
    case "fd":
    case "atfd":
    case "signal":
    case "resource":
      return TAKE.S32;
    case "uint":
    case "octal":
    case "hex":
    case "open-flags":
    case "prot":
    case "map-flags":
      return TAKE.U32;
    case "long":
      return TAKE.LONG;
    case "loff":
      return TAKE.PAIR;
    default:
      return TAKE.ULONG;
  }
}

/** A register pair as a number: rounded beyond 2^53. */
export function take(code: number, lo: number, hi: number, word64: boolean): number {
  switch (code) {
    case TAKE.S32:
      return lo;
    case TAKE.U32:
      return lo >>> 0;
    case TAKE.LONG:
      return word64 ? hi * 2 ** 32 + (lo >>> 0) : lo;
    case TAKE.PAIR:
      return hi * 2 ** 32 + (lo >>> 0);
    default:
      return word64 ? (hi >>> 0) * 2 ** 32 + (lo >>> 0) : lo >>> 0;
  }
}
