/** What a target and a machine agree on where vCPUs run on threads of their own. */
import type { Engine, Target, TargetCpu } from "./contract.ts";

/** First function that is a CPU type's own; those below are the machine's. */
export const CPU_FUNCTIONS = 16;

/** The machine as a vCPU on its own thread sees it: its devices live on another one. */
export interface FarMachine {
  /** Guest time, ns. */
  now(): number;
  /** Has {@link ThreadableCpu.answer} called, and waits. @returns the first value of the answer */
  ask(fn: number, a?: number, b?: number, c?: number, d?: number, e?: number): number;
  /** What was answered last. */
  readonly answer: Float64Array;
}

/** A vCPU on its own thread. */
export interface FarCpu extends TargetCpu {
  /** An input of the CPU changed. */
  setIrq(line: number, level: boolean): void;
  /** What its CPU object ordered; `values[0]` is the function. Called between two blocks. */
  ordered(values: Float64Array): void;
  /** Its state may have been replaced, and its surroundings too: it begins to run again. */
  resumed(): void;
}

/** Makes vCPUs of one kind on their threads, from what {@link ThreadableCpu.threadData} said. */
export interface FarCpuFactory {
  target(): Target;
  attach(engine: Engine, env: number, machine: FarMachine): FarCpu;
}

/** A CPU object whose vCPU can run on a thread of its own. */
export interface ThreadableCpu {
  /** What {@link FarCpuFactory} is made from there: data that can be copied between threads. */
  threadData(): unknown;
  /**
   * The vCPU runs elsewhere from now on. `order` has {@link FarCpu.ordered} called there; false: it stands, and its state
   * block may be written at once.
   */
  moveTo(order: (fn: number, ...values: readonly number[]) => boolean): void;
  /** Answers {@link FarMachine.ask}: `asked[0]` is the function. */
  answer(asked: Float64Array, answer: Float64Array): void;
}
