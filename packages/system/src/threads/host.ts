import type { FarCpuFactory } from "@mimus/tcg";
import type { ThreadStart } from "./vcpu-thread.ts";

/** What a vCPU's thread is started with. */
export interface VcpuThreadRequest {
  readonly start: ThreadStart;
  /** Package whose export `farCpu` makes the vCPU of `data`: see {@link FarCpuModule}. */
  readonly module: string;
  readonly data: unknown;
}

/** What the package of a CPU type exports for threads. */
export interface FarCpuModule {
  farCpu(data: unknown): FarCpuFactory;
}

/** A thread that runs. */
export interface VcpuThread {
  /** It was told to end; it no longer keeps the process. */
  end(): void;
}

/** Threads of the host for vCPUs. */
export interface VcpuThreadHost {
  /** Why vCPUs with the memory order of an x86 cannot run on threads here; undefined: they can. */
  readonly refusal?: string | undefined;
  /** Starts one, which calls `runVcpu`. `failed` is called when it ends by an error. */
  start(request: VcpuThreadRequest, failed: (error: unknown) => void): Promise<VcpuThread>;
}
