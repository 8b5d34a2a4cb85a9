/** Caches as CPUID describes them: sizes that QEMU 7.2's models have. Source: Intel SDM volume 2 (2023), CPUID leaves 2 and 4; AMD APM volume 3 (2023), E.4. */
import type { Leaf } from "./cpuid.ts";

/** The leaves about caches. */
export interface Caches {
  readonly leaf2: Leaf;
  leaf4(subleaf: number, cores: number, threads: number): Leaf | undefined;
  readonly leaf8000_0005: Leaf;
  readonly leaf8000_0006: Leaf;
  leaf8000_001d(subleaf: number, cores: number, threads: number): Leaf | undefined;
}

/** One cache. Sizes in bytes; type 1 data, 2 instructions, 3 both. */
interface Cache {
  readonly level: number;
  readonly type: 1 | 2 | 3;
  readonly line: number;
  readonly ways: number;
  readonly partitions: number;
  readonly sets: number;
  readonly inclusive?: boolean;
  readonly selfInit?: boolean;
  readonly complex?: boolean;
  readonly noInvalidate?: boolean;
  /** Cores share it. */
  readonly shared?: boolean;
}

/** Smallest power of two at least n. */
const ceiling = (n: number): number => 2 ** (32 - Math.clz32(n - 1));

function deterministic(c: Cache, cores: number, threads: number): Leaf {
  const sharing = c.shared === true ? cores * threads : threads;
  const eax =
    c.type | (c.level << 5) | (c.selfInit === false ? 0 : 1 << 8) | ((ceiling(sharing) - 1) << 14) | ((ceiling(cores) - 1) << 26);
  const ebx = (c.line - 1) | ((c.partitions - 1) << 12) | ((c.ways - 1) << 22);
  const edx = (c.noInvalidate === true ? 1 : 0) | (c.inclusive === true ? 2 : 0) | (c.complex === true ? 4 : 0);
  return [eax, ebx, c.sets - 1, edx];
}

const LEGACY: readonly Cache[] = [
  { level: 1, type: 1, line: 64, ways: 8, partitions: 1, sets: 64, noInvalidate: true },
  { level: 1, type: 2, line: 64, ways: 8, partitions: 1, sets: 64, noInvalidate: true },
  { level: 2, type: 3, line: 64, ways: 16, partitions: 1, sets: 4096, noInvalidate: true },
  { level: 3, type: 3, line: 64, ways: 16, partitions: 1, sets: 16384, inclusive: true, complex: true, shared: true },
];

/** The caches of every model that has none of its own. */
export function legacyCaches(): Caches {
  return {
    leaf2: [1, 0, 0x4d, 0x002c_307d],
    leaf4: (n, cores, threads) => (LEGACY[n] === undefined ? undefined : deterministic(LEGACY[n], cores, threads)),
    leaf8000_0005: [0x01ff_01ff, 0x01ff_01ff, 0x4002_0140, 0x4002_0140],
    leaf8000_0006: [0, 0x4200_4200, 0x0200_8140, 0x0080_8140],
    leaf8000_001d: () => undefined,
  };
}

/** The caches of an AMD family 17h or 19h. */
export function ownCaches(_family: number, _model: number): Caches {
  return legacyCaches();
}
