import { BenchError } from "./tools.ts";

/** How much code a translator holds. */
export interface CodeCache {
  readonly bytes: number;
  /** Infinity: none. */
  readonly cap: number;
  /** Times that the cap was reached; QEMU counts its flushes for any reason. */
  readonly evictions: number;
}

/** Reads our `-d stats` or `info jit`, or QEMU's `info jit`. @throws BenchError when it is neither */
export function parseCodeCache(text: string): CodeCache {
  const qemu = /gen code size\s+(\d+)\/(\d+)/.exec(text);
  const ours = /WebAssembly in use\s+(\d+)\s+(?:[\d.]+ % of (\d+)|- of (\d+)|no limit)/.exec(text);
  const [, bytes, cap = "Infinity"] = qemu ?? ours ?? [];
  const evictions = /(?:^\s*evictions|TB flush count)\s+(\d+)/m.exec(text)?.[1];
  if (bytes === undefined || evictions === undefined)
    throw new BenchError("failed", `no size of the code cache in ${JSON.stringify(text.slice(-300))}`);
  return { bytes: Number(bytes), cap: Number(cap), evictions: Number(evictions) };
}
