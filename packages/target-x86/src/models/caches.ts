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
  // As QEMU's, and not as that of a core with two threads: a first level that each has for itself.
  const sharing = c.shared === true ? cores * threads : c.level === 1 ? 1 : threads;
  const eax =
    c.type |
    (c.level << 5) |
    (c.selfInit === false ? 0 : 1 << 8) |
    ((ceiling(sharing) - 1) << 14) |
    ((ceiling(cores) - 1) << 26);
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

/** Bytes of a cache. */
const bytes = (c: Cache): number => c.line * c.ways * c.partitions * c.sets;

/** Ways as leaf 8000_0006 writes them. Source: AMD APM volume 3, table E-4. */
const WAYS: Readonly<Record<number, number>> = {
  1: 1,
  2: 2,
  4: 4,
  8: 6,
  16: 8,
  32: 10,
  48: 11,
  64: 12,
  96: 13,
  128: 14,
};

/** L1 data, L1 instructions, L2, L3 of AMD families 17h and 19h. `instructions`: KiB and ways; `l3`: MiB. */
function zen(instructions: readonly [number, number], l3: number): readonly Cache[] {
  const [kib, ways] = instructions;
  return [
    { level: 1, type: 1, line: 64, ways: 8, partitions: 1, sets: 64, noInvalidate: true },
    { level: 1, type: 2, line: 64, ways, partitions: 1, sets: (kib * 1024) / (64 * ways), noInvalidate: true },
    { level: 2, type: 3, line: 64, ways: 8, partitions: 1, sets: 1024, selfInit: false },
    {
      level: 3,
      type: 3,
      line: 64,
      ways: 16,
      partitions: 1,
      sets: l3 * 1024,
      inclusive: true,
      complex: true,
      shared: true,
    },
  ];
}

/** The caches of an AMD model, by its name. */
export function ownCaches(name: string): Caches {
  const list = name.startsWith("EPYC-Rome")
    ? zen([32, 8], 16)
    : name.startsWith("EPYC-Milan")
      ? zen([32, 8], 32)
      : zen([64, 4], 8);
  const [l1d, l1i, l2, l3] = list as [Cache, Cache, Cache, Cache];
  const l1 = (c: Cache): number => ((bytes(c) / 1024) << 24) | (c.ways << 16) | 0x140;
  const leaf: Caches["leaf4"] = (n, cores, threads) =>
    list[n] === undefined ? undefined : deterministic(list[n], cores, threads);
  return {
    leaf2: [1, 0, 0x4b, 0x002c_ff80],
    leaf4: leaf,
    leaf8000_0005: [0x01ff_01ff, 0x01ff_01ff, l1(l1d), l1(l1i)],
    leaf8000_0006: [
      0,
      0x4200_4200,
      ((bytes(l2) / 1024) << 16) | (WAYS[l2.ways]! << 12) | 0x140,
      ((bytes(l3) / 524288) << 18) | (WAYS[l3.ways]! << 12) | 0x140,
    ],
    leaf8000_001d: (n, cores, threads) => (list[n] === undefined ? undefined : topology(list[n], cores, threads)),
  };
}

/** Leaf 8000_001D: as leaf 4, without the number of cores; what shares a cache is not rounded up. */
function topology(c: Cache, cores: number, threads: number): Leaf {
  const [eax, ebx, ecx, edx] = deterministic(c, 1, 1);
  return [eax | (((c.shared === true ? cores * threads : threads) - 1) << 14), ebx, ecx, edx];
}
