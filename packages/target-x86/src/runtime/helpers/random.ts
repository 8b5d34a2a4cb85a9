/** What RDRAND and RDSEED call. */
import type { Helper } from "@mimus/tcg";
import type { X86Cpu } from "../../cpu.ts";

function helper(name: string, fn: (cpu: X86Cpu) => number): Helper {
  const impl = { kind: "js", fn } as const;
  return { name, params: [], result: "i32", mayFault: false, reads: [], writes: [], impl };
}

/** Random bits, and whether there is a source of them (1, 0). */
export const randomHelpers: readonly Helper[] = [
  helper("random", ({ signals }) => (signals.random?.() ?? 0) | 0),
  helper("random_source", ({ signals }) => (signals.random === undefined ? 0 : 1)),
];
