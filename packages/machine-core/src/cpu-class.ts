import type { CpuObject } from "./device.ts";
import type { CpuRequest } from "./machine.ts";

/** What a CPU type says of itself, under class key `"cpu"`. `Cpu`: what its objects can do besides, for whoever runs them. */
export interface CpuClass<Cpu = unknown> {
  /** Name for `-cpu`. */
  readonly model: string;
  /** Targets it exists for: `"riscv64"`. */
  readonly targets: readonly string[];
  /** Package whose export `farCpu` makes such vCPUs on threads of their own; absent: they have none. The object is `ThreadableCpu` then. */
  readonly threads?: string;
  /** Stores are seen by others in the order in which they are made, as on an x86: the host must do so too. */
  readonly storesInOrder?: boolean;
  /** Makes the object; what runs it is attached before it is realized. */
  create(request: CpuRequest): CpuObject & Cpu;
}
