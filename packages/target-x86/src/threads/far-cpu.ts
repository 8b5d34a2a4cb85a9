/** An x86 CPU on a thread of its own: its local APIC, its ports and its signals are on the devices' thread. */
import type { Engine, FarCpu, FarCpuFactory, FarMachine, Target } from "@mimus/tcg";
import type { LocalApic, X86Config } from "../config.ts";
import { X86Cpu } from "../cpu.ts";
import { findModel, type CpuPlace, x86Config } from "../models/expand.ts";
import type { CpuProps } from "../models/props.ts";
import { OFF, PENDING, type WordSize } from "../state.ts";
import { createTarget } from "../target.ts";
import { ASK, ORDER } from "./functions.ts";

/** What makes the same CPU on another thread. */
export interface X86ThreadData {
  readonly model: string;
  readonly word: WordSize;
  readonly props: CpuProps;
  readonly place: CpuPlace;
}

/** Makes CPUs as {@link X86ThreadData} says. `data` comes from this package's CPU object. */
export function farCpu(data: unknown): FarCpuFactory {
  const { model, word, props, place } = data as X86ThreadData;
  const config = x86Config(findModel(model)!, props, word, place, () => {});
  return {
    target: (): Target => createTarget(config),
    attach: (engine, env, machine) => new FarX86Cpu(engine, env, place.index, config, machine),
  };
}

class FarX86Cpu extends X86Cpu implements FarCpu {
  readonly #machine: FarMachine;

  constructor(engine: Engine, env: number, index: number, config: X86Config, machine: FarMachine) {
    super(engine, env, index, config);
    this.#machine = machine;
    this.time = {
      tsc: (out) => {
        const now = Math.floor(machine.now());
        out[0] = now >>> 0;
        out[1] = Math.floor(now / 2 ** 32);
      },
    };
    this.ports = {
      in: (port, size) => machine.ask(ASK.portIn, port, size),
      out: (port, size, value) => void machine.ask(ASK.portOut, port, size, value),
    };
    this.signals = {
      shutdown: () => void machine.ask(ASK.shutdown),
      ferr: (level) => void machine.ask(ASK.ferr, level ? 1 : 0),
      smm: (active) => void machine.ask(ASK.smm, active ? 1 : 0),
      random: () => machine.ask(ASK.random) | 0,
    };
  }

  ordered(values: Float64Array): void {
    if (values[0] === ORDER.rewire) return this.#rewire();
    // What it waits for it may have been told just now.
    if ((this.lo(OFF.pending) & PENDING.init) !== 0) this.interrupt();
    this.sipi(values[1]!);
  }

  resumed(): void {
    this.stateReplaced();
    this.#rewire();
  }

  #rewire(): void {
    const machine = this.#machine;
    const page = machine.ask(ASK.wiring);
    const [, a20, open, base, size, to] = machine.answer as unknown as [number, number, number, number, number, number];
    this.walker.setA20(a20 !== 0);
    this.setWindow("smram", open !== 0 ? { base, size, to, smm: true } : undefined);
    if (page < 0) return;
    if (this.apic?.page !== page) this.setApic(farApic(machine, page));
    else this.apicMoved();
  }
}

function farApic(machine: FarMachine, page: number): LocalApic {
  const { answer } = machine;
  return {
    page,
    acknowledge: () => machine.ask(ASK.acknowledge),
    get tpr() {
      return machine.ask(ASK.readTpr);
    },
    set tpr(value) {
      machine.ask(ASK.writeTpr, value);
    },
    readBase(out) {
      out[0] = machine.ask(ASK.readBase);
      out[1] = answer[1]!;
    },
    writeBase: (lo, hi) => machine.ask(ASK.writeBase, lo, hi) !== 0,
    readMsr(msr, out) {
      const known = machine.ask(ASK.readMsr, msr) !== 0;
      out[0] = answer[1]!;
      out[1] = answer[2]!;
      return known;
    },
    writeMsr: (msr, lo, hi) => machine.ask(ASK.writeMsr, msr, lo, hi) !== 0,
    initReset: () => void machine.ask(ASK.initReset),
    timeChanged: () => void machine.ask(ASK.timeChanged),
  };
}
