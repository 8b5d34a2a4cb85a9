import { LEVEL_TRIGGER, LVT, MASKED, MODE, SVR_ENABLE } from "./spec.ts";
import type { ApicState } from "./state.ts";

const MODES = ["Fixed", "LowPri", "SMI", "...", "NMI", "INIT", "SIPI", "ExtINT"] as const;
const TIMER_MODES = ["one-shot", "periodic", "tsc-deadline", "..."] as const;
const SHORTHANDS = ["no-shorthand", "self", "all-self", "all"] as const;
/** Local vectors in the order in which they are shown. */
const ORDER = [
  ["LVT0", LVT.LINT0],
  ["LVT1", LVT.LINT1],
  ["LVTPC", LVT.PERFORMANCE],
  ["LVTERR", LVT.ERROR],
  ["LVTTHMR", LVT.THERMAL],
  ["LVTT", LVT.TIMER],
] as const;

const hex = (n: number, digits = 8): string => `0x${(n >>> 0).toString(16).padStart(digits, "0")}`;

function vectorLine(name: string, n: number, entry: number): string {
  const mode = (entry >> 8) & 7;
  const words = [
    (entry & 0x2000) !== 0 ? "active-lo" : "active-hi",
    ((entry & LEVEL_TRIGGER) !== 0 ? "level" : "edge").padEnd(5),
    ((entry & MASKED) !== 0 ? "masked" : "").padEnd(6),
    "".padEnd(7),
    (n === LVT.TIMER ? TIMER_MODES[(entry >> 17) & 3]! : "").padEnd(12),
    MODES[mode]!.padEnd(6),
  ];
  return `${name}\t ${hex(entry)} ${words.join(" ")}${mode === MODE.NMI ? "" : ` (vec ${entry & 0xff})`}`;
}

function vectors(name: string, words: readonly number[], level: readonly number[]): string {
  const has = (set: readonly number[], n: number): boolean => ((set[n >> 5]! >>> (n & 31)) & 1) !== 0;
  const list = Array.from({ length: 256 }, (_, n) => n).filter((n) => has(words, n));
  const text = list.map((n) => `${n}${has(level, n) ? "(level)" : ""} `).join("");
  return `${name}\t ${text === "" ? "(none)" : text}`;
}

/** `info lapic`: the registers of one local APIC. */
export function describeApic(s: ApicState, cpu: number, ppr: number, current: number): string {
  const shorthand = (s.icrLow >> 18) & 3;
  const logical = (s.icrLow & 0x800) !== 0;
  const divide = ((((s.divide & 3) | ((s.divide >> 1) & 4)) + 1) & 7) as number;
  const dest = s.icrHigh >>> 24;
  const target =
    shorthand !== 0 ? "" : logical ? ` mask ${dest.toString(2).padStart(8, "0")} (APIC ID)` : ` cpu ${dest} (APIC ID)`;
  return [
    `dumping local APIC state for CPU ${String(cpu).padEnd(2)}`,
    "",
    ...ORDER.map(([name, n]) => vectorLine(name, n, s.lvt[n]!)),
    `Timer\t DCR=${hex(s.divide, 1)} (divide by ${1 << divide}) initial_count = ${s.initial} current_count = ${current}`,
    `SPIV\t ${hex(s.svr)} APIC ${(s.svr & SVR_ENABLE) !== 0 ? "enabled" : "disabled"}, focus=${(s.svr & 0x200) !== 0 ? "on" : "off"}, spurious vec ${s.svr & 0xff}`,
    `ICR\t ${hex(s.icrLow)} ${logical ? "logical" : "physical"} ${(s.icrLow & 0x8000) !== 0 ? "level" : "edge"} ${(s.icrLow & 0x4000) !== 0 ? "assert" : "de-assert"} ${SHORTHANDS[shorthand]!}`,
    `ICR2\t ${hex(s.icrHigh)}${target}`,
    `ESR\t ${hex(s.esr)}`,
    vectors("ISR", s.isr, s.tmr),
    vectors("IRR", s.irr, s.tmr),
    "",
    `APR 0x00 TPR ${hex(s.tpr, 2)} DFR ${hex(s.dfr >>> 28, 2)} LDR ${hex(s.ldr >>> 24, 2)} PPR ${hex(ppr, 2)}`,
    "",
  ].join("\n");
}
