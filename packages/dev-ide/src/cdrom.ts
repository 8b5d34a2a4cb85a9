import { type BlockBackend, Lanes } from "@mimus/block";
import { type Identity, identifyPacket } from "./identify.ts";
import { BLOCK, rawSector, SENSE } from "./mmc.ts";
import { ALWAYS, type Commands, NEEDS_MEDIUM, packetCommands } from "./packet-commands.ts";
import { C, CHUNK, ER, ST } from "./spec.ts";
import { Unit } from "./unit.ts";

/** Interrupt reason, in the sector count register: command or data, to the host. */
const REASON = { COMMAND: 1, IN: 2 } as const;
const PACKET = 12;
/** Blocks that are read at once. */
const AHEAD: number = CHUNK / 2 / BLOCK;

/** A CD-ROM and DVD-ROM drive. Source: ATA/ATAPI-7 volume 2, chapters on PACKET; MMC-5. */
export class AtapiCdrom extends Unit {
  readonly #id: Identity;
  readonly #backend: BlockBackend | undefined;
  readonly #lanes: Lanes = new Lanes(AHEAD * BLOCK, 1);
  readonly #commands: Commands;

  constructor(drive: BlockBackend | undefined, id: Identity) {
    super(drive);
    this.#backend = drive;
    this.#id = id;
    this.#commands = packetCommands({
      state: () => this.s,
      id,
      blocks: () => this.#blocks,
      inserted: () => drive?.node !== undefined,
      good: () => this.#good(),
      bad: (sense) => this.#bad(sense),
      answer: (data, room) => this.#answer(data, room),
      begin: (at, count, bytes) => this.#begin(at, count, bytes),
    });
    this.reset();
    if (drive !== undefined) drive.onResize = () => this.mediumChanged();
  }

  get #blocks(): number {
    return this.s.open || this.#backend?.node === undefined ? 0 : Math.floor(this.#backend.size / BLOCK);
  }

  /** Another medium, or none, is in the drive; its tray is closed. */
  mediumChanged(): void {
    const { s } = this;
    s.open = false;
    s.attention = s.newMedia = this.#backend?.node !== undefined;
  }

  signature(): void {
    const { s } = this;
    s.count = s.sector = 1;
    s.low = 0x14;
    s.high = 0xeb;
    s.status = 0;
  }

  command(code: number): void {
    const { s } = this;
    switch (code) {
      case C.PACKET:
        if ((s.feature & 2) !== 0) return this.fail();
        s.packetDma = (s.feature & 1) !== 0;
        if (s.packetDma && this.bus === undefined) return this.fail();
        s.byteLimit = s.low | (s.high << 8);
        s.phase = "packet";
        s.data = new Uint8Array(PACKET);
        s.count = REASON.COMMAND;
        this.offer(0, PACKET);
        return;
      case C.IDENTIFY_PACKET:
        return this.reply(identifyPacket(this.#id, s.mode, this.bus !== undefined));
      case C.DEVICE_RESET: {
        const { device } = s;
        this.softReset();
        s.device = device & 0x10;
        return;
      }
      case C.SET_FEATURES:
        if (s.feature === 0x03) {
          if (s.count >> 3 >= 2) s.mode = s.count;
          return this.ok();
        }
        return s.feature === 0xcc || s.feature === 0x66 ? this.ok() : this.fail();
      case C.CHECK_POWER:
        s.count = 0xff;
        return this.ok();
      case C.STANDBY_NOW:
      case C.STANDBY_NOW + 1:
      case C.SLEEP:
      case C.FLUSH:
        return this.ok();
      case C.IDENTIFY:
      case C.READ:
        // The signature tells what it is: ATA/ATAPI-7 volume 1, 6.17.5.
        this.signature();
        return this.fail();
      default:
        return this.fail();
    }
  }

  // ---- the end of a packet command

  #good(): void {
    this.s.senseKey = this.s.senseCode = 0;
    this.s.count = REASON.COMMAND | REASON.IN;
    this.ok();
  }
  #bad([key, code]: readonly [number, number]): void {
    const { s } = this;
    s.senseKey = key;
    s.senseCode = code;
    s.count = REASON.COMMAND | REASON.IN;
    this.fail((key << 4) | (key === 5 ? ER.ABORT : 0));
  }
  /** Data for the host, at most as much as it has room for. */
  #answer(data: Uint8Array, room: number): void {
    const { s } = this;
    s.data = data.slice(0, room);
    s.left = 0;
    if (s.data.length === 0) return this.#good();
    this.#send();
  }
  /** Sends `data`, of which nothing has been sent. */
  #send(): void {
    const { s } = this;
    if (s.packetDma) {
      this.startDma("dma-packet");
      return;
    }
    s.phase = "packet-in";
    this.#burst(0);
  }
  /** A block as large as the host's limit. */
  #burst(from: number): void {
    const { s } = this;
    let limit = s.byteLimit === 0 || s.byteLimit === 0xffff ? 0xfffe : s.byteLimit;
    const left = s.data.length - from;
    if (limit < left) limit &= ~1;
    const length = Math.max(1, Math.min(limit, left));
    s.low = length & 0xff;
    s.high = length >> 8;
    s.count = REASON.IN;
    this.offer(from, from + length);
    this.interrupt();
  }

  protected moved(): void {
    const { s } = this;
    if (s.phase === "reply") {
      s.phase = "idle";
      s.status = ST.READY | ST.SEEK;
    } else if (s.phase === "packet") {
      s.phase = "idle";
      this.#packet(s.data);
    } else if (s.phase === "packet-in") {
      if (s.to < s.data.length) this.#burst(s.to);
      else if (s.left > 0) this.#read();
      else this.#good();
    }
  }

  protected transfer(): void {
    const { s, bus } = this;
    if (bus === undefined) return;
    const total = s.data.length + s.left * s.sectorBytes;
    const { list, short, more } = bus.pieces(total);
    const room = list.reduce((sum, { length }) => sum + length, 0);
    let n = 0;
    let at = 0;
    const store = (): void => {
      for (let done = 0; done < s.data.length;) {
        const piece = list[n];
        if (piece === undefined) return;
        const length = Math.min(piece.length - at, s.data.length - done);
        bus.write(piece.at + at, s.data.subarray(done, done + length));
        done += length;
        at += length;
        if (at < piece.length) continue;
        n++;
        at = 0;
      }
    };
    const next = (): void => {
      store();
      if (s.left > 0 && list[n] !== undefined) return this.#load(next);
      // A table that is too short for the data of a packet command is no error: the host knows the length.
      bus.done(more);
      if (short && room === 0) this.#bad(SENSE.READ_ERROR);
      else this.#good();
    };
    if (s.data.length > 0) next();
    else this.#load(next);
  }

  /** Reads the next blocks into `data`. */
  #load(then: () => void): void {
    const { s } = this;
    const backend = this.#backend;
    const count = Math.min(s.left, AHEAD);
    if (backend === undefined || s.at + count > this.#blocks) return this.#bad(SENSE.OUT_OF_RANGE);
    const lane = s.phase === "dma-packet" ? this.#lanes.take() : undefined;
    const data = lane?.subarray(0, count * BLOCK) ?? new Uint8Array(count * BLOCK);
    this.wait(backend.read(s.at * BLOCK, data), (good) => {
      if (!good) {
        this.bus?.done(false);
        return this.#bad(SENSE.READ_ERROR);
      }
      // What `then` stores it stores before the next take.
      if (lane !== undefined) this.#lanes.give(lane);
      s.data = s.sectorBytes === BLOCK ? data : this.#raw(data);
      s.at += count;
      s.left -= count;
      then();
    });
  }
  #raw(data: Uint8Array): Uint8Array {
    const { s } = this;
    const out = new Uint8Array((data.length / BLOCK) * s.sectorBytes);
    for (let n = 0; n * BLOCK < data.length; n++)
      out.set(rawSector(s.at + n, data.subarray(n * BLOCK, (n + 1) * BLOCK)), n * s.sectorBytes);
    return out;
  }
  #read(): void {
    this.#load(() => this.#send());
  }

  /** Starts to read `count` blocks of which the host wants `bytes` each. */
  #begin(at: number, count: number, bytes: number): void {
    const { s } = this;
    if (count === 0) return this.#good();
    if (at + count > this.#blocks) return this.#bad(SENSE.OUT_OF_RANGE);
    s.at = at;
    s.left = count;
    s.sectorBytes = bytes;
    s.data = new Uint8Array(0);
    if (s.packetDma) this.startDma("dma-packet");
    else this.#read();
  }

  #packet(p: Uint8Array): void {
    const { s } = this;
    const op = p[0]!;
    if (s.attention && !ALWAYS.has(op)) {
      s.attention = false;
      return this.#bad(SENSE.MEDIUM_CHANGED);
    }
    if (this.#blocks === 0 && NEEDS_MEDIUM.has(op)) return this.#bad(SENSE.NOT_READY);
    const command = this.#commands[op];
    if (command === undefined) return this.#bad(SENSE.ILLEGAL_OPCODE);
    command(p, new DataView(p.buffer, p.byteOffset, PACKET));
  }
}
