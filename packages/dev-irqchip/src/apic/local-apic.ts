import type { Registers, Stateful } from "@mimus/machine-core";
import { LVT_WRITABLE, READABLE, x2Ldr, x2Writable } from "./access.ts";
import type { ApicBus } from "./bus.ts";
import type { ApicCpu, ExternalController, LocalApicPins } from "./pins.ts";
import { Interrupts } from "./interrupts.ts";
import {
  ALL,
  BASE_ADDRESS,
  BASE_BSP,
  BASE_ENABLE,
  BASE_X2,
  ERROR,
  LEVEL_TRIGGER,
  LVT,
  MASKED,
  MODE,
  MSR_BASE,
  MSR_DEADLINE,
  REG,
  SVR_ENABLE,
  TIMER,
  VERSION,
} from "./spec.ts";
import { apicState, type ApicState, type Scalars, scalars } from "./state.ts";
import { ApicTimer } from "./timer.ts";
import { describeApic } from "./describe.ts";

/**
 * Local APIC, in xAPIC and x2APIC mode. Its registers are a page, or model-specific registers.
 * Source: Intel SDM vol. 3 (325384-080), chapter 11.
 */
export class LocalApicChip implements Registers, Stateful {
  readonly #bus: ApicBus;
  readonly #initialId: number;
  readonly #bootstrap: boolean;
  readonly #pins: LocalApicPins;
  readonly #timer: ApicTimer;
  readonly #interrupts: Interrupts = new Interrupts();
  readonly #lvt: number[] = Array.from({ length: LVT.COUNT }, () => MASKED);
  #cpu: ApicCpu | undefined;
  #pic: ExternalController | undefined;
  #s: Scalars = scalars(apicState.parse({}));
  #intr = false;
  /** The page's address for the CPU that finds its registers there; set by the device. */
  page = -1;

  constructor(opts: { id: number; bootstrap: boolean }, bus: ApicBus, pins: LocalApicPins) {
    this.#bus = bus;
    this.#initialId = opts.id;
    this.#bootstrap = opts.bootstrap;
    this.#pins = pins;
    this.#timer = new ApicTimer(pins, () => this.#local(LVT.TIMER));
    this.reset();
  }

  /** What a monitor shows. */
  readonly inspect: Readonly<Record<string, () => string>> = {
    lapic: () => describeApic(this.save() as ApicState, this.#initialId, this.#interrupts.ppr, this.#timer.current()),
  };

  /** Connects the CPU. */
  connect(cpu: ApicCpu): void {
    this.#cpu = cpu;
    if (this.#intr) cpu.intr(true);
  }

  setPic(pic: ExternalController): void {
    this.#pic = pic;
  }

  /** How the timer learns when the time stamp counter reaches a value, ns on the virtual clock. */
  set deadlineOf(fn: ((lo: number, hi: number) => number) | undefined) {
    this.#pins.deadlineOf = fn;
  }

  /** The time stamp counter was set, or a snapshot was loaded and the clock shows its time. */
  timeChanged(): void {
    this.#timer.update();
  }

  expire(): void {
    this.#timer.expire();
  }

  reset(): void {
    this.#s.baseLow = (BASE_ADDRESS | BASE_ENABLE | (this.#bootstrap ? BASE_BSP : 0)) >>> 0;
    this.#s.baseHigh = 0;
    this.#s.id = this.#initialId;
    this.initReset();
  }

  /** What INIT leaves: all but the id, the base and the levels of the pins is as after reset. */
  initReset(): void {
    this.#s.tpr = 0;
    this.#s.ldr = this.#x2 ? x2Ldr(this.#initialId) : 0;
    this.#s.dfr = ALL;
    this.#s.svr = 0xff;
    this.#s.errors = this.#s.esr = this.#s.icrLow = this.#s.icrHigh = 0;
    this.#s.extInt = false;
    this.#interrupts.clear();
    this.#lvt.fill(MASKED);
    this.#timer.load(apicState.parse({}), MASKED);
    this.#settle();
  }

  save(): unknown {
    const { initial, divide, start, deadlineLow, deadlineHigh, ended } = this.#timer;
    return apicState.parse({
      ...this.#s,
      ...this.#interrupts.save(),
      lvt: [...this.#lvt],
      ...{ initial, divide, start, deadlineLow, deadlineHigh, ended },
    });
  }

  load(raw: unknown): void {
    const s = apicState.parse(raw);
    this.#s = scalars(s);
    for (const [i, value] of s.lvt.entries()) this.#lvt[i] = value & LVT_WRITABLE[i]!;
    this.#interrupts.load(s);
    this.#timer.load(s, this.#lvt[LVT.TIMER]!);
    this.#settle();
  }

  // What the CPU sees.

  get id(): number {
    return this.#s.id;
  }
  get enabled(): boolean {
    return (this.#s.baseLow & BASE_ENABLE) !== 0;
  }
  get #x2(): boolean {
    return (this.#s.baseLow & (BASE_ENABLE | BASE_X2)) === (BASE_ENABLE | BASE_X2);
  }
  /** Task priority class, 0..15: CR8. */
  get tpr(): number {
    return this.#s.tpr >> 4;
  }
  set tpr(value: number) {
    this.#s.tpr = (value & 15) << 4;
    this.#settle();
  }
  /** Processor priority, 0..255. */
  get ppr(): number {
    return this.#interrupts.ppr;
  }

  /** Takes the interrupt that INTR stands for: its vector, in service now; or that of the 8259s; -1: there is none. */
  acknowledge(): number {
    const vector = this.#pending();
    if (vector >= 0) {
      this.#interrupts.take(vector);
      this.#settle();
      return vector;
    }
    if (this.#external()) {
      this.#s.extInt = false;
      const external = this.#pic?.acknowledge() ?? -1;
      this.#settle();
      return external;
    }
    return -1;
  }

  readBase(out: Uint32Array): void {
    out[0] = this.#s.baseLow;
    out[1] = this.#s.baseHigh;
  }

  /** Turns the APIC off and on, moves its page, enters x2APIC mode. False: the change is not allowed (11.12.5, figure 11-27). */
  writeBase(lo: number, hi: number): boolean {
    if ((lo & 0x2ff) !== 0) return false;
    const [wasOn, wasX2] = [this.enabled, this.#x2];
    const on = (lo & BASE_ENABLE) !== 0;
    const x2 = (lo & BASE_X2) !== 0;
    if ((x2 && !on) || (wasX2 && on && !x2) || (!wasOn && on && x2)) return false;
    this.#s.baseLow = ((lo & ~BASE_BSP) | (this.#bootstrap ? BASE_BSP : 0)) >>> 0;
    this.#s.baseHigh = hi;
    if (wasOn && !on) this.initReset();
    if (x2 && !wasX2) {
      this.#s.id = this.#initialId;
      this.#s.ldr = x2Ldr(this.#initialId);
    }
    if (wasX2 && !on) this.#s.id = this.#initialId;
    this.#settle();
    return true;
  }

  /** Registers 800h..83Fh in x2APIC mode, and the base and the deadline. False: #GP. */
  readMsr(msr: number, out: Uint32Array): boolean {
    out[1] = 0;
    if (msr === MSR_BASE) {
      this.readBase(out);
      return true;
    }
    if (msr === MSR_DEADLINE) {
      out[0] = this.#timer.deadlineLow;
      out[1] = this.#timer.deadlineHigh;
      return true;
    }
    const reg = msr - 0x800;
    if (!this.#x2 || !READABLE.has(reg) || reg === REG.DFR || reg === REG.ICR_HIGH || reg === REG.APR) return false;
    out[0] = this.#get(reg);
    if (reg === REG.ICR) out[1] = this.#s.icrHigh;
    return true;
  }

  writeMsr(msr: number, lo: number, hi: number): boolean {
    if (msr === MSR_BASE) return this.writeBase(lo, hi);
    if (msr === MSR_DEADLINE) {
      this.#timer.setDeadline(lo, hi);
      return true;
    }
    const reg = msr - 0x800;
    if (!this.#x2) return false;
    if (reg === REG.ICR) {
      if ((lo & 0xfff3_2000) !== 0) return false;
      this.#s.icrHigh = hi;
      this.#command(lo);
      return true;
    }
    if (hi !== 0) return false;
    if (reg === REG.SELF_IPI) {
      if (lo > 0xff) return false;
      this.#s.icrLow = (lo | 0x4_0000) >>> 0;
      this.accept(MODE.FIXED, lo, false);
      return true;
    }
    const allowed = x2Writable(reg);
    if (allowed < 0 || (lo & ~allowed) !== 0) return false;
    this.#set(reg, lo);
    return true;
  }

  // The page of registers.

  read(offset: number, _size: number): number {
    if ((offset & 15) !== 0) return 0;
    return this.#get(offset >> 4);
  }

  write(offset: number, _size: number, value: number): void {
    if ((offset & 15) !== 0) return;
    this.#set(offset >> 4, value);
  }

  // What comes from outside.

  /** Whether a message for `dest` is for this one (11.6.2). */
  matches(dest: number, logical: boolean): boolean {
    if (!this.enabled) return false;
    if (dest === ALL) return true;
    if (!logical) return this.#s.id === dest;
    if (this.#x2) return dest >>> 16 === this.#s.ldr >>> 16 && (dest & this.#s.ldr & 0xffff) !== 0;
    const own = this.#s.ldr >>> 24;
    if (this.#s.dfr >>> 28 === 0xf) return (dest & own & 0xff) !== 0;
    return ((dest >> 4) & 15) === own >> 4 && (dest & own & 15) !== 0;
  }

  /** Takes a message. */
  accept(mode: number, vector: number, level: boolean): void {
    switch (mode) {
      case MODE.FIXED:
      case MODE.LOWEST:
        if ((this.#s.svr & SVR_ENABLE) === 0) return;
        if (vector < 16) return this.#error(ERROR.RECEIVE_VECTOR);
        this.#interrupts.request(vector, level);
        return this.#settle();
      case MODE.SMI:
        this.#cpu?.smi(true);
        this.#cpu?.smi(false);
        return;
      case MODE.NMI:
        return this.#nmi();
      case MODE.INIT:
        return this.#cpu?.init();
      case MODE.STARTUP:
        return this.#cpu?.sipi(vector);
      case MODE.EXTINT:
        this.#s.extInt = true;
        return this.#settle();
      default: // reserved
    }
  }

  #nmi(): void {
    this.#cpu?.nmi(true);
    this.#cpu?.nmi(false);
  }

  /** Pin LINT0: the INT output of the 8259s. */
  extInt(level: boolean): void {
    if (this.#s.lint0 === level) return;
    this.#s.lint0 = level;
    this.#pin(LVT.LINT0, level);
  }

  /** Pin LINT1: NMI. */
  lint1(level: boolean): void {
    if (this.#s.lint1 === level) return;
    this.#s.lint1 = level;
    if (!this.enabled) {
      if (level) this.#nmi();
    } else this.#pin(LVT.LINT1, level);
  }

  #pin(n: number, level: boolean): void {
    const entry = this.#lvt[n]!;
    if (this.enabled && level && (entry & MASKED) === 0 && ((entry >> 8) & 7) !== MODE.EXTINT) this.#local(n);
    else this.#settle();
  }

  /** An interrupt by an entry of the local vector table. */
  #local(n: number): void {
    const entry = this.#lvt[n]!;
    if ((entry & MASKED) !== 0) return;
    const mode = n === LVT.TIMER || n === LVT.ERROR ? MODE.FIXED : (entry >> 8) & 7;
    const level = (n === LVT.LINT0 || n === LVT.LINT1) && mode === MODE.FIXED && (entry & LEVEL_TRIGGER) !== 0;
    this.accept(mode, entry & 0xff, level);
  }

  // Priorities.

  /** The vector that may interrupt now; -1: none. */
  #pending(): number {
    if ((this.#s.svr & SVR_ENABLE) === 0 || !this.enabled) return -1;
    return this.#interrupts.pending();
  }

  /** Whether the 8259s may interrupt and want to. */
  #external(): boolean {
    if (this.#s.extInt) return true;
    if (!this.#s.lint0) return false;
    const entry = this.#lvt[LVT.LINT0]!;
    return !this.enabled || ((entry & MASKED) === 0 && ((entry >> 8) & 7) === MODE.EXTINT);
  }

  #settle(): void {
    this.#interrupts.settle(this.#s.tpr);
    const intr = this.#pending() >= 0 || this.#external();
    if (intr === this.#intr) return;
    this.#intr = intr;
    this.#cpu?.intr(intr);
  }

  #eoi(): void {
    const vector = this.#interrupts.end();
    if (vector < 0) return;
    if (this.#interrupts.isLevel(vector)) {
      this.#bus.eoi(vector);
      // A level-sensitive pin that is still high asks again.
      const entry = this.#lvt[LVT.LINT0]!;
      if (this.#s.lint0 && (entry & (0xff | LEVEL_TRIGGER)) === (vector | LEVEL_TRIGGER)) this.#local(LVT.LINT0);
    }
    this.#settle();
  }

  #error(bit: number): void {
    const before = this.#s.errors;
    this.#s.errors |= bit;
    if (before !== this.#s.errors && (this.#lvt[LVT.ERROR]! & 0xff) >= 16) this.#local(LVT.ERROR);
  }

  #get(reg: number): number {
    if (reg >= REG.LVT_TIMER && reg <= REG.LVT_ERROR) return this.#lvt[reg - REG.LVT_TIMER]!;
    if (reg >= REG.ISR && reg < REG.ISR + 24) return this.#interrupts.word(reg);
    switch (reg) {
      case REG.ID:
        return this.#x2 ? this.#s.id : (this.#s.id << 24) >>> 0;
      case REG.VERSION:
        return VERSION;
      case REG.TPR:
        return this.#s.tpr;
      case REG.APR:
      case REG.PPR:
        return this.#interrupts.ppr;
      case REG.LDR:
        return this.#s.ldr;
      case REG.DFR:
        return this.#s.dfr;
      case REG.SVR:
        return this.#s.svr;
      case REG.ESR:
        return this.#s.esr;
      case REG.ICR:
        return this.#s.icrLow;
      case REG.ICR_HIGH:
        return this.#s.icrHigh;
      case REG.INITIAL:
        return this.#timer.initial;
      case REG.CURRENT:
        return this.#timer.current();
      case REG.DIVIDE:
        return this.#timer.divide;
      default:
        if (reg !== REG.EOI && reg !== REG.RRD) this.#error(ERROR.REGISTER);
        return 0;
    }
  }

  #set(reg: number, value: number): void {
    if (reg >= REG.LVT_TIMER && reg <= REG.LVT_ERROR) return this.#setLvt(reg - REG.LVT_TIMER, value);
    switch (reg) {
      case REG.EOI:
        return this.#eoi();
      case REG.ICR:
        return this.#command(value);
      case REG.TPR:
        this.#s.tpr = value & 0xff;
        return this.#settle();
      case REG.ICR_HIGH:
        this.#s.icrHigh = (value & 0xff00_0000) >>> 0;
        return;
      case REG.INITIAL:
        return this.#timer.setInitial(value);
      case REG.ID:
        this.#s.id = value >>> 24;
        return;
      case REG.LDR:
        this.#s.ldr = (value & 0xff00_0000) >>> 0;
        return;
      case REG.DFR:
        this.#s.dfr = (value | 0x0fff_ffff) >>> 0;
        return;
      case REG.SVR:
        this.#s.svr = value & 0x1ff;
        // A disabled APIC has its local vectors masked.
        if ((value & SVR_ENABLE) === 0) for (let n = 0; n < LVT.COUNT; n++) this.#setLvt(n, this.#lvt[n]!);
        return this.#settle();
      case REG.ESR:
        this.#s.esr = this.#s.errors;
        this.#s.errors = 0;
        return;
      case REG.DIVIDE:
        return this.#timer.setDivide(value & 0xb);
      default:
        if (!READABLE.has(reg)) this.#error(ERROR.REGISTER);
    }
  }

  #setLvt(n: number, value: number): void {
    let entry = value & LVT_WRITABLE[n]!;
    if ((this.#s.svr & SVR_ENABLE) === 0) entry |= MASKED;
    this.#lvt[n] = entry;
    if (n === LVT.TIMER) this.#timer.setVector(Math.min(TIMER.DEADLINE, (entry >> 17) & 3), (entry & MASKED) !== 0);
    else if (n === LVT.LINT0) this.#settle();
  }

  /** Sends an interprocessor interrupt (11.6.1). */
  #command(value: number): void {
    this.#s.icrLow = (value & 0xc_dfff) >>> 0;
    const mode = (value >> 8) & 7;
    const vector = value & 0xff;
    // Level de-assert: nothing on processors with an integrated bus.
    if (mode === MODE.INIT && (value & 0xc000) === LEVEL_TRIGGER) return;
    if (mode === 3 || mode === MODE.EXTINT) return;
    if (mode <= MODE.LOWEST && vector < 16) return this.#error(ERROR.SEND_VECTOR);
    const shorthand = (value >> 18) & 3;
    if (shorthand === 1) return this.accept(mode, vector, false);
    if (shorthand === 0) {
      const dest = this.#x2 ? this.#s.icrHigh : this.#s.icrHigh >>> 24;
      this.#bus.deliver(!this.#x2 && dest === 0xff ? ALL : dest, (value & 0x800) !== 0, mode, vector, false);
      return;
    }
    this.#bus.deliverAll(mode, vector, shorthand === 3 ? this : undefined);
  }
}
