/** The ways to run blocks that tests compare. */
import type { BackEnd } from "@mimus/tcg";
import type { FlowSide } from "./flow-machine.ts";

/** The interpreter, which others are compared with. */
export const INTERP: FlowSide = { name: "interp", backend: "interp" };

/** A side by name: a back end, "stress", "cold" (interpreted
 * as a machine does it, without the optimiser), or "mixed" (everything becomes hot soon, one after the other). `seed` drives the stress. */
export function flowSide(name: string, seed: number): FlowSide {
  if (name === "stress") return { name, backend: "region", tcg: { region: { threshold: 0, stress: seed } } };
  if (name === "cold") return { name, backend: "auto", tcg: { hotThreshold: 1 << 30 } };
  if (name === "mixed") {
    const tcg = { hotThreshold: 2 + (seed % 5), batch: 1 + (seed % 3), region: { threshold: 1 + (seed % 11) } };
    return { name, backend: "auto", tcg };
  }
  return { name, backend: name as BackEnd };
}
