import type { Registers, Stateful } from "@mimus/machine-core";
import { LVT_WRITABLE, READABLE, x2Writable } from "./access.ts";
import type { ApicBus } from "./bus.ts";
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
import { apicState, type ApicState } from "./state.ts";
import { ApicTimer } from "./timer.ts";
import { describeApic } from "./describe.ts";
import { VectorSet } from "./vectors.ts";

/** What a local APIC drives: the inputs of its CPU. */
export interface ApicCpu {
  /** Level: an interrupt of sufficient priority waits. */
  intr(level: boolean): void;
  /** Edges: called high, then low. */
  nmi(level: boolean): void;
  smi(level: boolean): void;
  init(): void;
  /** Start at page `vector`. */
  sipi(vector: number): void;
}

/** The 8259 pair, which gives the vectors of ExtINT interrupts. */
export interface ExternalController {
  acknowledge(): number;
}

/** Time, for a {@link LocalApicChip}. Nanoseconds on the virtual clock. */
export interface LocalApicPins {
  now(): number;
  arm(deadlineNs: number | undefined): void;
  /** When the CPU's time stamp counter reaches a value. */
  deadlineOf?: ((lo: number, hi: number) => number) | undefined;
}

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
  readonly #isr: VectorSet = new VectorSet();
  readonly #tmr: VectorSet = new VectorSet();
  readonly #irr: VectorSet = new VectorSet();
  readonly #lvt: number[] = Array.from({ length: LVT.COUNT }, () => MASKED);
  #cpu: ApicCpu | undefined;
  #pic: ExternalController | undefined;
  #baseLow = 0;
  #baseHigh = 0;
  #id = 0;
  #tpr = 0;
  #ppr = 0;
  #ldr = 0;
  #dfr: number = ALL;
  #svr = 0xff;
  #errors = 0;
  #esr = 0;
  #icrLow = 0;
  #icrHigh = 0;
  #lint0 = false;
  #lint1 = false;
  /** An I/O APIC or a message asked for an 8259 interrupt. */
  #extIntMessage = false;
  #intr = false;
  readonly #pair: Uint32Array = new Uint32Array(2);
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
    lapic: () => describeApic(this.save() as ApicState, this.#initialId, this.#ppr, this.#timer.current()),
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

  /** The time stamp counter was set. */
  timeChanged(): void {
    if (this.#timer.mode === TIMER.DEADLINE) this.#timer.update();
  }

  expire(): void {
    this.#timer.expire();
  }

  reset(): void {
    this.#baseLow = (BASE_ADDRESS | BASE_ENABLE | (this.#bootstrap ? BASE_BSP : 0)) >>> 0;
    this.#baseHigh = 0;
    this.#id = this.#initialId;
    this.initReset();
  }

  /** What INIT leaves: all but the id, the base and the levels of the pins is as after reset. */
  initReset(): void {
    this.#tpr = 0;
    this.#ldr = this.#x2 ? this.#x2Ldr() : 0;
    this.#dfr = ALL;
    this.#svr = 0xff;
    this.#errors = this.#esr = this.#icrLow = this.#icrHigh = 0;
    this.#extIntMessage = false;
    for (const set of [this.#isr, this.#tmr, this.#irr]) set.clear();
    this.#lvt.fill(MASKED);
    const t = this.#timer;
    t.mode = TIMER.ONE_SHOT;
    t.masked = true;
    t.initial = t.divide = t.deadlineLow = t.deadlineHigh = t.start = 0;
    t.update();
    this.#settle();
  }

  save(): unknown {
    const t = this.#timer;
    return apicState.parse({
      baseLow: this.#baseLow,
      baseHigh: this.#baseHigh,
      id: this.#id,
      tpr: this.#tpr,
      ldr: this.#ldr,
      dfr: this.#dfr,
      svr: this.#svr,
      errors: this.#errors,
      esr: this.#esr,
      icrLow: this.#icrLow,
      icrHigh: this.#icrHigh,
      lvt: [...this.#lvt],
      isr: [...this.#isr.words],
      tmr: [...this.#tmr.words],
      irr: [...this.#irr.words],
      lint0: this.#lint0,
      lint1: this.#lint1,
      extInt: this.#extIntMessage,
      initial: t.initial,
      divide: t.divide,
      start: t.start,
      deadlineLow: t.deadlineLow,
      deadlineHigh: t.deadlineHigh,
    });
  }

  load(raw: unknown): void {
    const s = apicState.parse(raw);
    this.#baseLow = s.baseLow;
    this.#baseHigh = s.baseHigh;
    this.#id = s.id;
    this.#tpr = s.tpr;
    this.#ldr = s.ldr;
    this.#dfr = s.dfr;
    this.#svr = s.svr;
    this.#errors = s.errors;
    this.#esr = s.esr;
    this.#icrLow = s.icrLow;
    this.#icrHigh = s.icrHigh;
    for (const [i, value] of s.lvt.entries()) this.#lvt[i] = value & (LVT_WRITABLE[i] ?? 0);
    this.#isr.words.set(s.isr);
    this.#tmr.words.set(s.tmr);
    this.#irr.words.set(s.irr);
    this.#lint0 = s.lint0;
    this.#lint1 = s.lint1;
    this.#extIntMessage = s.extInt;
    const t = this.#timer;
    const timer = this.#lvt[LVT.TIMER]!;
    t.mode = Math.min(TIMER.DEADLINE, (timer >> 17) & 3);
    t.masked = (timer & MASKED) !== 0;
    t.initial = s.initial;
    t.divide = s.divide;
    t.start = s.start;
    t.deadlineLow = s.deadlineLow;
    t.deadlineHigh = s.deadlineHigh;
    t.update();
    this.#settle();
  }

  // What the CPU sees.

  get id(): number {
    return this.#id;
  }
  get enabled(): boolean {
    return (this.#baseLow & BASE_ENABLE) !== 0;
  }
  get #x2(): boolean {
    return (this.#baseLow & (BASE_ENABLE | BASE_X2)) === (BASE_ENABLE | BASE_X2);
  }
  /** Task priority class, 0..15: CR8. */
  get tpr(): number {
    return this.#tpr >> 4;
  }
  set tpr(value: number) {
    this.#tpr = (value & 15) << 4;
    this.#settle();
  }
  /** Processor priority, 0..255. */
  get ppr(): number {
    return this.#ppr;
  }

  /** Takes the interrupt that INTR stands for: its vector, in service now; or that of the 8259s; -1: there is none. */
  acknowledge(): number {
    const vector = this.#pending();
    if (vector >= 0) {
      this.#irr.remove(vector);
      this.#isr.add(vector);
      this.#settle();
      return vector;
    }
    if (this.#external()) {
      this.#extIntMessage = false;
      const external = this.#pic?.acknowledge() ?? -1;
      this.#settle();
      return external;
    }
    return -1;
  }

  readBase(out: Uint32Array): void {
    out[0] = this.#baseLow;
    out[1] = this.#baseHigh;
  }

  /** Turns the APIC off and on, moves its page, enters x2APIC mode. False: the change is not allowed (11.12.5, figure 11-27). */
  writeBase(lo: number, hi: number): boolean {
    if ((lo & 0x2ff) !== 0) return false;
    const [wasOn, wasX2] = [this.enabled, this.#x2];
    const on = (lo & BASE_ENABLE) !== 0;
    const x2 = (lo & BASE_X2) !== 0;
    if ((x2 && !on) || (wasX2 && on && !x2) || (!wasOn && on && x2)) return false;
    this.#baseLow = ((lo & ~BASE_BSP) | (this.#bootstrap ? BASE_BSP : 0)) >>> 0;
    this.#baseHigh = hi;
    if (wasOn && !on) this.initReset();
    if (x2 && !wasX2) {
      this.#id = this.#initialId;
      this.#ldr = this.#x2Ldr();
    }
    if (wasX2 && !on) this.#id = this.#initialId;
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
    if (reg === REG.ICR) out[1] = this.#icrHigh;
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
      this.#icrHigh = hi;
      this.#command(lo);
      return true;
    }
    if (hi !== 0) return false;
    if (reg === REG.SELF_IPI) {
      if (lo > 0xff) return false;
      this.#icrLow = (lo | 0x4_0000) >>> 0;
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
    if (!logical) return this.#id === dest;
    if (this.#x2) return dest >>> 16 === this.#ldr >>> 16 && (dest & this.#ldr & 0xffff) !== 0;
    const own = this.#ldr >>> 24;
    if (this.#dfr >>> 28 === 0xf) return (dest & own & 0xff) !== 0;
    return ((dest >> 4) & 15) === own >> 4 && (dest & own & 15) !== 0;
  }

  /** Takes a message. */
  accept(mode: number, vector: number, level: boolean): void {
    switch (mode) {
      case MODE.FIXED:
      case MODE.LOWEST:
        if ((this.#svr & SVR_ENABLE) === 0) return;
        if (vector < 16) return this.#error(ERROR.RECEIVE_VECTOR);
        this.#irr.add(vector);
        if (level) this.#tmr.add(vector);
        else this.#tmr.remove(vector);
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
        this.#extIntMessage = true;
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
    if (this.#lint0 === level) return;
    this.#lint0 = level;
    this.#pin(LVT.LINT0, level);
  }

  /** Pin LINT1: NMI. */
  lint1(level: boolean): void {
    if (this.#lint1 === level) return;
    this.#lint1 = level;
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
    if ((this.#svr & SVR_ENABLE) === 0 || !this.enabled) return -1;
    const vector = this.#irr.highest();
    return vector >= 0 && vector >> 4 > this.#ppr >> 4 ? vector : -1;
  }

  /** Whether the 8259s may interrupt and want to. */
  #external(): boolean {
    if (this.#extIntMessage) return true;
    if (!this.#lint0) return false;
    const entry = this.#lvt[LVT.LINT0]!;
    return !this.enabled || ((entry & MASKED) === 0 && ((entry >> 8) & 7) === MODE.EXTINT);
  }

  #settle(): void {
    const served = this.#isr.highest();
    const top = served < 0 ? 0 : served & 0xf0;
    this.#ppr = this.#tpr >> 4 >= top >> 4 ? this.#tpr : top;
    const intr = this.#pending() >= 0 || this.#external();
    if (intr === this.#intr) return;
    this.#intr = intr;
    this.#cpu?.intr(intr);
  }

  #eoi(): void {
    const vector = this.#isr.highest();
    if (vector < 0) return;
    this.#isr.remove(vector);
    if (this.#tmr.has(vector)) {
      this.#bus.eoi(vector);
      // A level-sensitive pin that is still high asks again.
      for (const [n, level] of [
        [LVT.LINT0, this.#lint0],
        [LVT.LINT1, this.#lint1],
      ] as const)
        if (level && (this.#lvt[n]! & (0xff | LEVEL_TRIGGER)) === (vector | LEVEL_TRIGGER)) this.#local(n);
    }
    this.#settle();
  }

  #error(bit: number): void {
    const before = this.#errors;
    this.#errors |= bit;
    if (before !== this.#errors && (this.#lvt[LVT.ERROR]! & 0xff) >= 16) this.#local(LVT.ERROR);
  }

  #x2Ldr(): number {
    return (((this.#initialId >>> 4) << 16) | (1 << (this.#initialId & 15))) >>> 0;
  }

  #get(reg: number): number {
    if (reg >= REG.LVT_TIMER && reg <= REG.LVT_ERROR) return this.#lvt[reg - REG.LVT_TIMER]!;
    if (reg >= REG.ISR && reg < REG.ISR + 24) {
      const set = reg < REG.TMR ? this.#isr : reg < REG.IRR ? this.#tmr : this.#irr;
      return set.words[reg & 7]!;
    }
    switch (reg) {
      case REG.ID:
        return this.#x2 ? this.#id : (this.#id << 24) >>> 0;
      case REG.VERSION:
        return VERSION;
      case REG.TPR:
        return this.#tpr;
      case REG.APR:
      case REG.PPR:
        return this.#ppr;
      case REG.EOI:
      case REG.RRD:
        return 0;
      case REG.LDR:
        return this.#ldr;
      case REG.DFR:
        return this.#dfr;
      case REG.SVR:
        return this.#svr;
      case REG.ESR:
        return this.#esr;
      case REG.ICR:
        return this.#icrLow;
      case REG.ICR_HIGH:
        return this.#icrHigh;
      case REG.INITIAL:
        return this.#timer.initial;
      case REG.CURRENT:
        return this.#timer.current();
      case REG.DIVIDE:
        return this.#timer.divide;
      default:
        this.#error(ERROR.REGISTER);
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
        this.#tpr = value & 0xff;
        return this.#settle();
      case REG.ICR_HIGH:
        this.#icrHigh = (value & 0xff00_0000) >>> 0;
        return;
      case REG.INITIAL:
        return this.#timer.setInitial(value);
      case REG.ID:
        this.#id = value >>> 24;
        return;
      case REG.LDR:
        this.#ldr = (value & 0xff00_0000) >>> 0;
        return;
      case REG.DFR:
        this.#dfr = (value | 0x0fff_ffff) >>> 0;
        return;
      case REG.SVR:
        this.#svr = value & 0x1ff;
        // A disabled APIC has its local vectors masked.
        if ((value & SVR_ENABLE) === 0) for (let n = 0; n < LVT.COUNT; n++) this.#setLvt(n, this.#lvt[n]!);
        return this.#settle();
      case REG.ESR:
        this.#esr = this.#errors;
        this.#errors = 0;
        return;
      case REG.DIVIDE:
        return this.#timer.setDivide(value & 0xb);
      default:
        if (!READABLE.has(reg)) this.#error(ERROR.REGISTER);
    }
  }

  #setLvt(n: number, value: number): void {
    let entry = value & LVT_WRITABLE[n]!;
    if ((this.#svr & SVR_ENABLE) === 0) entry |= MASKED;
    this.#lvt[n] = entry;
    if (n === LVT.TIMER) this.#timer.setVector(Math.min(TIMER.DEADLINE, (entry >> 17) & 3), (entry & MASKED) !== 0);
    else if (n === LVT.LINT0) this.#settle();
  }

  /** Sends an interprocessor interrupt (11.6.1). */
  #command(value: number): void {
    this.#icrLow = (value & 0xc_dfff) >>> 0;
    const mode = (value >> 8) & 7;
    const vector = value & 0xff;
    // Level de-assert: nothing on processors with an integrated bus.
    if (mode === MODE.INIT && (value & 0xc000) === LEVEL_TRIGGER) return;
    if (mode === 3 || mode === MODE.EXTINT) return;
    if (mode <= MODE.LOWEST && vector < 16) return this.#error(ERROR.SEND_VECTOR);
    const shorthand = (value >> 18) & 3;
    if (shorthand === 1) return this.accept(mode, vector, false);
    if (shorthand === 0) {
      const dest = this.#x2 ? this.#icrHigh : this.#icrHigh >>> 24;
      this.#bus.deliver(!this.#x2 && dest === 0xff ? ALL : dest, (value & 0x800) !== 0, mode, vector, false);
      return;
    }
    for (const apic of this.#bus.apics)
      if (apic.enabled && (shorthand === 2 || apic !== this)) apic.accept(mode, vector, false);
  }
}
