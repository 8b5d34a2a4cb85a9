import { defineState, type Registers, type Stateful } from "@mimus/machine-core";
import { z } from "zod";
import { irqStatistics } from "./statistics.ts";
import { ALL, LEVEL_TRIGGER, MASKED, MODE, REMOTE_IRR } from "./apic/spec.ts";

/** Inputs of an I/O APIC. */
export const IOAPIC_PINS = 24;

const WRITABLE = 0x1_afff;
const LOGICAL = 0x800;

const pins = z
  .array(z.uint32())
  .length(IOAPIC_PINS)
  .default(() => Array.from({ length: IOAPIC_PINS }, () => 0));

const State = defineState("ioapic", 1, {
  id: z.int().min(0).max(15).default(0),
  select: z.int().min(0).max(0xff).default(0),
  /** Redirection entries: low and high words. */
  low: z
    .array(z.uint32())
    .length(IOAPIC_PINS)
    .default(() => Array.from({ length: IOAPIC_PINS }, () => MASKED)),
  high: pins,
  lines: z.int().min(0).max(0xff_ffff).default(0),
  /** Requests not yet delivered. */
  irr: z.int().min(0).max(0xff_ffff).default(0),
});

/** Where messages go: `dest` FFFFFFFFh is everybody. */
export interface MessageSink {
  deliver(dest: number, logical: boolean, mode: number, vector: number, level: boolean): void;
}

/** I/O APIC with 24 inputs. Source: Intel 82093AA data sheet (290566-001); the EOI register: 82371AB's successors (ICH), 5.10. */
export class IoApic implements Registers, Stateful {
  readonly #sink: MessageSink;
  readonly #version: number;
  #id = 0;
  #select = 0;
  readonly #low: Uint32Array = new Uint32Array(IOAPIC_PINS).fill(MASKED);
  readonly #high: Uint32Array = new Uint32Array(IOAPIC_PINS);
  #lines = 0;
  #irr = 0;
  /** How often each input rose: for people. */
  readonly #counts: number[] = Array.from({ length: IOAPIC_PINS }, () => 0);

  /** @param version 11h, or 20h with an EOI register */
  constructor(sink: MessageSink, version: number) {
    this.#sink = sink;
    this.#version = version;
  }

  reset(): void {
    this.#id = this.#select = this.#irr = 0;
    this.#low.fill(MASKED);
    this.#high.fill(0);
  }
  save(): unknown {
    return State.parse({
      id: this.#id,
      select: this.#select,
      low: [...this.#low],
      high: [...this.#high],
      lines: this.#lines,
      irr: this.#irr,
    });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#id = s.id;
    this.#select = s.select;
    for (let n = 0; n < IOAPIC_PINS; n++) {
      this.#low[n] = s.low[n]! & (WRITABLE | REMOTE_IRR);
      this.#high[n] = s.high[n]!;
    }
    this.#lines = s.lines;
    this.#irr = s.irr;
  }

  /** Level of input `n`; high: asserted, whatever polarity the guest programs. */
  input(n: number, level: boolean): void {
    const bit = 1 << n;
    const before = this.#lines;
    this.#lines = level ? before | bit : before & ~bit;
    if (before === this.#lines) return;
    if (level) this.#counts[n]!++;
    const entry = this.#low[n]!;
    if ((entry & LEVEL_TRIGGER) !== 0) this.#irr = level ? this.#irr | bit : this.#irr & ~bit;
    // An edge at a masked input is lost (3.2.4).
    else if (level && (entry & MASKED) === 0) this.#irr |= bit;
    if (level) this.#service(n);
  }

  /** A level-triggered interrupt of this vector ended: what is still asserted comes again. */
  eoi(vector: number): void {
    for (let n = 0; n < IOAPIC_PINS; n++) {
      const entry = this.#low[n]!;
      if ((entry & (0xff | LEVEL_TRIGGER | REMOTE_IRR)) !== (vector | LEVEL_TRIGGER | REMOTE_IRR)) continue;
      this.#low[n] = entry & ~REMOTE_IRR;
      this.#service(n);
    }
  }

  read(offset: number, _size: number): number {
    if (offset === 0) return this.#select;
    if (offset !== 0x10) return 0;
    const { value, pin } = this.#register();
    if (pin >= 0) return (this.#select & 1) !== 0 ? this.#high[pin]! : this.#low[pin]!;
    return value;
  }

  write(offset: number, _size: number, value: number): void {
    if (offset === 0) this.#select = value & 0xff;
    else if (offset === 0x40 && this.#version >= 0x20) this.eoi(value & 0xff);
    else if (offset === 0x10) {
      const { pin } = this.#register();
      if (this.#select === 0) this.#id = (value >>> 24) & 15;
      else if (pin >= 0) this.#writeEntry(pin, value);
    }
  }

  /** What a monitor shows. */
  readonly inspect: Readonly<Record<string, () => string>> = {
    pic: () => this.#describe(),
    irq: () => irqStatistics("ioapic", this.#counts),
  };

  #describe(): string {
    const lines = [`ioapic0: ver=0x${hex(this.#version)} id=0x${hex(this.#id)} sel=0x${hex(this.#select)}`];
    for (let n = 0; n < IOAPIC_PINS; n++) {
      const low = this.#low[n]!;
      const high = this.#high[n]!;
      const mode = ["fixed", "lowest", "SMI", "...", "NMI", "INIT", "...", "extINT"][(low >> 8) & 7]!;
      lines.push(
        `  pin ${String(n).padEnd(2)} 0x${hex(high, 8)}${hex(low, 8)} dest=${high >>> 24} vec=${String(low & 0xff).padEnd(3)} ${(low & 0x2000) !== 0 ? "active-lo" : "active-hi"} ${(low & LEVEL_TRIGGER) !== 0 ? "level" : "edge "} ${(low & MASKED) !== 0 ? "masked" : "      "} ${mode.padEnd(6)} ${(low & LOGICAL) !== 0 ? "logical" : "physical"}`,
      );
    }
    const list = (bits: (n: number) => boolean): string => {
      const set = Array.from({ length: IOAPIC_PINS }, (_, n) => n).filter(bits);
      return set.length === 0 ? "(none)" : set.join(" ");
    };
    lines.push(`  IRR      ${list((n) => ((this.#irr >> n) & 1) !== 0)}`);
    lines.push(`  Remote IRR ${list((n) => (this.#low[n]! & REMOTE_IRR) !== 0)}`);
    return `${lines.join("\n")}\n`;
  }

  #register(): { value: number; pin: number } {
    const select = this.#select;
    if (select === 0 || select === 2) return { value: (this.#id << 24) >>> 0, pin: -1 };
    if (select === 1) return { value: ((IOAPIC_PINS - 1) << 16) | this.#version, pin: -1 };
    const pin = (select - 0x10) >> 1;
    return { value: 0, pin: pin >= 0 && pin < IOAPIC_PINS ? pin : -1 };
  }

  #writeEntry(n: number, value: number): void {
    if ((this.#select & 1) !== 0) {
      this.#high[n] = value & 0xff00_0000;
      return;
    }
    const before = this.#low[n]!;
    const level = (value & LEVEL_TRIGGER) !== 0;
    // An input that is made edge triggered forgets that it waits for an end.
    this.#low[n] = (value & WRITABLE) | (level ? before & REMOTE_IRR : 0);
    const bit = 1 << n;
    if (level) this.#irr = (this.#lines & bit) !== 0 ? this.#irr | bit : this.#irr & ~bit;
    else if ((before & LEVEL_TRIGGER) !== 0) this.#irr &= ~bit;
    this.#service(n);
  }

  #service(n: number): void {
    const bit = 1 << n;
    const entry = this.#low[n]!;
    if ((this.#irr & bit) === 0 || (entry & MASKED) !== 0) return;
    const mode = (entry >> 8) & 7;
    const level = (entry & LEVEL_TRIGGER) !== 0 && (mode === MODE.FIXED || mode === MODE.LOWEST);
    if (level) {
      if ((entry & REMOTE_IRR) !== 0) return;
      this.#low[n] = entry | REMOTE_IRR;
    } else this.#irr &= ~bit;
    const dest = this.#high[n]! >>> 24;
    this.#sink.deliver(dest === 0xff ? ALL : dest, (entry & LOGICAL) !== 0, mode, entry & 0xff, level);
  }
}

function hex(n: number, digits = 2): string {
  return n.toString(16).padStart(digits, "0");
}
