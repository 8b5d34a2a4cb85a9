/** CPUID of a model. Source: Intel SDM volume 2 (2023), CPUID; AMD APM volume 3 (2023), appendix E; values as QEMU 7.2 shows them. */
import { xsaveBytes } from "../system/cpuid.ts";
import { legacyCaches, ownCaches, type Caches } from "./caches.ts";
import { bitsOf, FEATURE_WORDS } from "./features.ts";

/** EAX, EBX, ECX, EDX. */
export type Leaf = readonly [number, number, number, number];

/** What the leaves are made from. */
export interface Identity {
  /** Of the model, with version. */
  readonly name: string;
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
  readonly stepping: number;
  readonly level: number;
  readonly xlevel: number;
  readonly modelId: string;
  readonly ownCache: boolean;
  readonly features: ReadonlySet<string>;
  /** Features before those were left out that cannot be had. */
  readonly asked: ReadonlySet<string>;
  readonly physBits: number;
  readonly apicId: number;
  /** Threads of a core, cores of a die, of all. */
  readonly threads: number;
  readonly cores: number;
  /** A leaf says that this is a program. */
  readonly signature: boolean;
}

const NOTHING: Leaf = [0, 0, 0, 0];
/** Bits of leaf 8000_0001 EDX that repeat leaf 1 on AMD processors. */
const ALIASES = 0x0183_f3ff;

/** Four letters from `at`, first in the low byte. */
function letters(text: string, at: number): number {
  let word = 0;
  for (let n = 3; n >= 0; n--) word = (word << 8) | (at + n < text.length ? text.charCodeAt(at + n) & 0xff : 0);
  return word;
}

/** Bits that count `n` things. */
const bitsFor = (n: number): number => 32 - Math.clz32(n - 1);

/** The version word: stepping, model, family. */
function version({ family, model, stepping }: Identity): number {
  const base = family > 15 ? 0xf00 | ((family - 15) << 20) : family << 8;
  return base | ((model & 15) << 4) | ((model >> 4) << 16) | stepping;
}

/** Subleaves whose answers are kept: programs ask for the same few again. */
const KEPT_SUBLEAVES = 32;

/** Leaves whose answer depends on the subleaf. */
const WITH_SUBLEAVES: ReadonlySet<number> = new Set([4, 7, 11, 13, 0x8000_001d]);

/** The leaf whose answer a leaf gets: beyond the highest one it is that of the highest basic one. */
function answering(id: Identity, leaf: number): number {
  if (leaf >= 0xc000_0000) return id.level;
  if (leaf >= 0x8000_0000) return leaf > id.xlevel >>> 0 ? id.level : leaf;
  if (leaf >= 0x4000_0000) return leaf > 0x4000_0001 ? id.level : leaf;
  return leaf > id.level ? id.level : leaf;
}

/** Whether the answer to a leaf depends on the subleaf. */
export const hasSubleaves = (id: Identity, leaf: number): boolean => WITH_SUBLEAVES.has(answering(id, leaf));

/** The leaves of a CPU: a function of leaf and subleaf. */
export function makeCpuid(id: Identity): (leaf: number, subleaf: number) => Leaf {
  const words = new Map<string, number>(FEATURE_WORDS.map((w) => [w.key, bitsOf(w, id.features)]));
  const bits = (key: string): number => words.get(key) ?? 0;
  const amd = id.vendor === "AuthenticAMD";
  const caches = id.ownCache ? ownCaches(id.name) : legacyCaches();
  const kept = new Map<number, Leaf>();
  return (leaf, subleaf) => {
    const at = answering(id, leaf);
    const key = at + subleaf * 2 ** 32;
    let answer = subleaf < KEPT_SUBLEAVES ? kept.get(key) : undefined;
    if (answer !== undefined) return answer;
    answer = (at >= 0x8000_0000 ? extended : basic)(id, bits, amd, caches, at, subleaf);
    // `at` is one of few.
    if (subleaf < KEPT_SUBLEAVES) kept.set(key, answer);
    return answer;
  };
}

function basic(
  id: Identity, bits: (key: string) => number, amd: boolean, caches: Caches, leaf: number, subleaf: number,
): Leaf {
  const { threads, cores } = id;
  const many = threads * cores;
  const deep = id.asked.has("avx-vnni") || id.asked.has("avx512-bf16");
  switch (leaf) {
    case 0:
      return [id.level, letters(id.vendor, 0), letters(id.vendor, 8), letters(id.vendor, 4)];
    case 1: {
      const ebx = (id.apicId << 24) | 0x800 | (many > 1 ? many << 16 : 0);
      return [version(id), ebx, bits("1.0.ecx"), bits("1.0.edx") | (many > 1 ? 1 << 28 : 0)];
    }
    case 2:
      return amd ? NOTHING : caches.leaf2;
    case 4:
      return amd ? NOTHING : (caches.leaf4(subleaf, cores, threads) ?? NOTHING);
    case 5:
      return [0, 0, 3, 0];
    case 6:
      return [bits("6.0.eax"), 0, 0, 0];
    case 7:
      if (subleaf === 0) return [deep ? 1 : 0, bits("7.0.ebx"), bits("7.0.ecx"), bits("7.0.edx")];
      return subleaf === 1 ? [bits("7.1.eax"), 0, 0, 0] : NOTHING;
    case 11: {
      const type = subleaf & 0xff;
      if (subleaf === 0) return [bitsFor(threads), threads, type | 0x100, id.apicId];
      if (subleaf === 1) return [bitsFor(threads) + bitsFor(cores), many, type | 0x200, id.apicId];
      return [0, 0, type, id.apicId];
    }
    case 13:
      return xsaveLeaf(id, bits, subleaf);
    case 0x4000_0000:
      // "TCGTCGTCGTCG"
      return id.signature ? [0x4000_0001, 0x5447_4354 | 0, 0x4354_4743, 0x4743_5447] : NOTHING;
    default:
      return NOTHING;
  }
} // prettier-ignore

/** State components: number, feature, place and size. Source: SDM volume 1, 13.4. */
const COMPONENTS: readonly (readonly [number, string, number, number])[] = [
  [2, "avx", 576, 256],
  [3, "mpx", 960, 64],
  [4, "mpx", 1024, 64],
  [5, "avx512f", 1088, 64],
  [6, "avx512f", 1152, 512],
  [7, "avx512f", 1664, 1024],
  [9, "pku", 2688, 8],
  [17, "amx-tile", 2752, 64],
  [18, "amx-tile", 2816, 8192],
];

/** The components are those that the model asks for, whether or not the instructions can be had. */
function xsaveLeaf(id: Identity, bits: (key: string) => number, subleaf: number): Leaf {
  if (!id.features.has("xsave")) return NOTHING;
  const there = COMPONENTS.filter(([, feature]) => id.asked.has(feature));
  if (subleaf === 0) {
    const mask = there.reduce((sum, [n]) => sum | (1 << n), 3);
    return [mask, xsaveBytes(1), Math.max(576, ...there.map(([, , offset, bytes]) => offset + bytes)), 0];
  }
  if (subleaf === 1) return [bits("d.1.eax"), there.reduce((sum, [, , , bytes]) => sum + bytes, 576), 0, 0];
  const found = there.find(([n]) => n === subleaf);
  return found === undefined ? NOTHING : [found[3], found[2], 0, 0];
}

function extended(
  id: Identity, bits: (key: string) => number, amd: boolean, caches: Caches, leaf: number, subleaf: number,
): Leaf {
  const many = id.threads * id.cores;
  switch (leaf) {
    case 0x8000_0000:
      return [id.xlevel, letters(id.vendor, 0), letters(id.vendor, 8), letters(id.vendor, 4)];
    case 0x8000_0001: {
      const legacy = many > 1 && amd ? 2 : 0;
      const repeated = amd ? bits("1.0.edx") & ALIASES : 0;
      return [version(id), 0, bits("80000001.0.ecx") | legacy, bits("80000001.0.edx") | repeated];
    }
    case 0x8000_0002:
    case 0x8000_0003:
    case 0x8000_0004: {
      const at = (leaf - 0x8000_0002) * 16;
      return [letters(id.modelId, at), letters(id.modelId, at + 4), letters(id.modelId, at + 8), letters(id.modelId, at + 12)];
    }
    case 0x8000_0005:
      return caches.leaf8000_0005;
    case 0x8000_0006:
      return caches.leaf8000_0006;
    case 0x8000_0007:
      return [0, 0, 0, bits("80000007.0.edx")];
    case 0x8000_0008: {
      const linear = id.features.has("lm") ? (id.features.has("la57") ? 0x3900 : 0x3000) : 0;
      const ecx = many > 1 ? (many - 1) | ((bitsFor(id.threads) + bitsFor(id.cores)) << 12) : 0;
      return [linear | id.physBits, bits("80000008.0.ebx"), ecx, 0];
    }
    case 0x8000_000a:
      return id.features.has("svm") ? [1, 16, 0, bits("8000000a.0.edx")] : NOTHING;
    case 0x8000_001d:
      return caches.leaf8000_001d(subleaf, id.cores, id.threads) ?? NOTHING;
    case 0x8000_001e:
      return id.cores * id.threads <= 255 ? [id.apicId, ((id.threads - 1) << 8) | (id.apicId >> bitsFor(id.threads)), 0, 0] : NOTHING;
    default:
      return NOTHING;
  }
} // prettier-ignore
