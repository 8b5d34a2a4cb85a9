import { onOff, u32, u64 } from "@mimus/qom";
import { z } from "zod";
import { BlockError } from "../errors.ts";
import type { BlockFilter } from "../filter.ts";
import { defineFilter } from "../filter.ts";
import { FilterNode } from "../filter-node.ts";
import { Mutex } from "../mutex.ts";
import type { BlockNode } from "../node.ts";
import { zeroRange } from "../node.ts";

const MAGIC_LOW = 0x77736872;
const MAGIC_HIGH = 0x006a7366;
const FLUSH = 1;
const DISCARD = 4;
const ENTRY_BYTES = 32;

/** Writes a log of what is written. Source: Linux, Documentation/admin-guide/device-mapper/log-writes.rst, "Log format". */
class BlklogwritesNode extends FilterNode {
  readonly #log: BlockNode;
  readonly #sector: number;
  readonly #every: number;
  readonly #order = new Mutex();
  #entries = 0;
  #next: number;

  constructor(name: string, file: BlockNode, log: BlockNode, readOnly: boolean, sector: number, every: number) {
    super(name, "blklogwrites", file, readOnly);
    this.#log = log;
    this.#sector = sector;
    this.#every = every;
    this.#next = sector;
  }
  override get children(): Readonly<Record<string, BlockNode>> {
    return { file: this.file, log: this.#log };
  }

  /** Goes on behind the entries that the log has. */
  async append(): Promise<void> {
    const head = new Uint8Array(28);
    await this.#log.read(0, head);
    const view = new DataView(head.buffer);
    if (view.getUint32(0, true) !== MAGIC_LOW || view.getUint32(4, true) !== MAGIC_HIGH)
      throw new BlockError("corrupt", "blklogwrites: the log has no header of a log");
    if (view.getUint32(24, true) !== this.#sector)
      throw new BlockError("corrupt", `blklogwrites: the log has sectors of ${view.getUint32(24, true)} bytes`);
    const entries = view.getUint32(16, true);
    for (let i = 0; i < entries; i++) {
      const entry = new Uint8Array(ENTRY_BYTES);
      await this.#log.read(this.#next, entry);
      const e = new DataView(entry.buffer);
      const data = (e.getUint32(16, true) & DISCARD) === 0 ? e.getUint32(8, true) * this.#sector : 0;
      this.#next += this.#sector + data;
      if (this.#next > this.#log.size) throw new BlockError("corrupt", `blklogwrites: entry ${i} ends behind the log`);
    }
    this.#entries = entries;
  }

  override async write(at: number, from: Uint8Array): Promise<void> {
    await this.file.write(at, from);
    await this.#record(at, from.length, 0, from);
  }
  override async flush(): Promise<void> {
    await this.file.flush();
    await this.#record(0, 0, FLUSH);
    await this.#log.flush();
  }
  override async writeZeroes(at: number, length: number, unmap: boolean): Promise<void> {
    await zeroRange(this.file, at, length, unmap);
    for (let done = 0; done < length; done += 1 << 20) {
      const piece = Math.min(1 << 20, length - done);
      await this.#record(at + done, piece, 0, new Uint8Array(piece));
    }
  }
  protected override async pass(
    _what: string,
    at: number,
    length: number,
    act: () => Promise<void> | undefined,
  ): Promise<void> {
    await act();
    await this.#record(at, length, DISCARD);
  }
  override async close(): Promise<void> {
    await this.#order.run(() => this.#super());
    await this.file.close();
    await this.#log.close();
  }

  #record(at: number, length: number, flags: number, data?: Uint8Array): Promise<void> {
    return this.#order.run(async () => {
      const sectors = Math.ceil(length / this.#sector);
      const out = new Uint8Array(this.#sector + (data ? sectors * this.#sector : 0));
      const view = new DataView(out.buffer);
      set64(view, 0, Math.floor(at / this.#sector));
      set64(view, 8, sectors);
      set64(view, 16, flags);
      if (data) out.set(data, this.#sector);
      await this.#log.write(this.#next, out);
      this.#next += out.length;
      this.#entries++;
      if (flags === FLUSH || this.#entries % this.#every === 0) await this.#super();
    });
  }

  async #super(): Promise<void> {
    const out = new Uint8Array(this.#sector);
    const view = new DataView(out.buffer);
    view.setUint32(0, MAGIC_LOW, true);
    view.setUint32(4, MAGIC_HIGH, true);
    set64(view, 8, 1);
    set64(view, 16, this.#entries);
    view.setUint32(24, this.#sector, true);
    await this.#log.write(0, out);
  }
}

function set64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** A log of writes for tests of crash consistency. */
export const blklogwrites: BlockFilter = defineFilter({
  name: "blklogwrites",
  summary: "Writes a log of all writes, as dm-log-writes does",
  children: { file: "required", log: "required" },
  options: () =>
    z.strictObject({
      "log-sector-size": u32.default(512),
      "log-append": onOff.default(false),
      "log-super-update-interval": u64.default(4096),
    }),
  async open(o, ctx) {
    const { file, log } = ctx.children as Record<"file" | "log", BlockNode>;
    const sector = o["log-sector-size"];
    if (sector < 512 || sector > 1 << 23 || (sector & (sector - 1)) !== 0)
      throw new BlockError("bad-option", `blklogwrites: Invalid log sector size ${sector}`);
    const every = Math.max(1, o["log-super-update-interval"]);
    const node = new BlklogwritesNode(ctx.name, file, log, ctx.readOnly, sector, every);
    if (o["log-append"]) await node.append();
    return node;
  },
});
