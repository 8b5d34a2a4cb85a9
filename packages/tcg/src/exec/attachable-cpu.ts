import type { Engine, Target, TargetCpu } from "./contract.ts";

/** A CPU object that an engine of translated code can run. */
export interface AttachableCpu {
  /** A new instance of its instruction set. The CPUs of one engine share the first one's. */
  target(): Target;
  /** Makes the vCPU's part that is not translated code. Call once. */
  attach(engine: Engine, env: number): TargetCpu;
  /** Tells it how to learn the number of instructions it has executed. */
  setExecuted(executed: () => number): void;
}
