/** Averages of measurements, and the bars that they are held to. */

/** The middle value, or the mean of the two in the middle; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2;
}

/** The geometric mean; NaN of nothing. */
export const geomean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

export const CONTENDERS = ["native", "qemu", "ours"] as const;
/** Who runs kernels; v86 only those for i386. */
export type ContenderName = (typeof CONTENDERS)[number] | "v86";

/** What one run of a kernel printed. */
export interface Sample {
  /** Nanoseconds of one unit of work. */
  readonly ns: number;
  /** Units in the timed window. */
  readonly units: number;
  readonly checksum: string;
}

type Sampled = readonly (Sample | undefined)[];

/** A kernel's samples by round; one that failed is undefined, with its reason in `failures`. */
export interface KernelSamples {
  readonly kernel: string;
  readonly samples: Readonly<Record<(typeof CONTENDERS)[number], Sampled>> & { readonly v86?: Sampled };
  readonly failures: readonly string[];
}

/** A kernel's line in the table. */
export interface KernelRow {
  readonly kernel: string;
  /** Medians, nanoseconds of one unit. */
  readonly ns: Readonly<Record<(typeof CONTENDERS)[number], number>> & { readonly v86?: number };
  /** QEMU's time / native time. */
  readonly qemuToNative: number;
  /** Our time / native time. */
  readonly oursToNative: number;
  /** QEMU's time / our time: more than 1 is faster than QEMU. */
  readonly speedup: number;
  /** The least and the greatest QEMU / ours of one round: how much the machine wavered. */
  readonly spread: readonly [low: number, high: number];
  /** Everybody printed the same checksum, and nobody failed. */
  readonly agrees: boolean;
  readonly failures: readonly string[];
}

export function kernelRow({ kernel, samples, failures }: KernelSamples): KernelRow {
  const taken = (name: ContenderName): Sample[] => (samples[name] ?? []).flatMap((s) => (s === undefined ? [] : [s]));
  const times = (name: ContenderName): number => median(taken(name).map((s) => s.ns));
  const v86 = samples.v86 === undefined ? {} : { v86: times("v86") };
  const ns = { native: times("native"), qemu: times("qemu"), ours: times("ours"), ...v86 };
  const rounds = samples.qemu.flatMap((qemu, round) => {
    const ours = samples.ours[round];
    return qemu === undefined || ours === undefined ? [] : [qemu.ns / ours.ns];
  });
  const names: ContenderName[] = [...CONTENDERS, ...(samples.v86 === undefined ? [] : ["v86" as const])];
  const sumsOf = (name: ContenderName): string[] => [...new Set(taken(name).map((s) => s.checksum))];
  const sums = new Set(names.flatMap(sumsOf));
  const differs =
    sums.size > 1 ? [`checksums differ: ${names.map((name) => `${name} ${sumsOf(name).join("/")}`).join(", ")}`] : [];
  return {
    kernel,
    ns,
    qemuToNative: ns.qemu / ns.native,
    oursToNative: ns.ours / ns.native,
    speedup: ns.qemu / ns.ours,
    spread: [Math.min(...rounds), Math.max(...rounds)],
    agrees: sums.size === 1 && failures.length === 0,
    failures: [...new Set([...failures, ...differs])],
  };
}

/** Kernels of 64-bit floating point. */
const FLOATING: readonly string[] = ["matmul", "nbody", "mandel"];
/** Kernels of the C library, where native code has 256-bit vectors: in no mean but that of all. */
const LIBRARY: readonly string[] = ["memcpy", "strlen"];

/** The same kernels of floating point for i386, built for SSE2 in place of x87. */
export const SSE2: readonly string[] = FLOATING.map((kernel) => `${kernel}-sse2`);

/** Geometric means over the rows of one kind, and the worst of all. */
export interface Summary {
  readonly mean: "all" | "integer" | "floating point" | "SSE2" | "worst";
  readonly qemuToNative: number;
  readonly oursToNative: number;
  readonly speedup: number;
  /** What `speedup` has to be at least; undefined where there is no bar. */
  readonly bar: number | undefined;
  /** Undefined where there is no bar, or too few kernels ran to tell. */
  readonly met: boolean | undefined;
}

/** What the peer's time / our time has to be at least. */
export interface Bars {
  readonly all?: number;
  readonly integer?: number;
  readonly floating?: number;
  readonly sse2?: number;
  readonly worst?: number;
}
export const USER_BARS: Bars = { all: 1.8, integer: 1.4, floating: 4, worst: 0.8 };
export const SYSTEM_BARS: Readonly<Record<"riscv64" | "amd64" | "i386", Bars>> = {
  riscv64: { all: 1.5, integer: 1.3, floating: 3, worst: 0.6 },
  amd64: { integer: 1.3, floating: 3, worst: 0.5 },
  // Floating point of i386 is the x87's.
  i386: { integer: 1.4, floating: 1.2, worst: 0.5 },
};
export const V86_BARS: Bars = { integer: 3, floating: 1.5, sse2: 3 };

/** The row with v86 in QEMU's place. */
export function besideV86(row: KernelRow): KernelRow {
  const v86 = row.ns.v86 ?? Number.NaN;
  return { ...row, qemuToNative: v86 / row.ns.native, speedup: v86 / row.ns.ours };
}

/** @param complete whether all kernels were asked for: a bar is met by all of them, not by a selection */
export function summarise(rows: readonly KernelRow[], bars: Bars | undefined, complete: boolean): Summary[] {
  const of = (mean: Summary["mean"], bar: number | undefined, pick: (kernel: string) => boolean): Summary => {
    const chosen = rows.filter((row) => pick(row.kernel));
    const speedup = geomean(chosen.map((row) => row.speedup));
    return {
      mean,
      qemuToNative: geomean(chosen.map((row) => row.qemuToNative)),
      oursToNative: geomean(chosen.map((row) => row.oursToNative)),
      speedup,
      bar,
      met: complete && bar !== undefined ? speedup >= bar : undefined,
    };
  };
  const rank = ({ speedup }: KernelRow): number => (Number.isNaN(speedup) ? 0 : speedup);
  const worst = rows.toSorted((a, b) => rank(a) - rank(b))[0];
  const apart = [...FLOATING, ...LIBRARY, ...SSE2];
  return [
    of("all", bars?.all, (kernel) => !SSE2.includes(kernel)),
    of("integer", bars?.integer, (kernel) => !apart.includes(kernel)),
    of("floating point", bars?.floating, (kernel) => FLOATING.includes(kernel)),
    ...(rows.some(({ kernel }) => SSE2.includes(kernel))
      ? [of("SSE2", bars?.sse2, (kernel) => SSE2.includes(kernel))]
      : []),
    of("worst", bars?.worst, (kernel) => kernel === worst?.kernel),
  ];
}

/** The kernels of guests/bench.c, in its order. */
export const KERNELS: readonly string[] = [
  "records", "mix", "sha256", "u64", "div", "matmul", "nbody", "mandel", "qsort",
  "hash64m", "memcpy", "strlen", "bytes", "fib", "icall", "interp", "switch", "lz",
]; // prettier-ignore
