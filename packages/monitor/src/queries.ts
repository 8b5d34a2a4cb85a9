import type { MachineControl } from "./control.ts";

/** What QMP's `x-query-…` commands answer: text for people. */
export interface HumanReadableText {
  readonly "human-readable-text": string;
}

/** Queries by their QMP name. Source: QEMU 7.2, qapi/machine.json, `x-query-jit`. */
export const HUMAN_QUERIES: Readonly<Record<string, (machine: MachineControl) => HumanReadableText>> = {
  "x-query-jit": (machine) => ({ "human-readable-text": machine.jit() }),
};
