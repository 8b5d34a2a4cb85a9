/** Random control flow in steps of random length, with interrupts between them: after each step the interpreter has the same state. */
import { OFF } from "@mimus/target-riscv";
import { Lockstep } from "@mimus/tcg";
import { FlowMachine, MIP, SSIP, type FlowSide } from "./flow-machine.ts";
import type { FlowImage } from "./flow-image.ts";
import type { FlowMode } from "./flow-source.ts";
import { Random } from "./random.ts";

/** What a page walk leaves for the exception that it raises; looking ahead raises too, and forgets it. */
export const SCRATCH: readonly (readonly [number, number])[] = [[OFF.trapValue, 8]];

/** Options of {@link flowLockstep}. */
export interface FlowSteps {
  readonly seed: number;
  /** Instructions per step, at most. */
  readonly longest: number;
  /** An interrupt comes after one step of so many; 0: never. */
  readonly interrupts: number;
  /** Compare the stores of each step too, not only memory at the end. */
  readonly stores: boolean;
}

/** Runs an image on the interpreter and on `side` to the end, or to the first difference, which is described. */
export function flowLockstep(
  xlen: 32 | 64,
  mode: FlowMode,
  image: FlowImage,
  side: FlowSide,
  o: FlowSteps,
): { difference?: string; executed: number; steps: number } {
  const make = (s: FlowSide): FlowMachine =>
    new FlowMachine(xlen, mode, image, { ...s, tcg: { ...s.tcg, exact: true, traceStores: o.stores } });
  const machines = [make({ name: "interp", backend: "interp" }), make(side)] as const;
  const sides = machines.map(({ machine }, i) => ({
    name: i === 0 ? "interp" : side.name,
    machine: machine.engine,
    vcpu: machine.vcpu,
  }));
  const lockstep = new Lockstep(sides[0]!, sides[1]!, SCRATCH);
  const r = new Random(o.seed);
  const { vcpu } = machines[0].machine;
  let steps = 0;
  for (; !machines[0].machine.halted; steps++) {
    const length = 1 + r.below(r.chance(3) ? 8 : o.longest);
    const found = lockstep.advance(length);
    if (found !== undefined) {
      const fields = found.fields.map((f) => `  ${f.name} ${f.a} / ${f.b}`);
      const at = `step ${steps} of ${length}, from instruction ${found.executed} at 0x${found.pc.toString(16)}`;
      const difference = [`${at}: ${found.reasons.join(" / ")}`, ...fields, found.disassembly].join("\n");
      return { difference, executed: vcpu.executed, steps };
    }
    if (o.interrupts > 0 && r.chance(o.interrupts))
      for (const { machine } of machines) machine.hart.csrs.write(MIP, machine.hart.csrs.read(MIP) | SSIP);
    if (steps > 5_000_000) return { difference: "does not end", executed: vcpu.executed, steps };
  }
  const [a, b] = machines.map((m) => Buffer.from(m.machine.ram.buffer, m.machine.ram.byteOffset, image.bytes.length));
  if (a !== undefined && b !== undefined && !a.equals(b)) {
    const at = a.findIndex((byte, i) => byte !== b[i]);
    return { difference: `memory at image + 0x${at.toString(16)}`, executed: vcpu.executed, steps };
  }
  return { executed: vcpu.executed, steps };
}
