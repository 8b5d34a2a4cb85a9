import { BlockError, type BlockFormat, MemoryFile, MemoryFiles, statusOf } from "@mimus/block";
import type { Plugin } from "@mimus/qom";
import { describe, expect, it } from "vitest";
import { Seeded } from "../random.ts";
import { runCuts } from "./cuts.ts";
import { runFaults } from "./faults.ts";
import { runMutations } from "./mutations.ts";
import { type ImageOracle, runRandomOperations } from "./operations.ts";
import { FormatRig, type RigOptions } from "./rig.ts";

/** A part of the suite that a format may opt out of; say why beside it. */
export type FormatCheck = "create" | "probe" | "status" | "random" | "faults" | "cuts" | "hostile" | "read-only";

/** How to try a format. */
export interface TestFormatOptions {
  /** Sets of create options, by name; each gets the whole suite. Default: none given. */
  readonly variants?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Options of -blockdev. */
  readonly open?: Readonly<Record<string, unknown>>;
  /** Bytes of the disk; default 3 MiB and 512 bytes. */
  readonly size?: number;
  /** Types that the format needs. */
  readonly plugins?: readonly Plugin[];
  /** Images that are damaged and opened, besides one that the format itself makes: files by name, the image is "disk.img". */
  readonly images?: readonly ReadonlyMap<string, Uint8Array>[];
  /** Another program's opinion on images; absent = not asked. */
  readonly oracle?: ImageOracle;
  /** Random operations, power cuts, failures, damaged images of each variant. Defaults 400, 60, 60, 400. */
  readonly counts?: {
    readonly operations?: number;
    readonly cuts?: number;
    readonly faults?: number;
    readonly mutations?: number;
  };
  /** Parts of the suite that do not apply. */
  readonly without?: readonly FormatCheck[];
}

const SIZE = 3 * 1024 * 1024 + 512;

/** What every check of one variant needs. */
interface Variant {
  readonly format: BlockFormat;
  readonly size: number;
  /** A new, empty host with the format's options. */
  readonly rig: () => FormatRig;
  readonly counts: Required<NonNullable<TestFormatOptions["counts"]>>;
  readonly options: TestFormatOptions;
}

/**
 * The suite that every image format passes, third parties' too. Call it at the top of a test file. It makes images, does
 * random operations to them beside a plain model, fails every call of the host in turn, cuts the power, and
 * opens damaged images.
 */
export function testFormat(format: BlockFormat, options: TestFormatOptions = {}): void {
  const without = new Set<FormatCheck>(options.without);
  const writes = format.class.format.create !== undefined;
  const counts = { operations: 400, cuts: 60, faults: 60, mutations: 400, ...options.counts };
  for (const [name, create] of Object.entries(options.variants ?? { plain: {} }))
    describe(`format ${format.name}, ${name}`, () => {
      const rigOptions: RigOptions = {
        format,
        create,
        size: options.size ?? SIZE,
        ...(options.open === undefined ? {} : { open: options.open }),
        ...(options.plugins === undefined ? {} : { plugins: options.plugins }),
      };
      const v: Variant = { format, size: rigOptions.size, rig: () => new FormatRig(rigOptions), counts, options };
      const check = (part: FormatCheck, title: string, run: (v: Variant) => Promise<void>): void => {
        if (without.has(part)) it.skip(`${title} (opted out)`, () => undefined);
        else it(title, { timeout: 60_000 }, () => run(v));
      };
      if (writes) {
        check("create", "makes an image that reads as zeroes and has no errors", createsZeroes);
        check("probe", "finds its own images by their first bytes", probesItsOwn);
        check("read-only", "leaves every file as it is when it is read-only", keepsReadOnly);
        check("status", "says of every range what it reads as", tellsStatus);
        check("random", "keeps what random operations do", keepsRandomOperations);
        check("faults", "survives a failure of every call of the host", survivesFaults);
        check("cuts", "keeps what was flushed through power cuts", keepsFlushed);
      }
      check("hostile", "reads or refuses damaged images", survivesDamage);
      check("probe", "refuses an empty file and noise, with a BlockError", refusesNoise);
    });
}

async function createsZeroes({ size, rig }: Variant): Promise<void> {
  const r = rig();
  await r.create();
  const node = await r.open({ readOnly: true });
  expect(node.size).toBeGreaterThanOrEqual(size);
  const all = new Uint8Array(node.size).fill(1);
  await node.read(0, all);
  expect(all.every((b) => b === 0)).toBe(true);
  const report = await node.image?.check?.("none");
  if (report) expect(report).toMatchObject({ corruptions: 0, leaks: 0 });
  await r.close();
}

async function probesItsOwn({ format, rig }: Variant): Promise<void> {
  const r = rig();
  await r.create();
  const head = (r.contents().get(r.filename) ?? new Uint8Array()).subarray(0, 2048);
  expect(format.class.format.probe(head, r.filename)).toBeGreaterThan(1);
}

async function keepsReadOnly({ rig }: Variant): Promise<void> {
  const r = rig();
  await r.create();
  await scribble(r);
  const before = r.contents();
  const node = await r.open({ readOnly: true });
  await node.read(0, new Uint8Array(node.size));
  await expect(node.write(0, new Uint8Array(512))).rejects.toMatchObject({ kind: "read-only" });
  await r.close();
  expect(r.contents()).toEqual(before);
}

async function tellsStatus({ rig }: Variant): Promise<void> {
  const r = rig();
  await r.create();
  await scribble(r);
  const node = await r.open({ readOnly: true });
  for (let at = 0; at < node.size;) {
    const status = await statusOf(node, at, node.size - at);
    expect(status.length).toBeGreaterThan(0);
    expect(at + status.length).toBeLessThanOrEqual(node.size);
    const bytes = new Uint8Array(status.length).fill(1);
    await node.read(at, bytes);
    if (status.zero || (!status.allocated && !node.children?.["backing"]))
      expect(bytes.every((b) => b === 0)).toBe(true);
    if (status.offset !== undefined && status.file !== undefined) {
      const stored = new Uint8Array(Math.min(status.length, status.file.size - status.offset));
      await status.file.read(status.offset, stored);
      const same = stored.every((b, i) => b === bytes[i]);
      expect(same, `range at ${at} reads as what is stored`).toBe(true);
    }
    at += status.length;
  }
  await r.close();
}

async function keepsRandomOperations({ rig, counts, options }: Variant): Promise<void> {
  const done = await runRandomOperations(rig(), {
    operations: counts.operations,
    seed: 1,
    ...(options.oracle ? { oracle: options.oracle, oracleEvery: 4 } : {}),
  });
  expect(done["write"]).toBeGreaterThan(0);
}

async function survivesFaults({ rig, counts }: Variant): Promise<void> {
  const { failures } = await runFaults(rig, { seed: 1, most: counts.faults });
  expect(failures).toBeGreaterThan(0);
}

async function keepsFlushed({ rig, counts: { cuts } }: Variant): Promise<void> {
  expect((await runCuts(rig(), { cuts, seed: 1, requests: 60 })).cuts).toBe(cuts);
}

async function survivesDamage({ format, rig, counts: { mutations }, options }: Variant): Promise<void> {
  const seeds = [...(options.images ?? [])];
  if (format.class.format.create !== undefined) {
    const r = rig();
    await r.create();
    await scribble(r);
    await r.close();
    seeds.push(r.contents());
  }
  expect(seeds.length, "images to damage").toBeGreaterThan(0);
  expect((await runMutations(rig(), { seeds, runs: mutations, seed: 1 })).runs).toBe(mutations);
}

async function refusesNoise({ rig }: Variant): Promise<void> {
  for (const content of [new Uint8Array(0), new Seeded(7).bytes(70_000)]) {
    const files = new MemoryFiles();
    files.add("disk.img", new MemoryFile("disk.img", content));
    await expect(rig().open({ files })).rejects.toBeInstanceOf(BlockError);
  }
}

/** A few writes here and there, some zeroes. */
async function scribble(rig: FormatRig): Promise<void> {
  const random = new Seeded(3);
  const node = await rig.open();
  for (let n = 0; n < 12; n++) {
    const at = random.below(node.size);
    await node.write(at, random.bytes(Math.min(1 + random.below(9000), node.size - at)));
  }
  const at = random.below(node.size >> 1);
  await node.writeZeroes?.(at, Math.min(200_000, node.size - at), true);
  await rig.close();
}
