/** A CPU's state for snapshots: the fields of its state block, checked where others rely on them. */
import type { Stateful } from "@mimus/machine-core";
import { ENV } from "@mimus/tcg";
import { z } from "zod";
import type { X86Cpu } from "./cpu.ts";
import { X86Error } from "./errors.ts";
import { HF, OFF } from "./state.ts";

const word = z.int().min(-0x80000000).max(0x7fffffff);
const WORDS = (OFF.end - ENV.target) / 4;

const State = z
  .strictObject({
    stateVersion: z.literal(1),
    /** All words of the state block, from the first register on. */
    words: z.array(word).length(WORDS),
    halted: z.boolean(),
    /** In the shadow of STI or MOV SS; in system management mode. */
    shadow: z.boolean(),
    smm: z.boolean(),
    a20: z.boolean(),
  })
  .meta({ id: "x86-cpu", version: 1 });

/** Reset, save and load of one CPU; `cpu` is asked for when one of them happens. */
export class X86State implements Stateful {
  readonly #cpu: () => X86Cpu;

  constructor(cpu: () => X86Cpu) {
    this.#cpu = cpu;
  }

  reset(): void {
    this.#cpu().reset();
  }

  save(): unknown {
    const cpu = this.#cpu();
    const start = (cpu.env + ENV.target) >> 2;
    const flags = cpu.lo(ENV.tbFlags);
    return {
      stateVersion: 1,
      words: [...cpu.i32.subarray(start, start + WORDS)],
      halted: cpu.lo(ENV.halted) !== 0,
      shadow: (flags & HF.shadow) !== 0,
      smm: (flags & HF.smm) !== 0,
      a20: cpu.walker.a20,
    };
  }

  load(raw: unknown): void {
    const cpu = this.#cpu();
    const state = State.parse(raw);
    const at = (offset: number): number => state.words[(offset - ENV.target) / 4]!;
    const legal: Readonly<Record<string, boolean>> = {
      cpl: at(OFF.cpl) >>> 0 <= 3,
      df: at(OFF.df) === 1 || at(OFF.df) === -1,
      ccOp: at(OFF.ccOp) >>> 0 < 256,
      fpuTop: at(OFF.fpuTop) >>> 0 < 8,
      errorCode: at(OFF.errorCode) >= -1,
      softLength: at(OFF.softLength) >>> 0 <= 15,
    };
    for (const [name, ok] of Object.entries(legal))
      if (!ok) throw new X86Error("bad-state", `saved state of CPU ${cpu.index}: ${name} holds an illegal value`);
    cpu.i32.set(state.words, (cpu.env + ENV.target) >> 2);
    cpu.setLo(ENV.halted, state.halted ? 1 : 0);
    cpu.setLo(ENV.exception, 0);
    cpu.setLo(ENV.tbFlags, (state.shadow ? HF.shadow : 0) | (state.smm ? HF.smm : 0));
    cpu.walker.setA20(state.a20);
    cpu.stateReplaced();
  }
}
