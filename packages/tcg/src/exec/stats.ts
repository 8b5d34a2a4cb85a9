import type { TcgStats } from "./contract.ts";

/** Counters, all zero. */
export function newStats(): TcgStats {
  return {
    blocks: 0,
    guestInsns: 0,
    guestBytes: 0,
    irOps: 0,
    arenaBytes: 0,
    compiled: 0,
    modules: 0,
    wasmBytes: 0,
    uncompilable: 0,
    regions: 0,
    regionBlocks: 0,
    regionInsns: 0,
    regionBytes: 0,
    regionsRefused: 0,
    regionsDropped: 0,
    evictions: 0,
    codeBytes: 0,
    flushes: 0,
    invalidations: 0,
    tlbFills: 0,
    tlbFlushes: 0,
    tlbPageFlushes: 0,
    slowLoads: 0,
    slowStores: 0,
    mmio: 0,
    lookups: 0,
    links: 0,
    exits: { next: 0, exception: 0, halt: 0, yield: 0, debug: 0, budget: 0, fault: 0, uncommon: 0, link: 0 },
    translateMs: 0,
    compileMs: 0,
    regionMs: 0,
  };
}
