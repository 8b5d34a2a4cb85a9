import type { IsaDmaTransfer } from "@mimus/bus-isa";
import { COMMAND, OPTION, ST0, ST1, ST2 } from "./commands.ts";
import type { FloppyDrive } from "./drive.ts";
import { SECTOR } from "./geometry.ts";
import type { FdcState } from "./state.ts";

/** What a transfer needs of its controller. */
export interface TransferHost {
  /** The drive that the command names. */
  drive(): FloppyDrive | undefined;
  finish(st0: number, st1: number, st2: number): void;
  /** {@link Transfer.waiting} has changed. */
  ready(): void;
  impliedSeek(): boolean;
  /** Calls `fn` in a moment of guest time: no disk answers before the command is over. */
  soon(fn: () => void): void;
}

type Kind = "read" | "write" | "format" | "scan" | "verify" | "id";

function kindOf(code: number): Kind {
  switch (code) {
    case COMMAND.READ:
    case COMMAND.READ_DELETED:
    case COMMAND.READ_TRACK:
      return "read";
    case COMMAND.WRITE:
    case COMMAND.WRITE_DELETED:
      return "write";
    case COMMAND.FORMAT:
      return "format";
    case COMMAND.VERIFY:
      return "verify";
    case COMMAND.READ_ID:
      return "id";
    default:
      return "scan";
  }
}

/**
 * The execution phase: moves sectors between a drive and the host, a cylinder's rest at a time. The disk is read and written while the
 * guest runs on. Source: Intel 82078 data sheet, 5.1 "Data transfer commands".
 */
export class Transfer {
  readonly #host: TransferHost;
  #s!: FdcState;
  #kind: Kind = "read";
  #code = 0;
  /** Counts transfers: what an older one still does is ignored. */
  #turn = 0;
  #waiting = false;
  /** The host says that it has moved all. */
  #terminal = false;
  /** A scan: whether all bytes were equal so far, and whether the condition holds. */
  #equal = true;
  #satisfied = true;

  constructor(host: TransferHost) {
    this.#host = host;
  }

  /** Whether bytes are there for the host, or wanted from it. */
  get waiting(): boolean {
    return this.#waiting;
  }
  get toHost(): boolean {
    return this.#kind === "read";
  }

  cancel(): void {
    this.#turn++;
    this.#waiting = false;
  }

  /** Takes a state that was loaded; a transfer that went on starts its piece again. */
  attach(s: FdcState): void {
    this.#s = s;
    this.cancel();
    if (s.phase !== "execution") return;
    const { sector, cylinder, head } = s;
    this.#prepare((s.bytes[0] ?? 0) & 0x1f);
    if (this.#kind === "format" || this.#kind === "id") {
      this.#end(ST0.ABNORMAL, ST1.NO_DATA);
      return;
    }
    [s.sector, s.cylinder, s.head] = [sector, cylinder, head];
    this.#piece();
  }

  start(code: number, s: FdcState): void {
    this.#s = s;
    this.cancel();
    this.#prepare(code);
    const drive = this.#host.drive();
    const geometry = drive?.geometry;
    if (drive === undefined || geometry === undefined) {
      this.#end(ST0.ABNORMAL, ST1.NO_DATA | ST1.NO_ADDRESS);
      return;
    }
    if ((s.dsr & 3) !== geometry.rate) {
      this.#end(ST0.ABNORMAL, ST1.NO_ADDRESS);
      return;
    }
    const writes = this.#kind === "write" || this.#kind === "format";
    if (writes && drive.readOnly) {
      this.#end(ST0.ABNORMAL, ST1.PROTECTED);
      return;
    }
    switch (this.#kind) {
      case "id":
        s.cylinder = drive.track;
        s.sector = 1;
        if (drive.sectorNumber(drive.track, s.head, 1) === undefined)
          this.#end(ST0.ABNORMAL, ST1.NO_ADDRESS | ST1.NO_DATA);
        else this.#end(0);
        return;
      case "format":
        s.cylinder = drive.track;
        s.buffer = new Uint8Array(4 * (s.bytes[3] ?? 0));
        s.at = 0;
        if (s.buffer.length === 0) this.#end(0);
        else this.#wait();
        return;
      default:
        if (!this.#find(drive)) return;
        this.#piece();
    }
  }

  #prepare(code: number): void {
    const s = this.#s;
    const b = s.bytes;
    this.#code = code;
    this.#kind = kindOf(code);
    this.#terminal = false;
    this.#equal = this.#satisfied = true;
    s.head = ((b[1] ?? 0) >> 2) & 1;
    if (this.#kind === "format" || this.#kind === "id") return;
    s.cylinder = b[2] ?? 0;
    s.head = (b[3] ?? 0) & 1;
    s.sector = code === COMMAND.READ_TRACK ? 1 : (b[4] ?? 0);
    s.eot = b[6] ?? 0;
  }

  /** Whether the head is where the command wants it; moves it when the controller is set up to. */
  #find(drive: FloppyDrive): boolean {
    const s = this.#s;
    if ((s.bytes[5] ?? 0) !== 2) {
      this.#end(ST0.ABNORMAL, ST1.NO_DATA); // sectors have 512 bytes
      return false;
    }
    if (this.#host.impliedSeek()) drive.seek(s.cylinder);
    if (drive.track !== s.cylinder) {
      this.#end(ST0.ABNORMAL, ST1.NO_DATA, ST2.WRONG_CYLINDER);
      return false;
    }
    return true;
  }

  get #multi(): boolean {
    return this.#code !== COMMAND.READ_TRACK && ((this.#s.bytes[0] ?? 0) & OPTION.MULTI) !== 0;
  }

  /** Sectors from the present one to the last of the track or, with MT, of the cylinder. */
  #left(): number {
    const s = this.#s;
    const here = Math.max(0, s.eot - s.sector + 1);
    return this.#multi && s.head === 0 ? here + s.eot : here;
  }

  /** The next piece: as many sectors as follow each other on the disk. */
  #piece(): void {
    const s = this.#s;
    const drive = this.#host.drive();
    const first = drive?.sectorNumber(s.cylinder, s.head, s.sector);
    const sectors = drive?.geometry?.sectors ?? 0;
    if (drive === undefined || first === undefined || s.sector > s.eot) {
      this.#end(ST0.ABNORMAL, ST1.NO_DATA);
      return;
    }
    const count = Math.min(s.eot, sectors) - s.sector + 1;
    s.at = 0;
    s.buffer = new Uint8Array(count * SECTOR);
    if (this.#kind === "write") this.#wait();
    else
      this.#disk(drive.read(first, s.buffer), () => {
        if (this.#kind === "verify") this.#verified();
        else this.#wait();
      });
  }

  /** Goes on with `then` when the disk has done its part. */
  #disk(work: Promise<void> | undefined, then: () => void): void {
    const turn = this.#turn;
    const go = (): void => {
      if (turn === this.#turn) then();
    };
    if (work === undefined) {
      this.#host.soon(go);
      return;
    }
    work.then(go, () => {
      if (turn === this.#turn) this.#end(ST0.ABNORMAL, ST1.DATA_ERROR, ST2.DATA_ERROR);
    });
  }

  #wait(): void {
    this.#waiting = true;
    this.#host.ready();
  }

  /** The DMA controller moves what it can. */
  dma(t: IsaDmaTransfer): void {
    if (!this.#waiting) return;
    const s = this.#s;
    const most = Math.min(s.buffer.length - s.at, t.length - t.position);
    if (this.toHost) {
      if (t.mode === "write") t.write(s.buffer, s.at, most);
      s.at += most;
    } else if (this.#kind === "scan") {
      const bytes = new Uint8Array(most);
      if (t.mode === "read") t.read(bytes, 0, most);
      for (const byte of bytes) this.#compare(byte);
    } else {
      if (t.mode === "read") t.read(s.buffer, s.at, most);
      s.at += most;
    }
    // Behind its end the channel may start anew.
    this.#terminal = t.position + most >= t.length;
    t.advance(most);
    if (this.#terminal || s.at >= s.buffer.length) this.#emptied();
  }

  /** A byte of a programmed transfer to the host. */
  get(): number {
    const s = this.#s;
    const value = s.buffer[s.at++] ?? 0;
    if (s.at >= s.buffer.length) this.#emptied();
    else this.#host.ready();
    return value;
  }

  /** A byte of a programmed transfer from the host. */
  put(value: number): void {
    const s = this.#s;
    if (this.#kind === "scan") this.#compare(value);
    else s.buffer[s.at++] = value;
    if (s.at >= s.buffer.length) this.#emptied();
    else this.#host.ready();
  }

  /** Source: 82078, 5.1.7: FF from the host matches anything. */
  #compare(byte: number): void {
    const s = this.#s;
    const disk = s.buffer[s.at++] ?? 0;
    if (byte === 0xff || byte === disk) return;
    this.#equal = false;
    const holds = this.#code === COMMAND.SCAN_LOW ? disk <= byte : this.#code === COMMAND.SCAN_HIGH && disk >= byte;
    if (!holds) this.#satisfied = false;
  }

  /** The buffer has gone through, or the host has had enough. */
  #emptied(): void {
    const s = this.#s;
    this.#waiting = false;
    this.#host.ready();
    if (this.#kind === "format") {
      this.#format();
      return;
    }
    const sectors = Math.ceil(s.at / SECTOR);
    if (this.#kind !== "write" || sectors === 0) {
      this.#next(sectors);
      return;
    }
    const drive = this.#host.drive();
    const first = drive?.sectorNumber(s.cylinder, s.head, s.sector);
    if (drive === undefined || first === undefined) this.#end(ST0.ABNORMAL, ST1.NO_DATA);
    // What the host did not give of the last sector is zero.
    else this.#disk(drive.write(first, s.buffer.slice(0, sectors * SECTOR)), () => this.#next(sectors));
  }

  /** Moves on by sectors of this track; ends at the host's word, or after the last sector. */
  #next(sectors: number): void {
    const s = this.#s;
    const scanned = this.#kind === "scan" && (this.#equal || this.#satisfied);
    const over = this.#terminal || scanned;
    s.sector += sectors;
    let end = false;
    if (s.sector > s.eot) {
      s.sector = 1;
      if (this.#multi && s.head === 0) s.head = 1;
      else {
        end = true;
        s.cylinder = (s.cylinder + 1) & 0xff;
        if (this.#multi) s.head = 0;
      }
    }
    const st2 = this.#kind === "scan" ? (this.#equal ? ST2.EQUAL : this.#satisfied ? 0 : ST2.NOT_SATISFIED) : 0;
    if (over) this.#end(0, 0, st2);
    else if (end) this.#end(ST0.ABNORMAL, ST1.END, st2);
    else {
      this.#equal = this.#satisfied = true;
      this.#piece();
    }
  }

  /** A verify reads to the end of the track or cylinder, or as many sectors as it was told. */
  #verified(): void {
    const s = this.#s;
    const counted = ((s.bytes[1] ?? 0) & 0x80) !== 0;
    const wanted = counted ? (s.bytes[8] ?? 0) : this.#left();
    const sectors = Math.min(wanted, s.buffer.length / SECTOR);
    if (counted) s.bytes[8] = wanted - sectors;
    this.#terminal = wanted <= sectors;
    this.#next(sectors);
  }

  /** Fills the sectors that the host has named. Source: 82078, 5.1.6. */
  #format(): void {
    const s = this.#s;
    const drive = this.#host.drive();
    if (drive === undefined) {
      this.#end(ST0.ABNORMAL, ST1.NO_DATA);
      return;
    }
    const fill = new Uint8Array(SECTOR).fill(s.bytes[5] ?? 0);
    const work: Promise<void>[] = [];
    for (let n = 0; n + 4 <= s.at; n += 4) {
      const [cylinder = 0, head = 0, sector = 0] = s.buffer.subarray(n, n + 4);
      const number = drive.sectorNumber(cylinder, head, sector);
      if (number !== undefined && cylinder === drive.track && head === s.head) work.push(drive.write(number, fill));
    }
    this.#disk(
      Promise.all(work).then(() => {}),
      () => this.#end(0),
    );
  }

  #end(st0: number, st1 = 0, st2 = 0): void {
    this.cancel();
    this.#s.buffer = new Uint8Array(0);
    this.#s.at = 0;
    this.#host.finish(st0, st1, st2);
  }
}
