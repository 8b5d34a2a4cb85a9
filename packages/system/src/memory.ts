import { envSize, type WasmMemory } from "@mimus/tcg";
import { SystemError } from "./errors.ts";

/** The one WebAssembly type needed here; core packages have no DOM library. */
declare const WebAssembly: {
  readonly Memory: new (descriptor: { initial: number; maximum: number; shared: boolean }) => WasmMemory;
};

const PAGE = 65536;
/** WebAssembly's 32-bit index reaches this far. */
const LIMIT = 65536 * PAGE;
/** Room for what devices bring along (video memory, option ROMs) and for alignment. */
const SLACK = 96 * 2 ** 20;

/** What the machine memory has to hold, in bytes. */
export interface MemoryNeeds {
  readonly ram: number;
  readonly cpus: number;
  /** TLBs per vCPU at most. */
  readonly mmuIndexes?: number;
  /** Each engine's blocks and bytecode. */
  readonly code: number;
  /** vCPUs run on threads of their own, each with its engine. */
  readonly threads?: boolean;
  /** What the machine type declares besides. */
  readonly overhead: number;
}

/** The machine's one linear memory. Pages that nobody touches cost nothing. @throws SystemError no-memory */
export function createMemory({ ram, cpus, mmuIndexes = 8, code, overhead, threads = false }: MemoryNeeds): WasmMemory {
  const state = cpus * Math.ceil(envSize(mmuIndexes) / PAGE) * PAGE;
  const total = Math.ceil(ram / PAGE) * PAGE + state + (threads ? cpus : 1) * code + overhead + SLACK + 2 * PAGE;
  if (total > LIMIT) {
    const most = Math.floor((LIMIT - (total - ram)) / 2 ** 20);
    throw new SystemError(
      "no-memory",
      `${Math.ceil(ram / 2 ** 20)} MiB of RAM do not fit: with ${cpus} CPUs this machine has room for ${Math.max(most, 0)} MiB (-m, -smp)`,
    );
  }
  const pages = Math.ceil(total / PAGE);
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: threads });
  } catch (cause) {
    throw new SystemError("no-memory", `the host gives no ${pages / 16} MiB for the machine: give it less RAM (-m)`, {
      cause,
    });
  }
}
