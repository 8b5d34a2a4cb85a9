import { z } from "zod";
import type { Registers, Stateful } from "@mimus/machine-core";

/** The receive FIFO is 16 bytes deep; so is the transmit FIFO. Source: TI PC16550D (SNLS378C), "FIFO mode operation". */
const DEPTH = 16;

/** Everything that a snapshot holds. Defaults are the values after master reset (SNLS378C, table "UART reset configuration"). */
const State = z
  .strictObject({
    ier: z.uint32().max(0x0f).default(0),
    lcr: z.uint32().max(0xff).default(0),
    mcr: z.uint32().max(0x1f).default(0),
    fcr: z.uint32().max(0xff).default(0),
    scr: z.uint32().max(0xff).default(0),
    divisor: z.uint32().max(0xffff).default(12),
    lineErrors: z.uint32().max(0x1e).default(0),
    modemDelta: z.uint32().max(0x0f).default(0),
    txEmptied: z.boolean().default(false),
    rx: z.array(z.uint32().max(0x1ff)).max(DEPTH).default([]),
    tx: z.array(z.uint32().max(0xff)).max(DEPTH).default([]),
  })
  .meta({ id: "uart16550", version: 1 });
type State = z.infer<typeof State>;

const IER = { RDA: 1, THRE: 2, RLS: 4, MS: 8 } as const;
const IIR = { MS: 0x00, NONE: 0x01, THRE: 0x02, RDA: 0x04, RLS: 0x06, TIMEOUT: 0x0c, FIFOS: 0xc0 } as const;
const FCR = { ENABLE: 1, RX_RESET: 2, TX_RESET: 4, KEPT: 0xc9 } as const;
const LCR = { BREAK: 0x40, DLAB: 0x80 } as const;
const MCR = { DTR: 1, RTS: 2, OUT1: 4, OUT2: 8, LOOP: 0x10 } as const;
const LSR = { DR: 1, OE: 2, BI: 0x10, THRE: 0x20, TEMT: 0x40, FIFO_ERROR: 0x80 } as const;
const MSR = { DCTS: 1, DDSR: 2, TERI: 4, DDCD: 8, CTS: 0x10, DSR: 0x20, RI: 0x40, DCD: 0x80 } as const;
const TRIGGER: readonly number[] = [1, 4, 8, 14];
/** A received character that stands for a break: a zero byte with this flag. */
const BREAK = 0x100;

/** Where the transmitter's bytes go: returns whether the byte was taken. */
export type Transmit = (byte: number) => boolean;

/** The pins and wires of a {@link Uart}. */
export interface UartPins {
  /** The interrupt output. */
  readonly irq: (level: boolean) => void;
  /** The serial output; a byte refused here stays in the transmitter until {@link Uart.transmitReady}. */
  readonly transmit: Transmit;
  /** The receiver has room again. */
  readonly receiveReady?: () => void;
  /** A break condition begins or ends on the serial output. */
  readonly breakOut?: (on: boolean) => void;
}

/**
 * PC16550D universal asynchronous receiver/transmitter: registers in, one interrupt level out. Knows no bus, no file and no clock.
 * Characters take no time, so the four-character receive timeout elapses at once.
 * Source: TI PC16550D data sheet (SNLS378C).
 */
export class Uart implements Registers, Stateful {
  #s: State = State.parse({});
  readonly #pins: UartPins;

  constructor(pins: UartPins) {
    this.#pins = pins;
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.#settle();
  }

  /** How many bytes the receiver takes before it overruns. */
  room(): number {
    if (this.#s.mcr & MCR.LOOP) return 0;
    return this.#capacity() - this.#s.rx.length;
  }

  /** A byte arrived on the wire. In FIFO mode a full receiver keeps the old bytes; without FIFO the new one replaces the old. */
  receive(byte: number): void {
    const s = this.#s;
    if (s.rx.length < this.#capacity()) s.rx.push(byte);
    else {
      s.lineErrors |= LSR.OE;
      if (!(s.fcr & FCR.ENABLE)) s.rx[0] = byte;
    }
    if (s.rx.length === 1) this.#exposeBreak();
    this.#settle();
  }

  /** The line was held at zero for longer than a character. */
  receiveBreak(): void {
    this.receive(BREAK);
  }

  /** The wire takes bytes again: what waited in the transmitter goes out. */
  transmitReady(): void {
    this.#drain();
    this.#settle();
  }

  read(offset: number, _size: number): number {
    const s = this.#s;
    switch (offset & 7) {
      case 0:
        return s.lcr & LCR.DLAB ? s.divisor & 0xff : this.#readData();
      case 1:
        return s.lcr & LCR.DLAB ? s.divisor >>> 8 : s.ier;
      case 2:
        return this.#readCause();
      case 3:
        return s.lcr;
      case 4:
        return s.mcr;
      case 5: {
        const value = this.#lineStatus();
        if (s.lineErrors !== 0) {
          s.lineErrors = 0;
          this.#settle();
        }
        return value;
      }
      case 6: {
        const value = this.#modemInputs() | s.modemDelta;
        s.modemDelta = 0;
        this.#settle();
        return value;
      }
      default:
        return s.scr;
    }
  }

  write(offset: number, _size: number, written: number): void {
    const s = this.#s;
    const value = written & 0xff;
    switch (offset & 7) {
      case 0:
        if (s.lcr & LCR.DLAB) s.divisor = (s.divisor & 0xff00) | value;
        else this.#send(value);
        break;
      case 1:
        if (s.lcr & LCR.DLAB) s.divisor = (s.divisor & 0xff) | (value << 8);
        else {
          // Enabling the interrupt while the transmitter is empty raises it: drivers rely on it to start sending.
          if (value & ~s.ier & IER.THRE && s.tx.length === 0) s.txEmptied = true;
          s.ier = value & 0x0f;
        }
        break;
      case 2:
        this.#writeFifoControl(value);
        break;
      case 3:
        if ((value ^ s.lcr) & LCR.BREAK) this.#pins.breakOut?.((value & LCR.BREAK) !== 0);
        s.lcr = value;
        break;
      case 4:
        this.#writeModemControl(value & 0x1f);
        break;
      case 7:
        s.scr = value;
        break;
      default: // LSR and MSR: factory test only, ignored
    }
    this.#settle();
  }

  #capacity(): number {
    return this.#s.fcr & FCR.ENABLE ? DEPTH : 1;
  }

  #readData(): number {
    const s = this.#s;
    const byte = s.rx.shift();
    if (byte === undefined) return 0;
    this.#exposeBreak();
    this.#settle();
    this.#pins.receiveReady?.();
    return byte & 0xff;
  }

  /** A break is reported when its character reaches the top of the FIFO. */
  #exposeBreak(): void {
    const top = this.#s.rx[0];
    if (top !== undefined && top & BREAK) {
      this.#s.lineErrors |= LSR.BI;
      this.#s.rx[0] = 0;
    }
  }

  #send(byte: number): void {
    const s = this.#s;
    s.txEmptied = false;
    if (s.mcr & MCR.LOOP) {
      this.receive(byte);
      s.txEmptied = true;
      return;
    }
    if (s.tx.length === 0 && this.#pins.transmit(byte)) {
      s.txEmptied = true;
      return;
    }
    if (s.tx.length < this.#capacity()) s.tx.push(byte);
    else s.tx[s.tx.length - 1] = byte; // a full transmitter: the last character written is overwritten
    this.#drain();
  }

  #drain(): void {
    const s = this.#s;
    while (s.tx.length > 0) {
      if (!this.#pins.transmit(s.tx[0] as number)) return;
      s.tx.shift();
      if (s.tx.length === 0) s.txEmptied = true;
    }
  }

  #writeFifoControl(value: number): void {
    const s = this.#s;
    const toggled = ((value ^ s.fcr) & FCR.ENABLE) !== 0;
    if (toggled || value & FCR.RX_RESET) {
      s.rx = [];
      this.#pins.receiveReady?.();
    }
    if (toggled || value & FCR.TX_RESET) {
      if (s.tx.length > 0) s.txEmptied = true;
      s.tx = [];
    }
    // The other bits are programmed only while bit 0 is written as 1.
    s.fcr = value & FCR.ENABLE ? value & FCR.KEPT : 0;
  }

  #writeModemControl(value: number): void {
    const s = this.#s;
    const before = this.#modemInputs();
    const wasLoop = s.mcr & MCR.LOOP;
    s.mcr = value;
    const after = this.#modemInputs();
    const changed = before ^ after;
    if (changed & MSR.CTS) s.modemDelta |= MSR.DCTS;
    if (changed & MSR.DSR) s.modemDelta |= MSR.DDSR;
    if (before & ~after & MSR.RI) s.modemDelta |= MSR.TERI;
    if (changed & MSR.DCD) s.modemDelta |= MSR.DDCD;
    if (wasLoop && !(value & MCR.LOOP)) this.#pins.receiveReady?.();
  }

  /** CTS, DSR, RI and DCD: the modem control outputs in loopback, else a peer that is present and ready. */
  #modemInputs(): number {
    const { mcr } = this.#s;
    if (!(mcr & MCR.LOOP)) return MSR.CTS | MSR.DSR | MSR.DCD;
    return (
      (mcr & MCR.RTS ? MSR.CTS : 0) |
      (mcr & MCR.DTR ? MSR.DSR : 0) |
      (mcr & MCR.OUT1 ? MSR.RI : 0) |
      (mcr & MCR.OUT2 ? MSR.DCD : 0)
    );
  }

  #lineStatus(): number {
    const s = this.#s;
    return (
      (s.rx.length > 0 ? LSR.DR : 0) |
      s.lineErrors |
      (s.tx.length === 0 ? LSR.THRE | LSR.TEMT : 0) |
      (s.fcr & FCR.ENABLE && (s.lineErrors & LSR.BI || (s.rx.length > 0 && s.rx.some((c) => c & BREAK)))
        ? LSR.FIFO_ERROR
        : 0)
    );
  }

  #readCause(): number {
    const s = this.#s;
    const cause = this.#cause();
    if (cause === IIR.THRE) {
      s.txEmptied = false;
      this.#settle();
    }
    return cause | (s.fcr & FCR.ENABLE ? IIR.FIFOS : 0);
  }

  /** The highest-priority enabled cause. Source: SNLS378C, table "Interrupt control functions". */
  #cause(): number {
    const { ier, lineErrors, rx, fcr, txEmptied, modemDelta } = this.#s;
    if (ier & IER.RLS && lineErrors) return IIR.RLS;
    if (ier & IER.RDA && rx.length > 0) {
      const level = fcr & FCR.ENABLE ? (TRIGGER[fcr >>> 6] as number) : 1;
      return rx.length >= level ? IIR.RDA : IIR.TIMEOUT;
    }
    if (ier & IER.THRE && txEmptied) return IIR.THRE;
    if (ier & IER.MS && modemDelta) return IIR.MS;
    return IIR.NONE;
  }

  /** The interrupt is derived from state, never stored beside it. */
  #settle(): void {
    this.#pins.irq(this.#cause() !== IIR.NONE);
  }
}
