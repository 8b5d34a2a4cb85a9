import type { BlockNode, CheckReport } from "@mimus/block";
import { Seeded } from "../random.ts";
import { DiskModel } from "./model.ts";
import type { FormatRig } from "./rig.ts";

/** Another program's opinion of an image. */
export interface ImageOracle {
  /**
   * Complaints about the image in `files`, whose disk should read as `disk` (where `unknown` is 0): errors that its
   * check finds, differences of content. Empty = fine.
   */
  judge(files: ReadonlyMap<string, Uint8Array>, filename: string, disk: DiskModel): Promise<readonly string[]>;
}

/** How many operations, and from which seed. */
export interface RandomRun {
  /** To do. */
  readonly operations: number;
  /** Equal seeds give equal runs. */
  readonly seed: number;
  /** Asked at some of the reopens. */
  readonly oracle?: ImageOracle;
  /** One of this many reopens asks the oracle. */
  readonly oracleEvery?: number;
  /** Called with the number of operations that are done. */
  readonly progress?: (done: number) => void;
}

/** How often each operation was done. */
export type OperationCounts = Record<string, number>;

/**
 * Does random operations to an image and to a plain model of it, several at once, and compares all that is read.
 * @throws Error that names the seed and the operation's number at the first difference.
 */
export async function runRandomOperations(rig: FormatRig, run: RandomRun): Promise<OperationCounts> {
  rig.files.recording = false;
  await rig.create();
  const walk = new Walk(rig, run);
  await walk.go();
  return walk.counts;
}

class Walk {
  readonly counts: OperationCounts = {};
  readonly #rig: FormatRig;
  readonly #run: RandomRun;
  readonly #random: Seeded;
  #model: DiskModel;
  #node!: BlockNode;
  #done = 0;
  #reopens = 0;
  #names = 0;

  constructor(rig: FormatRig, run: RandomRun) {
    this.#rig = rig;
    this.#run = run;
    this.#random = new Seeded(run.seed);
    this.#model = new DiskModel(0);
  }

  async go(): Promise<void> {
    this.#node = await this.#rig.open();
    this.#model = new DiskModel(this.#node.size, this.#rig.options.noise);
    while (this.#done < this.#run.operations) {
      await this.#step();
      this.#run.progress?.(this.#done);
    }
    await this.#reopen(true);
    await this.#rig.close();
  }

  async #step(): Promise<void> {
    const dice = this.#random.below(100);
    const { image } = this.#node;
    if (dice < 82) return this.#batch();
    if (dice < 88) return this.#count("flush", () => this.#node.flush());
    if (dice < 91) return this.#count("reopen", () => this.#reopen(false));
    if (dice < 94 && image?.snapshots) return this.#snapshot();
    if (dice < 96 && this.#node.resize) return this.#resize();
    if (dice < 97 && image?.makeEmpty && this.#model.snapshots.size === 0)
      return this.#count("empty", async () => {
        await image.makeEmpty?.();
        this.#model.zero(0, this.#model.size);
      });
    if (dice < 98 && image?.check) return this.#count("check", () => this.#check());
    return this.#compressed();
  }

  /** Up to eight requests at once that do not touch each other. */
  async #batch(): Promise<void> {
    const taken: [number, number][] = [];
    const acts: Promise<void>[] = [];
    for (let n = 1 + this.#random.below(8); n > 0; n--) {
      const [at, length] = this.#range();
      if (length === 0 || taken.some(([a, l]) => at < a + l && a < at + length)) continue;
      taken.push([at, length]);
      acts.push(this.#request(at, length));
    }
    await Promise.all(acts);
  }

  #request(at: number, length: number): Promise<void> {
    const dice = this.#random.below(10);
    if (dice < 5) {
      const from = this.#random.below(8) === 0 ? new Uint8Array(length) : this.#bytes(length);
      this.#model.write(at, from);
      return this.#count("write", () => this.#node.write(at, from));
    }
    if (dice === 5 && this.#node.discard) {
      this.#model.discard(at, length);
      return this.#count("discard", async () => this.#node.discard?.(at, length));
    }
    if (dice === 6 && this.#node.writeZeroes) {
      this.#model.zero(at, length);
      const unmap = this.#random.below(2) === 0;
      return this.#count("zeroes", async () => this.#node.writeZeroes?.(at, length, unmap));
    }
    return this.#count("read", () => this.#compare(at, length));
  }

  async #compare(at: number, length: number): Promise<void> {
    const into = new Uint8Array(length).fill(0xa5);
    await this.#node.read(at, into);
    const wrong = this.#model.difference(at, into);
    if (wrong !== undefined) this.#fail(wrong);
  }

  async #reopen(last: boolean): Promise<void> {
    this.#node = await this.#rig.open();
    if (this.#node.size !== this.#model.size)
      this.#fail(`the disk has ${this.#node.size} bytes, not ${this.#model.size}`);
    await this.#compare(0, this.#model.size);
    await this.#check();
    const { oracle, oracleEvery = 1 } = this.#run;
    if (!oracle || (!last && this.#reopens++ % oracleEvery !== 0)) return;
    // The image is judged as it is when closed.
    await this.#rig.close();
    const complaints = await oracle.judge(this.#rig.contents(), this.#rig.filename, this.#model);
    if (complaints.length > 0) this.#fail(complaints.join("; "));
    this.counts["judged"] = (this.counts["judged"] ?? 0) + 1;
    this.#node = await this.#rig.open();
  }

  async #check(): Promise<void> {
    const report: CheckReport | undefined = await this.#node.image?.check?.("none");
    if (!report) return;
    if (report.corruptions + report.leaks + report.checkErrors > 0)
      this.#fail(
        `check: ${report.corruptions} corruptions, ${report.leaks} leaks: ${report.messages.slice(0, 3).join("; ")}`,
      );
  }

  async #snapshot(): Promise<void> {
    const snapshots = this.#node.image?.snapshots;
    if (!snapshots) return;
    const names = [...this.#model.snapshots.keys()];
    const some = names[this.#random.below(Math.max(1, names.length))];
    const dice = this.#random.below(3);
    if (some === undefined || (dice === 0 && names.length < 4)) {
      const name = `s${this.#names++}`;
      this.#model.snapshot(name);
      return this.#count("snapshot", async () => {
        await snapshots.create({
          name,
          vmStateSize: 0,
          dateSec: 1,
          dateNsec: 0,
          vmClockNs: 0,
          diskSize: this.#model.size,
        });
      });
    }
    if (dice === 1) {
      this.#model.apply(some);
      return this.#count("apply", () => snapshots.apply(some));
    }
    this.#model.snapshots.delete(some);
    return this.#count("delete", () => snapshots.delete(some));
  }

  async #resize(): Promise<void> {
    const most = this.#rig.options.size * 2;
    const unit = Math.max(512, this.#node.image?.clusterSize ?? 512);
    const size = Math.ceil((1 + this.#random.below(most)) / unit) * unit;
    const before = this.#model.size;
    try {
      await this.#node.resize?.(size);
    } catch (e) {
      // Some images only grow, and some not while they have snapshots: a refusal changes nothing.
      if (
        !(e instanceof Error && "kind" in e && ["bad-option", "unsupported-feature", "in-use"].includes(String(e.kind)))
      )
        throw e;
      this.counts["resize refused"] = (this.counts["resize refused"] ?? 0) + 1;
      this.#done++;
      if (this.#node.size !== before) this.#fail("a refused resize changed the size");
      return;
    }
    this.#model.resize(this.#node.size);
    await this.#count("resize", async () => undefined);
  }

  async #compressed(): Promise<void> {
    const { image } = this.#node;
    const unit = image?.clusterSize;
    if (!image?.writeCompressed || unit === undefined) return this.#batch();
    const at = this.#random.below(Math.ceil(this.#model.size / unit)) * unit;
    const length = Math.min(unit, this.#model.size - at);
    const from = new Uint8Array(length).fill(this.#random.below(256));
    from.set(this.#bytes(Math.min(64, length)));
    this.#model.write(at, from);
    await this.#count("compressed", async () => image.writeCompressed?.(at, from));
  }

  /** Small and large, aligned and not; some at the very end. */
  #range(): [number, number] {
    const { size } = this.#model;
    const large = this.#random.below(16) === 0;
    let length = 1 + this.#random.below(large ? Math.min(size, 1 << 20) : 1 << 13);
    let at = this.#random.below(Math.max(1, size));
    if (this.#random.below(2) === 0) [at, length] = [at & ~511, (length + 511) & ~511];
    return [at, Math.min(length, size - at)];
  }

  /** Random bytes, cheaply: a pattern with a random start and step. */
  #bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    let x = this.#random.next();
    const step = this.#random.next() | 1;
    for (let i = 0; i < length; i++) {
      x = (x + step) | 0;
      out[i] = x >>> 13;
    }
    return out;
  }

  async #count(what: string, act: () => Promise<unknown>): Promise<void> {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    const number = this.#done++;
    try {
      await act();
    } catch (e) {
      if (e instanceof RandomRunError) throw e;
      throw new RandomRunError(
        `seed ${this.#run.seed}, operation ${number} (${what}): ${e instanceof Error ? e.message : String(e)}`,
        e,
      );
    }
  }

  #fail(message: string): never {
    throw new RandomRunError(`seed ${this.#run.seed}, operation ${this.#done}: ${message}`);
  }
}

/** A random run found something; the message names seed and operation. */
export class RandomRunError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "RandomRunError";
  }
}
