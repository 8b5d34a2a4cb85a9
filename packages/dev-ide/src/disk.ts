import { type BlockBackend, Lanes } from "@mimus/block";
import { type DiskShape, type Identity, identifyDisk } from "./identify.ts";
import { smartData, smartLog, smartThresholds } from "./smart.ts";
import { C, CHUNK, DMA, ER, MULTIPLE, SECTOR, ST } from "./spec.ts";
import { Unit } from "./unit.ts";

/** Most sectors of one chunk. */
const CHUNK_SECTORS = CHUNK / SECTOR;

/** How a command moves data. */
interface Way {
  readonly write: boolean;
  readonly wide?: boolean;
  /** Sectors of a block: 1, or as SET MULTIPLE MODE said; by the bus master. */
  readonly by: "one" | "multiple" | "dma";
  readonly through?: boolean;
}

const WAYS: ReadonlyMap<number, Way> = new Map<number, Way>([
  [C.READ, { write: false, by: "one" }],
  [C.READ_ONCE, { write: false, by: "one" }],
  [C.READ_EXT, { write: false, by: "one", wide: true }],
  [C.READ_MULTIPLE, { write: false, by: "multiple" }],
  [C.READ_MULTIPLE_EXT, { write: false, by: "multiple", wide: true }],
  [C.READ_DMA, { write: false, by: "dma" }],
  [C.READ_DMA_ONCE, { write: false, by: "dma" }],
  [C.READ_DMA_EXT, { write: false, by: "dma", wide: true }],
  [C.WRITE, { write: true, by: "one" }],
  [C.WRITE_ONCE, { write: true, by: "one" }],
  [C.WRITE_EXT, { write: true, by: "one", wide: true }],
  [C.WRITE_MULTIPLE, { write: true, by: "multiple" }],
  [C.WRITE_MULTIPLE_EXT, { write: true, by: "multiple", wide: true }],
  [C.WRITE_MULTIPLE_FUA, { write: true, by: "multiple", wide: true, through: true }],
  [C.WRITE_DMA, { write: true, by: "dma" }],
  [C.WRITE_DMA_ONCE, { write: true, by: "dma" }],
  [C.WRITE_DMA_EXT, { write: true, by: "dma", wide: true }],
  [C.WRITE_DMA_FUA, { write: true, by: "dma", wide: true, through: true }],
]);

/** A disk. Source: ATA/ATAPI-7 volume 1, chapter 6. */
export class AtaDisk extends Unit {
  readonly #id: Identity;
  readonly #shape: DiskShape;
  readonly #disk: BlockBackend;
  readonly #lanes: Lanes = new Lanes(DMA, 1);

  constructor(drive: BlockBackend, id: Identity, shape: DiskShape) {
    super(drive);
    this.#disk = drive;
    this.#id = id;
    this.#shape = shape;
    this.reset();
  }

  get total(): number {
    return Math.floor(this.#disk.size / SECTOR);
  }

  signature(): void {
    const { s } = this;
    s.count = s.sector = 1;
    s.low = s.high = 0;
    s.status = ST.READY | ST.SEEK;
    if (s.heads === 0) {
      s.heads = this.#shape.heads;
      s.sectors = this.#shape.sectors;
    }
  }

  command(code: number): void {
    const way = WAYS.get(code);
    if (way !== undefined) return this.#move(way);
    const { s } = this;
    switch (code) {
      case C.IDENTIFY:
        return this.reply(this.#identify());
      case C.SET_FEATURES:
        return this.#features();
      case C.SET_MULTIPLE:
        if (s.count > MULTIPLE || (s.count & (s.count - 1)) !== 0) return this.fail();
        s.multiple = s.count;
        return this.ok();
      case C.SPECIFY:
        if (s.count === 0) return this.fail();
        s.sectors = s.count;
        s.heads = (s.device & 15) + 1;
        return this.ok();
      case C.VERIFY:
      case C.VERIFY_ONCE:
      case C.VERIFY_EXT:
        return this.#aim(code === C.VERIFY_EXT) ? this.ok() : this.fail(ER.NOT_FOUND);
      case C.FLUSH:
      case C.FLUSH_EXT:
        return this.wait(this.#disk.flush(), (good) => (good ? this.ok() : this.fail()));
      case C.NATIVE_MAX:
      case C.NATIVE_MAX_EXT:
        return this.#nativeMax(code === C.NATIVE_MAX_EXT);
      case C.SMART:
        return this.#smart();
      case C.DATA_SET:
        if ((s.feature & 1) === 0 || !this.#shape.trim || this.#disk.readOnly) return this.fail();
        s.left = (s.before[1] << 8) | s.count;
        if (s.left === 0) return this.ok();
        return this.startDma("dma-trim") ? undefined : this.fail();
      case C.CHECK_POWER:
      case C.CHECK_POWER_OLD:
        s.count = 0xff;
        return this.ok();
      case C.IDENTIFY_PACKET:
      case C.PACKET:
      case C.DEVICE_RESET:
      case C.NOP:
        return this.fail();
      default:
        // Power management: nothing spins. Recalibrate and seek.
        if ((code >= C.STANDBY_NOW_OLD && code <= 0x99) || (code >= C.STANDBY_NOW && code <= C.SLEEP)) return this.ok();
        if (code >> 4 === C.RECALIBRATE >> 4) return this.ok();
        if (code >> 4 === C.SEEK >> 4) return this.#aim(false) ? this.ok() : this.fail(ER.NOT_FOUND);
        return this.fail();
    }
  }

  #identify(): Uint8Array {
    const { s } = this;
    return identifyDisk(this.#id, this.#shape, {
      total: this.total,
      multiple: s.multiple,
      mode: s.mode,
      writeCache: this.#disk.writeCache,
      smart: s.smart,
      dma: this.bus !== undefined,
      heads: s.heads,
      sectors: s.sectors,
    });
  }

  #features(): void {
    const { s } = this;
    switch (s.feature) {
      case 0x02:
        this.#disk.writeCache = true;
        return this.ok();
      case 0x82:
        // What is in the cache goes to the disk first.
        this.#disk.writeCache = false;
        return this.wait(this.#disk.flush(), (good) => (good ? this.ok() : this.fail()));
      case 0x03: {
        const kind = s.count >> 3;
        const mode = s.count & 7;
        const known = kind <= 1 || (kind === 2 && mode <= 2) || (kind === 4 && mode <= 2) || (kind === 8 && mode <= 5);
        if (!known) return this.fail();
        if (kind >= 2) s.mode = s.count;
        return this.ok();
      }
      // Read look-ahead, advanced power management, acoustics, reverting to defaults: nothing to be done.
      case 0x05:
      case 0x42:
      case 0x55:
      case 0x66:
      case 0x85:
      case 0xaa:
      case 0xc2:
      case 0xcc:
        return this.ok();
      default:
        return this.fail();
    }
  }

  #nativeMax(wide: boolean): void {
    const last = this.total - 1;
    this.#setAddress(wide ? last : Math.min(last, 0x0fff_ffff), wide);
    this.ok();
  }

  #smart(): void {
    const { s } = this;
    if (s.low !== 0x4f || s.high !== 0xc2) return this.fail();
    if (!s.smart && s.feature !== 0xd8) return this.fail();
    switch (s.feature) {
      case 0xd0:
        return this.reply(smartData(s.smartAutosave));
      case 0xd1:
        return this.reply(smartThresholds());
      case 0xd2:
        s.smartAutosave = s.count !== 0;
        return this.ok();
      case 0xd4:
      case 0xda: // no threshold exceeded: low and high stay as they are
        return this.ok();
      case 0xd5: {
        const log = smartLog(s.sector);
        return log === undefined ? this.fail() : this.reply(log);
      }
      case 0xd8:
      case 0xd9:
        s.smart = s.feature === 0xd8;
        return this.ok();
      default:
        return this.fail();
    }
  }

  // ---- addresses

  /** Takes address and count out of the registers. @returns whether it all lies on the disk */
  #aim(wide: boolean): boolean {
    const { s } = this;
    s.wide = wide;
    const n = wide ? (s.before[1] << 8) | s.count : s.count;
    s.left = n !== 0 ? n : wide ? 65536 : 256;
    s.at = this.#address(wide);
    return s.at >= 0 && s.at + s.left <= this.total;
  }
  #address(wide: boolean): number {
    const { s } = this;
    const low = s.sector | (s.low << 8) | (s.high << 16);
    if (!this.lba) {
      // Sectors count from 1.
      if (s.sector === 0 || s.sector > s.sectors || (s.device & 15) >= s.heads) return 2 ** 48;
      return ((s.low | (s.high << 8)) * s.heads + (s.device & 15)) * s.sectors + s.sector - 1;
    }
    if (!wide) return low + (s.device & 15) * 2 ** 24;
    return low + (s.before[2] + s.before[3] * 256 + s.before[4] * 65536) * 2 ** 24;
  }
  #setAddress(at: number, wide: boolean): void {
    const { s } = this;
    if (!this.lba && !wide) {
      const cylinder = Math.floor(at / (s.heads * s.sectors));
      const rest = at % (s.heads * s.sectors);
      s.low = cylinder & 0xff;
      s.high = (cylinder >> 8) & 0xff;
      s.device = (s.device & 0xf0) | Math.floor(rest / s.sectors);
      s.sector = (rest % s.sectors) + 1;
      return;
    }
    const upper = Math.floor(at / 2 ** 24);
    s.sector = at & 0xff;
    s.low = (at >>> 8) & 0xff;
    s.high = (at >>> 16) & 0xff;
    if (wide) s.before = [s.before[0], s.before[1], upper & 0xff, (upper >> 8) & 0xff, (upper >> 16) & 0xff];
    else s.device = (s.device & 0xf0) | (upper & 15);
  }

  // ---- data

  #move(way: Way): void {
    const { s } = this;
    if (way.by === "multiple" && s.multiple === 0) return this.fail();
    if (!this.#aim(way.wide === true)) {
      return this.fail(ER.NOT_FOUND);
    }
    if (way.write && this.#disk.readOnly) return this.fail();
    s.through = way.through === true;
    s.block = way.by === "multiple" ? s.multiple : 1;
    if (way.by === "dma") {
      if (!this.startDma(way.write ? "dma-write" : "dma-read")) this.fail();
      return;
    }
    s.phase = way.write ? "write" : "read";
    if (!way.write) return this.#fill();
    const bytes = Math.min(s.block, s.left) * SECTOR;
    s.data = new Uint8Array(bytes);
    this.offer(0, bytes);
  }

  /** Reads ahead and offers the first block. */
  #fill(): void {
    const { s } = this;
    const sectors = Math.min(s.left, CHUNK_SECTORS);
    const data = new Uint8Array(sectors * SECTOR);
    this.wait(this.#disk.read(s.at * SECTOR, data), (good) => {
      if (!good) return this.#broken(ER.UNCORRECTABLE);
      s.data = data;
      this.#block(0);
    });
  }
  #block(from: number): void {
    const { s } = this;
    this.offer(from, Math.min(from + s.block * SECTOR, s.data.length));
    this.interrupt();
  }
  #broken(error: number): void {
    this.#setAddress(this.s.at, this.s.wide);
    this.fail(error);
  }
  /** `sectors` more have been moved. */
  #advance(sectors: number): void {
    const { s } = this;
    s.at += sectors;
    s.left -= sectors;
    this.#setAddress(s.left === 0 ? s.at - 1 : s.at, s.wide);
    s.count = s.left & 0xff;
  }

  protected moved(): void {
    const { s } = this;
    if (s.phase === "reply") {
      s.phase = "idle";
      s.data = new Uint8Array(0);
      s.from = s.to = 0;
      s.status = ST.READY | ST.SEEK;
    } else if (s.phase === "read") {
      const first = s.to - (s.to % (s.block * SECTOR) || s.block * SECTOR);
      this.#advance((s.to - first) / SECTOR);
      if (s.left === 0) {
        s.phase = "idle";
        s.status = ST.READY | ST.SEEK;
      } else if (s.to < s.data.length) this.#block(s.to);
      else this.#fill();
    } else this.#written();
  }

  /** The host has filled a block: onto the disk with it. */
  #written(): void {
    const { s } = this;
    const data = s.data.subarray(0, s.to);
    this.wait(this.#store(s.at, data), (good) => {
      if (!good) return this.#broken(ER.ABORT);
      this.#advance(data.length / SECTOR);
      if (s.left === 0) return this.ok();
      s.data = new Uint8Array(Math.min(s.block, s.left) * SECTOR);
      this.offer(0, s.data.length);
      this.interrupt();
    });
  }
  async #store(at: number, data: Uint8Array): Promise<void> {
    await this.#disk.write(at * SECTOR, data);
    if (this.s.through) await this.#disk.flush();
  }

  protected transfer(): void {
    const { s, bus } = this;
    if (bus === undefined) return;
    if (s.phase === "dma-trim") return this.#trim();
    const { list, short, more } = bus.pieces(s.left * SECTOR);
    const room = list.reduce((sum, { length }) => sum + length, 0);
    const sectors = Math.floor(room / SECTOR);
    this.#piece(list, 0, 0, sectors, short, more);
  }

  /** Moves up to a chunk, and goes on until `sectors` are through. `at` bytes of piece `n` have been used. */
  #piece(
    list: readonly { at: number; length: number }[],
    n: number,
    at: number,
    sectors: number,
    short: boolean,
    more: boolean,
  ): void {
    const { s } = this;
    if (sectors === 0) return this.#dmaEnd(short, more);
    const count = Math.min(sectors, DMA / SECTOR);
    const lane = this.#lanes.take();
    const data = lane.subarray(0, count * SECTOR);
    const cursor = { n, at };
    const write = s.phase === "dma-write";
    if (write) this.#walk(list, cursor, data, true);
    const then = (good: boolean): void => {
      if (!good) {
        this.bus?.done(false);
        return this.#broken(write ? ER.ABORT : ER.UNCORRECTABLE);
      }
      if (!write) this.#walk(list, cursor, data, false);
      this.#lanes.give(lane);
      this.#advance(count);
      this.#piece(list, cursor.n, cursor.at, sectors - count, short, more);
    };
    if (write) this.wait(this.#store(s.at, data), then);
    else if (this.#disk.readNow(s.at * SECTOR, [data])) then(true);
    else this.wait(this.#disk.read(s.at * SECTOR, data), then);
  }
  /** Copies between memory and `data` along the list. */
  #walk(
    list: readonly { at: number; length: number }[],
    cursor: { n: number; at: number },
    data: Uint8Array,
    fetch: boolean,
  ): void {
    for (let done = 0; done < data.length;) {
      const piece = list[cursor.n];
      if (piece === undefined) return;
      const length = Math.min(piece.length - cursor.at, data.length - done);
      const part = data.subarray(done, done + length);
      if (fetch) this.bus?.read(piece.at + cursor.at, part);
      else this.bus?.write(piece.at + cursor.at, part);
      done += length;
      cursor.at += length;
      if (cursor.at < piece.length) continue;
      cursor.n++;
      cursor.at = 0;
    }
  }
  #dmaEnd(short: boolean, more: boolean): void {
    const { s, bus } = this;
    if (!short) {
      this.ok();
      bus?.done(more);
      return;
    }
    // The table ended before the data: the engine stops, and nobody is told.
    s.phase = "idle";
    s.status = ST.READY | ST.SEEK;
    bus?.done(false);
  }

  /** TRIM: ranges of 48 bits of address and 16 of count, eight bytes each. */
  #trim(): void {
    const { s, bus } = this;
    const sectors = Math.min(s.left, 8);
    const { list, short, more } = bus!.pieces(sectors * SECTOR);
    const data = new Uint8Array(sectors * SECTOR);
    this.#walk(list, { n: 0, at: 0 }, data, true);
    if (short) return this.#dmaEnd(true, false);
    const view = new DataView(data.buffer);
    const ranges: [number, number][] = [];
    for (let n = 0; n < data.length; n += 8) {
      const count = view.getUint16(n + 6, true);
      const at = view.getUint32(n, true) + view.getUint16(n + 4, true) * 2 ** 32;
      if (count === 0) continue;
      if (at + count > this.total) {
        bus!.done(false);
        return this.fail(ER.NOT_FOUND);
      }
      ranges.push([at, count]);
    }
    const discard = async (): Promise<void> => {
      for (const [at, count] of ranges) await this.#disk.discard(at * SECTOR, count * SECTOR);
    };
    this.wait(discard(), (good) => {
      bus?.done(more);
      if (good) this.ok();
      else this.fail();
    });
  }
}
