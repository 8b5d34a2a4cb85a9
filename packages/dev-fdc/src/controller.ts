import type { IsaDmaChannel, IsaDmaHandler } from "@mimus/bus-isa";
import type { Stateful } from "@mimus/machine-core";
import { COMMAND, commandOf, OPTION, ST0 } from "./commands.ts";
import type { FloppyDrive } from "./drive.ts";
import type { FdcState } from "./state.ts";
import { State } from "./state.ts";
import { Transfer } from "./transfer.ts";

/** Bits of the digital output register. */
const DOR = { DRIVE: 3, NOT_RESET: 4, DMA: 8 } as const;
/** Bits of the main status register. */
const MSR = { BUSY: 0x10, NON_DMA: 0x20, FROM_CONTROLLER: 0x40, READY: 0x80 } as const;
const DSR_RESET = 0x80;
/** Of CONFIGURE: the head is moved by the commands that need it. */
const IMPLIED_SEEK = 0x40;
const VERSION = 0x90;
const PART = 0x41;

const CMOS_TYPES = { none: 0, "120": 2, "144": 4, "288": 5 } as const;

/** The pins of an {@link Fdc}. */
export interface FdcPins {
  irq(level: boolean): void;
  /** The DMA channel, when there is one. */
  dma(): IsaDmaChannel | undefined;
  /** Calls `fn` in a moment of guest time, in place of an earlier one. */
  soon(fn: () => void): void;
}

/**
 * The floppy disk controller of PCs, an 82078: four drives, all commands, DMA and programmed transfers. Heads move and disks turn in no time.
 * Source: Intel 82078 CHMOS single-chip floppy disk controller, data sheet 290475.
 */
export class Fdc implements Stateful {
  readonly drives: (FloppyDrive | undefined)[] = [undefined, undefined, undefined, undefined];
  readonly #pins: FdcPins;
  readonly #transfer: Transfer;
  #s: FdcState = State.parse({});

  constructor(pins: FdcPins) {
    this.#pins = pins;
    this.#transfer = new Transfer({
      drive: () => this.drives[this.#selected()],
      finish: (st0, st1, st2) => this.#finish(st0, st1, st2),
      ready: () => this.#request(),
      soon: (fn) => pins.soon(fn),
      impliedSeek: () => (this.#s.config & IMPLIED_SEEK) !== 0,
    });
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse({ ...this.#s, buffer: this.#s.buffer.slice(), bytes: [...this.#s.bytes] });
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.#request(false);
    this.#pins.irq(this.#s.interrupt && (this.#s.dor & DOR.DMA) !== 0);
    this.#transfer.attach(this.#s);
  }

  /** Kinds of drive A and B as a PC's CMOS memory codes them; 0 for none. Source: IBM PC AT Technical Reference, "Diskette drive type byte". */
  get cmosTypes(): readonly [number, number] {
    const code = (n: number): number => CMOS_TYPES[this.drives[n]?.kind ?? "none"];
    return [code(0), code(1)];
  }

  /** A register at offset 0 to 7 from port 3F0. */
  read(offset: number): number {
    const s = this.#s;
    switch (offset & 7) {
      case 0:
        return s.interrupt ? 0x80 : 0;
      case 1:
        return 0xc0 | ((s.dor >> 4) & 3);
      case 2:
        return s.dor;
      case 3:
        return s.tdr;
      case 4:
        return this.#status();
      case 5:
        return this.#readData();
      case 7:
        return this.drives[s.dor & DOR.DRIVE]?.changed === true ? 0x80 : 0;
      default:
        return 0xff;
    }
  }

  write(offset: number, value: number): void {
    const s = this.#s;
    switch (offset & 7) {
      case 2:
        this.#writeOutput(value);
        break;
      case 3:
        s.tdr = value & 3;
        break;
      case 4:
        if (value & DSR_RESET) this.#softReset();
        this.#s.dsr = value & 0x7f;
        break;
      case 5:
        if (s.dor & DOR.NOT_RESET) this.#writeData(value);
        break;
      case 7:
        s.dsr = (s.dsr & ~3) | (value & 3);
        break;
      default: // read only
    }
  }

  /** What the DMA controller calls. */
  readonly handler: IsaDmaHandler = { transfer: (t) => this.#transfer.dma(t) };

  #selected(): number {
    const { phase, bytes } = this.#s;
    return phase === "execution" ? (bytes[1] ?? 0) & 3 : this.#s.dor & DOR.DRIVE;
  }

  #nonDma(): boolean {
    return (this.#s.specify[1] & 1) !== 0;
  }

  #status(): number {
    const s = this.#s;
    if (!(s.dor & DOR.NOT_RESET)) return 0;
    if (s.phase === "command") return MSR.READY | (s.bytes.length > 0 ? MSR.BUSY : 0);
    if (s.phase === "result") return MSR.READY | MSR.BUSY | MSR.FROM_CONTROLLER;
    if (!this.#nonDma()) return MSR.BUSY;
    if (!this.#transfer.waiting) return MSR.BUSY | MSR.NON_DMA;
    return MSR.BUSY | MSR.NON_DMA | MSR.READY | (this.#transfer.toHost ? MSR.FROM_CONTROLLER : 0);
  }

  #writeOutput(value: number): void {
    const s = this.#s;
    const was = s.dor;
    s.dor = value;
    if (!(value & DOR.NOT_RESET)) this.#stop();
    else if (!(was & DOR.NOT_RESET)) this.#softReset();
    if ((was ^ value) & DOR.DMA) this.#pins.irq(s.interrupt && (value & DOR.DMA) !== 0);
  }

  /** What goes on ends without a result. */
  #stop(): void {
    const s = this.#s;
    this.#transfer.cancel();
    this.#request(false);
    s.phase = "command";
    s.bytes = [];
    s.seeked = -1;
    s.resets = 0;
    this.#interrupt(false);
  }

  /** Source: 82078, 4.1 "Reset": the drives' status has changed, as four interrupts tell. */
  #softReset(): void {
    const s = this.#s;
    this.#stop();
    if (!s.lock) {
      s.config = 0;
      s.pretrack = 0;
    }
    s.perpendicular = 0;
    for (const drive of this.drives) drive?.home();
    s.resets = 4;
    this.#interrupt(true);
  }

  #interrupt(on: boolean): void {
    this.#s.interrupt = on;
    this.#pins.irq(on && (this.#s.dor & DOR.DMA) !== 0);
  }

  /** The transfer has data, or room for it: asks for DMA, or interrupts. */
  #request(on: boolean = this.#transfer.waiting): void {
    if (on && this.#nonDma()) {
      this.#interrupt(true);
      return;
    }
    const channel = this.#pins.dma();
    if (channel === undefined) return;
    if (on) channel.attach(this.handler);
    channel.setRequest(on);
  }

  #readData(): number {
    const s = this.#s;
    if (s.phase === "result") {
      this.#interrupt(false);
      const value = s.bytes.shift() ?? 0;
      if (s.bytes.length === 0) s.phase = "command";
      return value;
    }
    if (s.phase === "execution" && this.#nonDma() && this.#transfer.waiting && this.#transfer.toHost) {
      this.#interrupt(false);
      return this.#transfer.get();
    }
    return 0;
  }

  #writeData(value: number): void {
    const s = this.#s;
    if (s.phase === "result") return;
    if (s.phase === "execution") {
      if (this.#nonDma() && this.#transfer.waiting && !this.#transfer.toHost) {
        this.#interrupt(false);
        this.#transfer.put(value);
      }
      return;
    }
    s.bytes.push(value);
    const first = s.bytes[0] as number;
    const command = commandOf(first);
    if (command === undefined) {
      this.#result(ST0.INVALID);
      return;
    }
    const { code, length } = command;
    const done = code === COMMAND.DRIVE_SPEC && s.bytes.length > 1 && (value & 0x80) !== 0;
    if (s.bytes.length < length && !done) return;
    this.#run(code);
  }

  /** Results to be read, without an interrupt; none: the command is over. */
  #result(...bytes: number[]): void {
    const s = this.#s;
    s.bytes = bytes;
    s.phase = bytes.length > 0 ? "result" : "command";
  }

  #run(code: number): void {
    const s = this.#s;
    const b = s.bytes;
    const p = (n: number): number => b[n] ?? 0;
    const n = p(1) & 3;
    const drive = this.drives[n];
    switch (code) {
      case COMMAND.SPECIFY:
        s.specify = [p(1), p(2)];
        return this.#result();
      case COMMAND.SENSE_DRIVE:
        return this.#result((p(1) & 7) | 0x28 | (drive?.readOnly ? 0x40 : 0) | ((drive?.track ?? 1) === 0 ? 0x10 : 0));
      case COMMAND.RECALIBRATE:
        return this.#seek(n, 0, drive === undefined);
      case COMMAND.SEEK:
        return this.#seek(p(1) & 7, p(2));
      case COMMAND.SEEK_OUT:
        return this.#seek(p(1) & 7, (drive?.track ?? 0) - p(2));
      case COMMAND.SEEK_IN:
        return this.#seek(p(1) & 7, (drive?.track ?? 0) + p(2));
      case COMMAND.SENSE_INTERRUPT:
        return this.#senseInterrupt();
      case COMMAND.DUMP:
        return this.#result(...this.#dump());
      case COMMAND.VERSION:
        return this.#result(VERSION);
      case COMMAND.PART_ID:
        return this.#result(PART);
      case COMMAND.PERPENDICULAR:
        // Without OW the drives' own bits stay.
        s.perpendicular = p(1) & 0x80 ? p(1) & 0x3f : (s.perpendicular & 0x3c) | (p(1) & 3);
        return this.#result();
      case COMMAND.CONFIGURE:
        s.config = p(2);
        s.pretrack = p(3);
        return this.#result();
      case COMMAND.LOCK:
        s.lock = (p(0) & OPTION.LOCK) !== 0;
        return this.#result(s.lock ? 0x10 : 0);
      case COMMAND.POWERDOWN:
        s.power = p(1);
        return this.#result(p(1));
      case COMMAND.OPTION:
        s.option = p(1);
        return this.#result();
      case COMMAND.DRIVE_SPEC:
        return this.#result(...((b.at(-1) ?? 0) & 0x40 ? [0, 0, 0, 0] : []));
      case COMMAND.SAVE:
        return this.#result(0, 0, ...this.#dump(), 0, 0, 0, 0);
      case COMMAND.RESTORE:
        this.#restore(b);
        return this.#result();
      default:
        s.phase = "execution";
        s.eot = p(6);
        this.#transfer.start(code, s);
    }
  }

  #seek(target: number, track: number, absent = false): void {
    const s = this.#s;
    this.drives[target & 3]?.seek(track);
    // A head that finds no track 0 makes the controller give up. Source: 82078, 5.2.3.
    s.seeked = ST0.SEEK_END | (absent ? ST0.ABNORMAL | 0x10 : 0) | target;
    this.#result();
    this.#interrupt(true);
  }

  #senseInterrupt(): void {
    const s = this.#s;
    if (s.resets > 0) {
      const n = 4 - s.resets--;
      this.#result(ST0.CHANGED | n, this.drives[n]?.track ?? 0);
    } else if (s.seeked >= 0) {
      this.#result(s.seeked, this.drives[s.seeked & 3]?.track ?? 0);
      s.seeked = -1;
    } else {
      this.#result(ST0.INVALID);
      return;
    }
    this.#interrupt(false);
  }

  #dump(): number[] {
    const s = this.#s;
    return [
      ...this.drives.map((drive) => drive?.track ?? 0),
      ...s.specify,
      s.eot,
      (s.lock ? 0x80 : 0) | s.perpendicular,
      s.config,
      s.pretrack,
    ];
  }

  #restore(b: readonly number[]): void {
    const s = this.#s;
    for (let n = 0; n < 4; n++) this.drives[n]?.seek(b[3 + n] ?? 0);
    s.specify = [b[7] ?? 0, b[8] ?? 0];
    s.eot = b[9] ?? 0;
    s.lock = ((b[10] ?? 0) & 0x80) !== 0;
    s.perpendicular = (b[10] ?? 0) & 0x3f;
    s.config = b[11] ?? 0;
    s.pretrack = b[12] ?? 0;
  }

  /** A transfer is over: seven bytes of result, and an interrupt. */
  #finish(st0: number, st1: number, st2: number): void {
    const s = this.#s;
    this.#request(false);
    const target = (s.bytes[1] ?? 0) & 3;
    this.#result(st0 | (s.head << 2) | target, st1, st2, s.cylinder, s.head, s.sector, 2);
    this.#interrupt(true);
  }
}
