/** Hostile variants of good images, and all tools on each: what ends badly is a fault. */
import type { Registry } from "@mimus/qom";
import { ScratchFile, Seeded } from "@mimus/testkit";
import { PatchedFile } from "../../../packages/testkit/src/format/patched-file.ts";
import { countAllocations } from "../../fuzz/allocations.ts";
import { RESEAL } from "../../fuzz/reseal.ts";
import { watchdog } from "../../fuzz/watchdog.ts";
import { allFormats } from "../formats.ts";
import { type Change, changesOf } from "./changes.ts";
import { type GoodImage, goodImages, IMAGE, PASSWORD } from "./images.ts";
import { faultsOf, linesOf, OPEN, strangers, WORK } from "./judge.ts";
import { type Ended, NotedFiles, runTool } from "./tools.ts";

export interface HostileOptions {
  readonly formats: readonly string[];
  /** Changes of each image. */
  readonly count: number;
  readonly seed: number;
  /** Number of the first change of each image, with `count` to repeat one. */
  readonly first: number;
  /** Every message, once. */
  readonly messages: boolean;
  readonly print: (line: string) => void;
}

/** Contents are compared up to here. */
const COMPARED = 8 << 20;
const HANG_SECONDS = 60;
/** Examples of one kind of fault. */
const SHOWN = 3;
/** Bytes that are written, and where. */
const WRITTEN = 4096;
const PLACES = [0, 69632, 131072, 40960, 196608];
const CODES = [0, 1];
const CHECK_CODES = [0, 1, 2, 3, 63];

interface Tally {
  opened: number;
  refused: number;
  written: number;
  compared: number;
  /** Writes to an image that check finds broken which changed other places as well. */
  aliased: number;
  repaired: number;
  faults: number;
  readonly kinds: Map<string, number>;
}

/** @returns whether nothing was wrong */
export async function hostile(options: HostileOptions): Promise<boolean> {
  const { print, seed, first, count } = options;
  const images = await goodImages(options.formats, print);
  const bench = new Bench(options);
  const started = watchdog(HANG_SECONDS);
  let faults = 0;
  const shapes = new Map<string, number>();
  for (const image of images) {
    const tally: Tally = {
      opened: 0,
      refused: 0,
      written: 0,
      compared: 0,
      aliased: 0,
      repaired: 0,
      faults: 0,
      kinds: new Map(),
    };
    const start = process.cpuUsage();
    const changes = [...changesOf(image)];
    const random = new Seeded(seed);
    for (let k = 0; k < 4; k++) random.next();
    await bench.good(image);
    const total = Math.min(count, changes.length);
    for (let n = 0; n < first + total; n++) {
      // All of them in their order where there are no more than are wanted.
      const change = changes[changes.length <= count ? n : random.below(changes.length)];
      if (change === undefined || n < first) continue;
      started(n);
      tally.kinds.set(change.kind, (tally.kinds.get(change.kind) ?? 0) + 1);
      for (const fault of await bench.one(image, change, n, tally)) {
        tally.faults++;
        const shape = `${image.format}: ${fault.replace(/\d+/g, "N").slice(0, 120)}`;
        const seen = (shapes.get(shape) ?? 0) + 1;
        shapes.set(shape, seen);
        if (seen <= SHOWN) print(`FAULT ${image.format} ${image.name}, change ${n} (${change.what}): ${fault}`);
      }
    }
    started(-1);
    faults += tally.faults;
    print(line(image, changes.length, total, tally, process.cpuUsage(start)));
  }
  if (options.messages)
    for (const [text, example] of [...bench.messages].toSorted()) print(`MESSAGE ${text}  <- ${example}`);
  for (const [shape, times] of shapes) print(`FAULTS ${times} of ${shape}`);
  return faults === 0;
}

function line(image: GoodImage, all: number, total: number, t: Tally, used: NodeJS.CpuUsage): string {
  const kinds = [...t.kinds].map(([kind, n]) => `${n} ${kind}`).join(", ");
  const seconds = Math.round((used.user + used.system) / 1e6);
  return (
    `${t.faults === 0 ? "ok   " : "WRONG"} ${image.format} ${image.name}: ${total} of ${all} changes (${kinds}): ${t.opened} opened, ${t.refused} refused; ` +
    `${t.written} written to, ${t.compared} compared, ${t.aliased} of them broken before; ${t.repaired} repaired; ${t.faults} faults (${seconds} s)`
  );
}

class Bench {
  readonly messages: Map<string, string> = new Map();
  readonly #registry: Registry = allFormats();
  readonly #allocated: () => number = countAllocations();
  readonly #options: HostileOptions;

  constructor(options: HostileOptions) {
    this.#options = options;
  }

  /** @throws Error when a good image is not taken */
  async good(image: GoodImage): Promise<void> {
    const files = this.#files(image, undefined);
    const ended = await this.#run("img", ["info", ...how(image)], files);
    if (ended.code !== 0) throw new Error(`${image.format} ${image.name}: ${ended.err}${ended.crash ?? ""}`);
  }

  /** @returns faults */
  async one(image: GoodImage, change: Change, n: number, tally: Tally): Promise<string[]> {
    const [bytes] = image.files.values();
    const scratch = new ScratchFile(IMAGE, bytes ?? new Uint8Array(0));
    change.apply(scratch);
    if (n % 8 !== 7) RESEAL[image.format]?.(scratch);
    const faults: string[] = [];
    const own = new Set([...image.files.keys(), "base.img", "out"]);
    const note = (what: string, ended: Ended, bounds = WORK, codes: readonly number[] = CODES): Ended => {
      for (const fault of faultsOf(ended, bounds, codes, what.includes("chain"))) faults.push(`${what}: ${fault}`);
      // What lies below an image may be anywhere when the image says its format: only info never looks.
      const far = (path: string): boolean => path.startsWith("/") || path.split("/").includes("..");
      const out = what === "info" ? strangers(ended.opened, own).filter(far) : [];
      if (out.length > 0) faults.push(`${what}: opened ${JSON.stringify(out)}`);
      if (this.#options.messages && ended.code === 1)
        for (const text of linesOf(ended.err)) this.#message(`${image.format}: ${text}`, change.what);
      return ended;
    };
    const run = (tool: "img" | "io", verb: readonly string[], files: NotedFiles, rest: readonly string[] = []) =>
      this.#run(tool, [...verb, ...how(image), ...rest], files);
    const fresh = (): NotedFiles => this.#files(image, scratch);

    const info = note("info", await run("img", ["info", "--output=json"], fresh()), OPEN);
    if (info.code !== 0) {
      tally.refused++;
      note("check -r all", await run("img", ["check", "-r", "all"], fresh()), WORK, CHECK_CODES);
      return faults;
    }
    tally.opened++;
    if (n % 2 === 0) note("info", await run("img", ["info"], fresh()), OPEN);
    if (n % 4 === 0)
      note("info of the chain", await this.#run("img", ["info", "--backing-chain", IMAGE], fresh()), OPEN);
    note("map", await run("img", ["map", "--output=json"], fresh()));
    note("snapshot", await run("img", ["snapshot", "-l"], fresh()));
    const check = note("check", await run("img", ["check"], fresh()), WORK, CHECK_CODES);
    const size = (JSON.parse(info.out) as { "virtual-size": number })["virtual-size"];
    const content = async (files: NotedFiles): Promise<Uint8Array | undefined> => {
      if (size > COMPARED) return undefined;
      files.files.delete("out");
      const ended = note("convert", await run("img", ["convert", "--salvage", "-O", "raw"], files, ["out"]));
      return ended.code === 0 ? files.read("out") : undefined;
    };
    const before = await content(fresh());
    if (size > COMPARED)
      note(
        "read",
        await run("io", ["-r", "-c", "read 0 65536", "-c", `read ${Math.floor((size - 1) / 512) * 512} 512`], fresh()),
      );
    faults.push(
      ...(await this.#written(image, n, { note, run, files: fresh(), content, before, check, size, info, tally })),
    );
    faults.push(...(await this.#repaired({ note, run, files: fresh(), content, before, check, tally })));
    return faults;
  }

  /** After a write that succeeded the rest of the disk, and what the image says of itself, are as before. */
  async #written(image: GoodImage, n: number, step: Step & { size: number; info: Ended }): Promise<string[]> {
    const { note, run, files, content, before, check, size, info, tally } = step;
    const at = PLACES[n % PLACES.length] ?? 0;
    if (at + WRITTEN > size) return [];
    const wrote = note("write", await run("io", ["-c", `write -P 165 ${at} ${WRITTEN}`, "-c", "flush"], files));
    if (wrote.code !== 0) return [];
    tally.written++;
    const faults: string[] = [];
    const again = note("info after a write", await run("img", ["info", "--output=json"], files), OPEN);
    if (again.code !== 0 || about(again.out) !== about(info.out))
      faults.push(`after a write info says ${again.err}${about(again.out)}, before ${about(info.out)}`);
    const after = before && (await content(files));
    if (before === undefined || after === undefined) return faults;
    tally.compared++;
    const sound = check.code === 0 || check.code === 3 || check.code === 63;
    const other = difference(before, after, at, at + WRITTEN);
    if (other !== undefined && !sound) tally.aliased++;
    else if (other !== undefined) faults.push(`a write at ${at} changed byte ${other}, check ${check.code}`);
    if (check.code === 0 || check.code === 3) {
      const now = note("check after a write", await run("img", ["check"], files), WORK, CHECK_CODES);
      if (now.code !== 0 && now.code !== 3) faults.push(`check gave ${check.code}, after a write ${now.code}: ${now.err.slice(0, 200)}`); // prettier-ignore
    }
    if (sound && !after.subarray(at, at + WRITTEN).every((byte) => byte === 165))
      faults.push("what was written does not read back");
    return faults;
  }

  /** After a repair that says it is done a second check is clean; a repair of a sound image changes no content. */
  async #repaired({ note, run, files, content, before, check, tally }: Step): Promise<string[]> {
    const repair = note("check -r all", await run("img", ["check", "-r", "all"], files), WORK, CHECK_CODES);
    if (repair.code === 63) return [];
    const again = note("a second check", await run("img", ["check"], files), WORK, CHECK_CODES);
    const faults: string[] = [];
    if (repair.code === 0) {
      tally.repaired++;
      if (again.code !== 0)
        faults.push(`repaired, and the second check gives ${again.code}: ${again.err.slice(0, 200)}`);
    }
    if ((check.code === 0 || check.code === 3) && before) {
      const after = await content(files);
      const other = after && difference(before, after, 0, 0);
      if (other !== undefined) faults.push(`repair of a sound image changed byte ${other}`);
    }
    return faults;
  }

  async #run(tool: "img" | "io", args: readonly string[], files: NotedFiles): Promise<Ended> {
    return runTool(tool, [...args], files, this.#registry, this.#allocated);
  }

  #files(image: GoodImage, changed: ScratchFile | undefined): NotedFiles {
    const files = new NotedFiles();
    for (const [name, bytes] of image.files) {
      const file = new PatchedFile(name, name === IMAGE && changed ? changed.bytes : bytes);
      if (name === IMAGE && changed && changed.length !== changed.bytes.length) file.cut(changed.length);
      files.add(name, file);
    }
    if (!files.files.has("base.img")) files.add("base.img", 1 << 18);
    return files;
  }

  #message(text: string, what: string): void {
    const shape = text.replace(/0x[0-9a-f]+|\d+/g, "N").replace(/'[^']*disk\.img[^']*'/g, "FILE");
    if (!this.messages.has(shape)) this.messages.set(shape, `${what} | ${text}`);
  }
}

interface Step {
  readonly note: (what: string, ended: Ended, bounds?: typeof WORK, codes?: readonly number[]) => Ended;
  readonly run: (
    tool: "img" | "io",
    verb: readonly string[],
    files: NotedFiles,
    rest?: readonly string[],
  ) => Promise<Ended>;
  readonly files: NotedFiles;
  readonly content: (files: NotedFiles) => Promise<Uint8Array | undefined>;
  readonly before: Uint8Array | undefined;
  readonly check: Ended;
  readonly tally: Tally;
}

/** Words that open the image: its format, its key. */
function how({ format, open }: GoodImage): string[] {
  const options = Object.entries(open).map(([key, value]) => `,${key}=${String(value)}`);
  const secret = Object.hasOwn(open, "key-secret") || Object.hasOwn(open, "encrypt.key-secret");
  return [
    ...(secret ? ["--object", `secret,id=s0,data=${PASSWORD}`] : []),
    "--image-opts",
    `driver=${format}${options.join("")},file.driver=file,file.filename=${IMAGE}`,
  ];
}

/** What does not change by a write. */
function about(json: string): string {
  if (json === "") return "";
  const { "virtual-size": size, format, snapshots, "backing-filename": backing, "cluster-size": cluster } = JSON.parse(json) as Record<string, unknown>; // prettier-ignore
  return JSON.stringify({ size, format, snapshots, backing, cluster });
}

/** The first byte outside `from` to `to` that differs. */
function difference(a: Uint8Array, b: Uint8Array, from: number, to: number): number | undefined {
  if (
    Buffer.compare(a.subarray(0, from), b.subarray(0, from)) === 0 &&
    Buffer.compare(a.subarray(to), b.subarray(to)) === 0
  )
    return undefined;
  for (let i = 0; i < Math.max(a.length, b.length); i++) if ((i < from || i >= to) && a[i] !== b[i]) return i;
  return undefined;
}
