import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { parseCodeCache } from "../bench/code-cache.ts";
import { codegen, parseJit, recovery } from "../bench/codegen.ts";
import { parseRate } from "../bench/disk.ts";
import { browserKernels, parseSample, userKernels } from "../bench/kernels.ts";
import { GROUPS, measuredOn, SUBJECTS } from "../bench/measurements.ts";
import { HELP, parseOptions, type Plan } from "../bench/options.ts";
import { printSection, sectionsOf, writeSection } from "../bench/report.ts";
import {
  besideV86,
  geomean,
  kernelRow,
  KERNELS,
  median,
  type Sample,
  SSE2,
  summarise,
  SYSTEM_BARS,
  USER_BARS,
  V86_BARS,
} from "../bench/stats.ts";
import { advantage, atLeast, atMost, barsOf, figure, markdownTable, type Section, textTable } from "../bench/table.ts";
import { ROOT } from "../bench/tools.ts";
import { oracle } from "../lib/mimus.ts";
import { hasChromium } from "../web/page.ts";

const sample = (ns: number, checksum = "0000002a"): Sample => ({ ns, units: 10, checksum });
const rowOf = (kernel: string, native: number, qemu: number, ours: number): ReturnType<typeof kernelRow> =>
  kernelRow({
    kernel,
    samples: { native: [sample(native)], qemu: [sample(qemu)], ours: [sample(ours)] },
    failures: [],
  });

describe("the arithmetic", () => {
  test("medians and geometric means", () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
    expect(geomean([2, 8])).toBeCloseTo(4, 12);
    expect(geomean([1, 10, 100])).toBeCloseTo(10, 12);
    expect(geomean([])).toBeNaN();
  });

  test("a kernel's ratios are those of the medians; the spread is that of the rounds", () => {
    const row = kernelRow({
      kernel: "fib",
      samples: {
        native: [sample(10), sample(12), sample(11)],
        qemu: [sample(55), sample(44), sample(66)],
        ours: [sample(22), sample(20), sample(44)],
      },
      failures: [],
    });
    expect(row.ns).toEqual({ native: 11, qemu: 55, ours: 22 });
    expect([row.qemuToNative, row.oursToNative, row.speedup]).toEqual([5, 2, 2.5]);
    expect(row.spread).toEqual([1.5, 2.5]);
    expect(row.agrees).toBe(true);
  });

  test("a checksum that differs, or a round that failed, is not agreement", () => {
    const samples = { native: [sample(1)], qemu: [sample(1)], ours: [sample(1, "0000002b")] };
    const differs = kernelRow({ kernel: "fib", samples, failures: [] });
    expect(differs.agrees).toBe(false);
    expect(differs.failures).toEqual(["checksums differ: native 0000002a, qemu 0000002a, ours 0000002b"]);
    const failed = kernelRow({
      kernel: "fib",
      samples: { ...samples, ours: [undefined] },
      failures: ["ours: status 139", "ours: status 139"],
    });
    expect(failed.agrees).toBe(false);
    expect(failed.speedup).toBeNaN();
    expect(failed.failures).toEqual(["ours: status 139"]);
  });

  test("integer and floating-point means leave the C library's kernels out; the worst is the least", () => {
    const rows = KERNELS.map((kernel) =>
      kernel === "nbody" || kernel === "matmul" || kernel === "mandel"
        ? rowOf(kernel, 1, 20, 4)
        : kernel === "strlen"
          ? rowOf(kernel, 1, 20, 40)
          : kernel === "memcpy"
            ? rowOf(kernel, 1, 4, 1)
            : rowOf(kernel, 1, 3, 2),
    );
    const [all, integer, floating, worst] = summarise(rows, USER_BARS, true);
    expect(integer?.speedup).toBeCloseTo(1.5, 12);
    expect(integer?.met).toBe(true);
    expect(floating?.speedup).toBeCloseTo(5, 12);
    expect(floating?.qemuToNative).toBeCloseTo(20, 12);
    expect(all?.speedup).toBeCloseTo((1.5 ** 13 * 5 ** 3 * 0.5 * 4) ** (1 / 18), 12);
    expect(all?.met).toBe(true);
    expect(worst).toMatchObject({ speedup: 0.5, met: false });
  });

  test("v86 beside QEMU: its ratios, its bars, and kernels for SSE2 in a mean of their own", () => {
    const rows = [...KERNELS, ...SSE2].map((kernel) =>
      kernelRow({
        kernel,
        samples: { native: [sample(1)], qemu: [sample(6)], ours: [sample(3)], v86: [sample(12)] },
        failures: [],
      }),
    );
    const qemu = summarise(rows, SYSTEM_BARS.i386, true);
    expect(qemu.map(({ mean, met }) => [mean, met])).toEqual([
      ["all", undefined],
      ["integer", true],
      ["floating point", true],
      ["SSE2", undefined],
      ["worst", true],
    ]);
    const v86 = summarise(rows.map(besideV86), V86_BARS, true);
    expect(v86.map(({ speedup }) => Math.round(speedup * 100) / 100)).toEqual([4, 4, 4, 4, 4]);
    expect(v86.map(({ met }) => met)).toEqual([undefined, true, true, true, undefined]);
    const wrong = { native: [sample(1)], qemu: [sample(1)], ours: [sample(1)], v86: [sample(1, "00000000")] };
    expect(kernelRow({ kernel: "fib", samples: wrong, failures: [] }).agrees).toBe(false);
  });

  test("a selection meets no bar, and a kernel that failed is the worst and spoils the means", () => {
    expect(summarise([rowOf("fib", 1, 9, 1)], USER_BARS, false).map((s) => s.met)).toEqual(Array(4).fill(undefined));
    const broken = kernelRow({
      kernel: "lz",
      samples: { native: [sample(1)], qemu: [sample(2)], ours: [] },
      failures: ["ours: no"],
    });
    const [all, , , worst] = summarise([broken, rowOf("fib", 1, 9, 1)], USER_BARS, true);
    expect(all?.met).toBe(false);
    expect(worst?.met).toBe(false);
    expect(worst?.speedup).toBeNaN();
  });

  test("how many times as good: less time, or more bytes a second", () => {
    expect(advantage({ what: "", unit: "s", ours: 2, qemu: 3, better: "less" })).toBe(1.5);
    expect(advantage({ what: "", unit: "MiB/s", ours: 2, qemu: 4, better: "more" })).toBe(0.5);
    expect(advantage({ what: "", unit: "s", ours: 2, better: "less" })).toBeUndefined();
    expect([0.01234, 1.2345, 12.345, 1234.5, Number.NaN, undefined].map(figure)).toEqual(
      ["0.012", "1.23", "12.3", "1235", "none", ""], // prettier-ignore
    );
  });
});

describe("the command", () => {
  test("reads a kernel's line among others, with a terminal's line ends", () => {
    expect(parseSample("fib", "[    1.0] noise\r\nfib 2380000 127 000cb228\r\n")).toEqual({
      ns: 2_380_000,
      units: 127,
      checksum: "000cb228",
    });
    for (const bad of ["", "fib", "fib nan 1 000cb228", "fib 0 1 000cb228", "lz 5 1 000cb228"])
      expect(() => parseSample("fib", bad)).toThrow("no line for 'fib'");
  });

  test("reads sizes of code caches, of QEMU and of ours", () => {
    const qemu = "Translation buffer state:\r\ngen code size       29724851/1073736704\r\nTB flush count      0\r\n";
    expect(parseCodeCache(qemu)).toEqual({ bytes: 29_724_851, cap: 1_073_736_704, evictions: 0 });
    const ours = `Code cache
  WebAssembly in use              12345  1.2 % of 67108864
  evictions                           3  of these, since the cap was reached
`;
    expect(parseCodeCache(ours)).toEqual({ bytes: 12_345, cap: 67_108_864, evictions: 3 });
    expect(parseCodeCache(ours.replace("1.2 % of 67108864", "no limit")).cap).toBe(Infinity);
    expect(() => parseCodeCache("WebAssembly")).toThrow("no size of the code cache");
  });

  test("reads rates of a disk, in both forms, and the parts of the code generator", () => {
    expect(parseRate({ unit: "MiB/s", mebibytes: 256 }, "blk 512.50 512\r\n")).toBe(512.5);
    expect(parseRate({ unit: "a second", mebibytes: 256 }, "blk 11.00 2816\r\n")).toBe(2816);
    expect(parseRate({ unit: "MiB/s", mebibytes: 256 }, "256+0 records out\r\nreal\t1m 4.00s\r\n")).toBe(4);
    expect(() => parseRate({ unit: "MiB/s", mebibytes: 256 }, "dd: no")).toThrow("no rate");
    const parts = Array.from(
      { length: 11 },
      (_, i) => `jit ${i * 10} 5000 900 ${i === 10 ? 400 : 200} 0000000${i % 8}`,
    );
    expect(recovery(parseJit(parts.join("\n")))).toBe(0.5);
    expect(() => parseJit("jit 0 0 1 1 00000000\nwrong at page 3")).toThrow("1 of 11 parts");
  });

  test("options: what is measured, and mistakes by name", () => {
    const plan = (...argv: string[]): Plan => {
      const { plans } = parseOptions(argv);
      expect(plans).toHaveLength(1);
      return plans[0]!;
    };
    expect([...plan("kernels", "user", "riscv64").wanted]).toEqual(["kernels user"]);
    expect([...plan("kernels").wanted]).toEqual(["kernels user", "kernels system"]);
    expect(plan().wanted.size).toBe(Object.values(GROUPS).flat().length - 1);
    expect(plan("--kernel", "fib", "--kernel", "lz", "--rounds", "2")).toMatchObject({
      kernels: ["fib", "lz"],
      rounds: 2,
      warmUp: 700,
    });
    expect([...plan("kernels", "amd64").wanted]).toEqual(["kernels system"]);
    expect(plan("kernels", "i386")).toMatchObject({ kernels: [...KERNELS, ...SSE2], warmUp: 1500 });
    expect(plan("machine", "boot", "i386")).toMatchObject({ platform: { target: "i386" } });
    expect(plan("smp")).toMatchObject({ platform: { target: "x86_64" }, wanted: new Set(["machine smp"]) });
    expect(parseOptions(["bars"]).plans.map(({ platform, rounds }) => [platform.name, rounds])).toEqual([
      ["riscv64", 3],
      ["amd64", 3],
      ["i386", 3],
      ["riscv64", 3],
    ]);
    expect(parseOptions(["bars", "disks", "--rounds", "7"]).plans).toMatchObject([
      { rounds: 7, wanted: new Set(SUBJECTS["disks"]?.[0]?.slice(1)) },
    ]);
    expect(HELP).toContain("for i386 kernels system, machine boot");
    expect(() => parseOptions(["bars", "riscv64"])).toThrow("no subject 'riscv64'; there are riscv, pc, disks");
    expect(() => parseOptions(["kernels", "user", "amd64"])).toThrow("'kernels user' is not measured for amd64");
    expect(() => parseOptions(["images", "amd64"])).toThrow("nothing of images is measured for amd64");
    expect(() => parseOptions(["kernels", "amd64", "i386"])).toThrow("one target at a time");
    expect(() => parseOptions(["kernel"])).toThrow("no group 'kernel'; there are kernels, programs");
    expect(() => parseOptions(["kernels", "usr"])).toThrow("no 'usr' in kernels; there are user, system");
    expect(() => parseOptions(["--kernel", "fibb"])).toThrow("no kernel 'fibb'; there are records, mix");
    expect(() => parseOptions(["--kernel", "nbody-sse2"])).toThrow("no kernel 'nbody-sse2'");
    expect(() => parseOptions(["--rounds", "0"])).toThrow("--rounds 0: a whole number of at least 1");
    expect(() => parseOptions(["--fast"])).toThrow("--fast");
  });

  test("every measurement with a bar exists for its platform", () => {
    for (const plans of Object.values(SUBJECTS))
      for (const [platform, ...wanted] of plans) expect(measuredOn(platform)).toEqual(expect.arrayContaining(wanted));
  });

  test("bars: what was reached of them, by how much they were missed, and what could not be measured", () => {
    const row = { what: "boot", unit: "s", ours: 4, qemu: 2, better: "less" } as const;
    const section: Section = {
      name: "machine",
      title: "",
      whole: true,
      rows: [{ ...row, bar: atMost("at most 1.5 times", 4, 3) }, { ...row, bar: atLeast("at least 3", 4, 3) }, row],
      failures: ["disk: no disk"],
    };
    expect(barsOf(section).map(({ what, times, verdict }) => [what, times, verdict])).toEqual([
      ["boot", 0.5, "FALLS SHORT by 25 %"],
      ["boot", 0.5, "met"],
      ["disk: no disk", undefined, "NOT MEASURED"],
    ]);
  });

  test("tables: columns of equal width, figures to the right", () => {
    const cells = [
      ["kernel", "x"],
      ["fib", "10.00"],
      ["switch", "1.00"],
    ];
    expect(textTable(cells)).toBe("kernel      x\nfib     10.00\nswitch   1.00");
    expect(markdownTable(cells).split("\n")).toEqual([
      "| kernel | x     |",
      "| ------ | ----- |",
      "| fib    | 10.00 |",
      "| switch | 1.00  |",
    ]);
  });
});

describe("docs/benchmarks.md", () => {
  const document = readFileSync(join(ROOT, "docs/benchmarks.md"), "utf8");

  test("has a place for every section, and the command writes into it alone", () => {
    const names = [
      "kernels user riscv64",
      "kernels system riscv64",
      "kernels system amd64",
      "machine amd64",
      "kernels system i386",
      "machine i386",
      "programs",
      "machine",
      "images",
      "browser",
      "browser kernels riscv64",
    ];
    expect(sectionsOf(document)).toEqual(names);
    const rows = [rowOf("fib", 1e6, 9e6, 3e6)];
    const section: Section = {
      name: "kernels system riscv64",
      title: "",
      whole: true,
      kernels: { rows, summary: summarise(rows, USER_BARS, false) },
      failures: [],
    };
    const machine = {
      date: "2026-01-02", processor: "P", cores: 2, memoryGiB: 8, node: "v24.1.0", v8: "13.6", qemu: "7.2.0",
      qemuUser: "7.2.0", compiler: "gcc", crossCompiler: "gcc", commit: "abc",
    }; // prettier-ignore
    const part = { rounds: 3, warmUpMs: 1, windowMs: 2, cpuTime: false, sections: [section] };
    const written = writeSection(document, section, machine, part);
    expect(written).toContain("| fib    | 1.00      | 9.00          | 3.00          | 3.00        |");
    expect(written).toContain("2026-01-02, commit abc; medians of 3; 1 ms of warm-up, 2 ms timed. P, 2 cores");
    expect(sectionsOf(written)).toEqual(names);
    expect(writeSection(written, section, machine, part)).toBe(written);
    expect(() => writeSection(document, { ...section, name: "none" }, machine, part)).toThrow("no marks");
    expect(printSection(section)).toContain("not all kernels ran");
  });

  test("names no host, and no path of one", () => {
    expect(document).not.toMatch(/\/(home|root|work|tmp)\//);
  });
});

const compilers = ["gcc", "riscv64-linux-gnu-gcc", "qemu-riscv64-static"].map(oracle).every(Boolean);

describe.skipIf(!compilers)("programs of the benchmarks (needs gcc, its cross compiler, QEMU and 'pnpm build')", () => {
  test("print the same checksums under ours, under QEMU, and natively", { timeout: 240_000 }, async () => {
    const kernels = ["div", "mandel"];
    const samples = await userKernels({ kernels, rounds: 1, warmUp: 0, window: 1, cpuTime: true });
    const rows = samples.map(kernelRow);
    expect(rows.map((row) => row.failures)).toEqual([[], []]);
    expect(rows.map((row) => row.agrees)).toEqual([true, true]);
    for (const row of rows) for (const ns of Object.values(row.ns)) expect(ns).toBeGreaterThan(0);
  });
  test.skipIf(!hasChromium())(
    "the same on a page in Chromium, without SharedArrayBuffer",
    { timeout: 240_000 },
    async () => {
      const options = { kernels: ["div"], rounds: 1, warmUp: 0, window: 1, cpuTime: false };
      const rows = (await browserKernels(options)).map(kernelRow);
      expect(rows.map((row) => row.failures)).toEqual([[]]);
    },
  );

  test("a guest that generates code gets QEMU's results", { timeout: 240_000 }, async () => {
    const rows = await codegen(1, 50, 1);
    expect(rows.map((row) => row.unit)).toEqual(["pages/s", "pages/s", "of its best", "MiB", "MiB"]);
    expect(rows.every((row) => row.ours > 0)).toBe(true);
  });
});
