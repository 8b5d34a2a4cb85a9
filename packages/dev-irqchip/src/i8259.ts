import type { Stateful } from "@mimus/machine-core";
import { defineState } from "@mimus/machine-core";
import { z } from "zod";
import { irqStatistics } from "./statistics.ts";

const byte = z.int().min(0).max(0xff).default(0);
const flag = z.boolean().default(false);

const State = defineState("i8259", 1, {
  /** Levels of the inputs; they belong to the sources and stay over a reset. */
  lines: byte,
  irr: byte,
  imr: byte,
  isr: byte,
  /** The input of the highest priority. */
  highest: z.int().min(0).max(7).default(0),
  /** Vector of input 0. */
  base: byte,
  elcr: byte,
  /** Which initialization word the data port takes next; 0: none, it is the mask. */
  expects: z.int().min(0).max(4).default(0),
  needsIcw4: flag,
  single: flag,
  levelTriggered: flag,
  autoEoi: flag,
  rotateInAutoEoi: flag,
  specialMask: flag,
  fullyNested: flag,
  readIsr: flag,
  poll: flag,
});
type State = z.infer<typeof State>;

const CASCADE = 2;
/** Vector offset when a request went away before it was acknowledged. */
const SPURIOUS = 7;
const NONE = 8;

/**
 * Programmable interrupt controller with the edge/level register of PCI chip sets.
 * Source: Intel 8259A data sheet (231468-003); Intel 82371AB (PIIX4) data sheet, 4.2.5 and 4.2.6 (ELCR).
 */
export class I8259 implements Stateful {
  #s: State = State.parse({});
  readonly #master: boolean;
  readonly #elcrMask: number;
  readonly #output: (level: boolean) => void;
  #slave: I8259 | undefined;
  /** How often each input rose: for people. */
  readonly #counts: number[] = Array.from({ length: 8 }, () => 0);

  /** @param elcrMask inputs that may be made level sensitive */
  constructor(opts: { master: boolean; elcrMask: number }, output: (level: boolean) => void) {
    this.#master = opts.master;
    this.#elcrMask = opts.elcrMask;
    this.#output = output;
  }

  /** The chip behind input 2, which gives the vector when that input is acknowledged. */
  cascade(slave: I8259): void {
    this.#slave = slave;
  }

  reset(): void {
    this.#start({ elcr: 0 });
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    s.elcr &= this.#elcrMask;
    this.#s = s;
    this.#settle();
  }

  /** Level of input `n`, 0..7. */
  input(n: number, level: boolean): void {
    const s = this.#s;
    const bit = 1 << n;
    if (level) {
      // An edge stays requested when the line falls again, as in the chip sets: timers pulse.
      if ((s.lines & bit) === 0) this.#counts[n]!++;
      if ((s.lines & bit) === 0 || this.#isLevel(bit)) s.irr |= bit;
      s.lines |= bit;
    } else {
      if (this.#isLevel(bit)) s.irr &= ~bit;
      s.lines &= ~bit;
    }
    this.#settle();
  }

  /** Interrupt acknowledge cycle: the vector of the highest request, which is in service now. Of the slave's, when it comes from there. */
  acknowledge(): number {
    const s = this.#s;
    const irq = this.#pending();
    if (irq === NONE) return s.base + SPURIOUS;
    const slave = this.#slave;
    const vector = irq === CASCADE && slave !== undefined ? slave.acknowledge() : s.base + irq;
    this.#take(irq);
    return vector;
  }

  /** Whether it asks for an interrupt. */
  get asks(): boolean {
    return this.#pending() !== NONE;
  }

  /** Port 0: ICW1, OCW2, OCW3; port 1: mask, ICW2 to ICW4. */
  write(port: number, _size: number, value: number): void {
    const s = this.#s;
    if (port !== 0) this.#data(value);
    else if ((value & 0x10) !== 0) this.#icw1(value);
    else if ((value & 0x08) !== 0) {
      if ((value & 0x04) !== 0) s.poll = true;
      if ((value & 0x02) !== 0) s.readIsr = (value & 0x01) !== 0;
      if ((value & 0x40) !== 0) s.specialMask = (value & 0x20) !== 0;
    } else this.#ocw2(value);
    this.#settle();
  }

  read(port: number, _size: number): number {
    const s = this.#s;
    if (s.poll) {
      s.poll = false;
      const irq = this.#pending();
      if (irq === NONE) return 0;
      this.#take(irq);
      return 0x80 | irq;
    }
    return port !== 0 ? s.imr : s.readIsr ? s.isr : s.irr;
  }

  /** The edge/level control register. */
  get elcr(): number {
    return this.#s.elcr;
  }
  set elcr(value: number) {
    const s = this.#s;
    s.elcr = value & this.#elcrMask;
    s.irr = (s.irr & ~s.elcr) | (s.lines & s.elcr);
    this.#settle();
  }

  /** What a monitor shows. */
  readonly inspect: Readonly<Record<string, () => string>> = {
    pic: () => this.#describe(),
    irq: () =>
      this.#master
        ? irqStatistics("isa-i8259", [...this.#counts, ...(this.#slave === undefined ? [] : this.#slave.#counts)])
        : "",
  };

  #describe(): string {
    const s = this.#s;
    const hex = (n: number): string => n.toString(16).padStart(2, "0");
    return `pic${this.#master ? 0 : 1}: irr=${hex(s.irr)} imr=${hex(s.imr)} isr=${hex(s.isr)} hprio=${s.highest} irq_base=${hex(s.base)} rr_sel=${s.readIsr ? 1 : 0} elcr=${hex(s.elcr)} fnm=${s.fullyNested ? 1 : 0}\n`;
  }

  /** Forgets all but the lines, and what `keep` says. */
  #start(keep: Partial<State>): void {
    this.#s = State.parse({ lines: this.#s.lines, elcr: this.#s.elcr, ...keep });
    // Levels are asked again; an edge has to come anew.
    this.#s.irr = this.#s.lines & this.#s.elcr;
    this.#settle();
  }

  #icw1(value: number): void {
    this.#start({
      expects: 2,
      needsIcw4: (value & 1) !== 0,
      single: (value & 2) !== 0,
      levelTriggered: (value & 8) !== 0,
    });
    if (this.#s.levelTriggered) this.#s.irr = this.#s.lines;
  }

  #data(value: number): void {
    const s = this.#s;
    const afterIcw3 = s.needsIcw4 ? 4 : 0;
    switch (s.expects) {
      case 2:
        s.base = value & 0xf8;
        s.expects = s.single ? afterIcw3 : 3;
        break;
      case 3: // where slaves are: the wiring of a PC says that
        s.expects = afterIcw3;
        break;
      case 4:
        s.fullyNested = (value & 0x10) !== 0;
        s.autoEoi = (value & 0x02) !== 0;
        s.expects = 0;
        break;
      default:
        s.imr = value;
    }
  }

  /** End of interrupt, and rotation of priorities. */
  #ocw2(value: number): void {
    const s = this.#s;
    const rotate = (value & 0x80) !== 0;
    const specific = (value & 0x40) !== 0;
    if ((value & 0x20) === 0) {
      if (!specific) s.rotateInAutoEoi = rotate;
      else if (rotate) s.highest = (value + 1) & 7;
      return;
    }
    // In special mask mode a masked level is not ended by a command that names none.
    const irq = specific ? value & 7 : this.#first(s.specialMask ? s.isr & ~s.imr : s.isr);
    if (irq === NONE) return;
    s.isr &= ~(1 << irq);
    if (rotate) s.highest = (irq + 1) & 7;
  }

  #isLevel(bit: number): boolean {
    return this.#s.levelTriggered || (this.#s.elcr & bit) !== 0;
  }

  /** How far the highest bit of `mask` is from the highest priority; 8: no bit is set. */
  #rank(mask: number): number {
    if (mask === 0) return NONE;
    const { highest } = this.#s;
    const turned = ((mask >> highest) | (mask << (8 - highest))) & 0xff;
    return 31 - Math.clz32(turned & -turned);
  }

  #first(mask: number): number {
    const rank = this.#rank(mask);
    return rank === NONE ? NONE : (rank + this.#s.highest) & 7;
  }

  /** The input that may interrupt now; 8: none. */
  #pending(): number {
    const s = this.#s;
    const asked = s.irr & ~s.imr;
    if (asked === 0) return NONE;
    let served = s.isr;
    if (s.specialMask) served &= ~s.imr;
    if (s.fullyNested && this.#master) served &= ~(1 << CASCADE);
    const rank = this.#rank(asked);
    return rank < this.#rank(served) ? (rank + s.highest) & 7 : NONE;
  }

  #take(irq: number): void {
    const s = this.#s;
    const bit = 1 << irq;
    if (!s.autoEoi) s.isr |= bit;
    else if (s.rotateInAutoEoi) s.highest = (irq + 1) & 7;
    if (!this.#isLevel(bit)) s.irr &= ~bit;
    this.#settle();
  }

  #settle(): void {
    this.#output(this.#pending() !== NONE);
  }
}
