/** One x86 CPU: its state in the vCPU's block, and what of its behaviour is not translated code. */
import { ENV, StateBlock, type Access, type Engine, type TargetCpu, type Translation } from "@mimus/tcg";
import { LINE } from "./config.ts";
import type {
  CpuSignals, InterruptController, LocalApic, PhysicalWindow, PortBus, TimeSource, X86Config,
} from "./config.ts"; // prettier-ignore
import { ignoreErrors } from "./float/error.ts";
import { Walker } from "./mmu/walk.ts";
import { ALL_INDEXES, FLAG, HF, OFF, PENDING, regOffset, SEG_FIELD, segOffset } from "./state.ts";
import { BreakPoints } from "./system/debug.ts";
import { Descriptor } from "./system/descriptor.ts";
import { registerText } from "./system/dump.ts";
import { readEflags, writeEflags } from "./system/eflags.ts";
import { fastPaths, type FastPaths } from "./system/fast.ts";
import { updateFlags } from "./system/hflags.ts";
import { type CpuDebug, cpuDebug } from "./system/inspect.ts";
import { deliverException, takeInterrupt } from "./system/interrupt.ts";
import { memText, tlbText } from "./system/page-tables.ts";
import { initCpu, resetCpu } from "./system/reset.ts";
import { addressesStack } from "./system/stack-fault.ts";
import { StackFrame } from "./system/stack.ts";
import { counterDeadline } from "./system/msr.ts";
import { FAULT } from "./system/vectors.ts";

const NO_PORTS: PortBus = {
  in: (_port, size) => (size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff),
  out() {},
};
const NO_CONTROLLER: InterruptController = { acknowledge: () => -1, tpr: 0 };
const STOPPED_CLOCK: TimeSource = { tsc: (out) => void out.fill(0) };

/** Implements the engine's view of a vCPU. All state that a snapshot needs is in the state block. */
export class X86Cpu extends StateBlock implements TargetCpu {
  readonly index: number;
  readonly config: X86Config;
  /** Registers are 64 bits wide. */
  readonly wide: boolean;
  /** @internal */
  readonly walker: Walker;
  /** @internal */
  readonly breakPoints: BreakPoints;
  /** @internal */
  readonly fast: FastPaths;
  ports: PortBus = NO_PORTS;
  controller: InterruptController = NO_CONTROLLER;
  apic: LocalApic | undefined;
  time: TimeSource = STOPPED_CLOCK;
  signals: CpuSignals = {};
  /** @internal Descriptors being looked at: of the segment, of the stack, of the gate. */
  readonly descriptor: Descriptor = new Descriptor();
  /** @internal */
  readonly stackDescriptor: Descriptor = new Descriptor();
  /** @internal */
  readonly gate: Descriptor = new Descriptor();
  /** @internal */
  readonly stack: StackFrame = new StackFrame(this);
  /** @internal High word of what `system/memory.ts` read last. */
  readHigh = 0;
  /** @internal The exception being raised is for an address that is not canonical, or above a limit of 4 GiB. */
  notCanonical = false;
  /** Interrupts and exceptions that the log of deliveries has numbered. */
  deliveries = 0;
  /** @internal Two halves, for whoever needs them for a moment. */
  readonly pair: Uint32Array = new Uint32Array(2);

  constructor(engine: Engine, env: number, index: number, config: X86Config) {
    super(engine, env);
    this.index = index;
    this.config = config;
    this.wide = config.word === 64;
    this.walker = new Walker(this);
    this.breakPoints = new BreakPoints(this);
    this.fast = fastPaths(engine.memory);
    this.setLo(OFF.pending, 0);
    this.reset();
  }

  /** What monitors show: `info registers`, `info mem`, `info tlb`. */
  readonly inspect: Readonly<Record<string, () => string>> = {
    registers: () => registerText(this),
    mem: () => (this.index === 0 ? memText(this) : ""),
    tlb: () => (this.index === 0 ? tlbText(this) : ""),
  };

  /** @internal How monitors look into the CPU. */
  readonly debug: CpuDebug = cpuDebug(this);

  // ---- wires

  setPortBus(ports: PortBus): void {
    this.ports = ports;
  }
  setInterruptController(controller: InterruptController): void {
    this.controller = controller;
  }
  /** The local APIC: also what acknowledges interrupts from now on. */
  setApic(apic: LocalApic): void {
    this.apic = apic;
    this.controller = apic;
    apic.deadlineOf = (lo, hi) => counterDeadline(this, lo, hi);
    this.apicMoved();
  }
  /** The base of the local APIC changed: its page is found there, while it is enabled and not in x2APIC mode. */
  apicMoved(): void {
    const { apic, pair } = this;
    if (apic === undefined) return;
    apic.readBase(pair);
    const base = (pair[1]! & 0xfffff) * 2 ** 32 + ((pair[0]! & ~0xfff) >>> 0);
    const shown = (pair[0]! & 0xc00) === 0x800;
    this.setWindow("apic", shown ? { base, size: 4096, to: apic.page, smm: false } : undefined);
  }
  setTimeSource(time: TimeSource): void {
    this.time = time;
  }
  setSignals(signals: CpuSignals): void {
    this.signals = signals;
    const look = (): void => this.setLo(OFF.logged, this.signals.log?.wants("interrupt") === true ? 1 : 0);
    signals.log?.onChange(look);
    look();
  }
  /** Opens, moves or closes a window of this CPU's own in the physical address space. */
  setWindow(name: "apic" | "smram", window: PhysicalWindow | undefined): void {
    this.walker.setWindow(name, window);
  }

  // ---- state

  copy(to: number, from: number): void {
    this.set(to, this.lo(from), this.hi(from));
  }
  has(feature: string): boolean {
    return this.config.features.has(feature);
  }
  get cpl(): number {
    return this.lo(OFF.cpl);
  }
  /** EFLAGS with everything in it. */
  get eflags(): number {
    return readEflags(this);
  }
  set eflags(value: number) {
    writeEflags(this, value);
  }
  /** General register `n`. */
  reg(n: number): bigint {
    return this.bits64(regOffset(n));
  }
  /** Sets general register `n` to an unsigned 32-bit number. Only from helpers that may change registers, as those of IN. */
  setReg(n: number, value: number): void {
    this.set(regOffset(n), value, 0);
  }

  // ---- what the engine asks

  reset(): void {
    resetCpu(this);
  }

  /** Called after the state block was written as a whole (reset, snapshot): derived state follows. */
  stateReplaced(): void {
    this.walker.modeChanged();
    this.breakPoints.changed();
    this.updateFlags();
    this.engine.flushTlb(this.env, ALL_INDEXES);
    this.checkInterrupts();
  }

  /** Rebuilds `tbFlags`. Call after anything changed that they are made of. */
  updateFlags(): void {
    updateFlags(this);
  }

  /** Raises an exception; translated code leaves its block after the call that did. -1: no error code. */
  raise(vector: number, errorCode = -1): void {
    this.notCanonical = false;
    this.setLo(OFF.errorCode, errorCode);
    this.setLo(OFF.softLength, 0);
    this.setLo(ENV.exception, vector + 1);
  }

  /** Raises, and leaves the helper: see {@link FAULT}. */
  fault(vector: number, errorCode = -1): never {
    this.raise(vector, errorCode);
    throw FAULT;
  }

  translate(lo: number, hi: number, access: Access, mmu: number, size: number, out: Translation): boolean {
    return this.walker.translate(lo, hi, access, mmu, size, out);
  }

  /** Reads give all ones and writes are lost, without an exception. */
  busFault(): boolean {
    return false;
  }

  interrupt(): boolean {
    return takeInterrupt(this);
  }

  deliver(exception: number): void {
    deliverException(this, this.refine(exception));
  }

  /** #GP for an address that can't be is #SS where it is one of the stack segment. */
  refine(exception: number): number {
    const stack = this.notCanonical && exception === 13 && addressesStack(this);
    this.notCanonical = false;
    return stack ? 12 : exception;
  }

  restore(words: Int32Array, tbPcLo: number, tbPcHi: number): void {
    const lo = (tbPcLo + words[0]!) | 0;
    const carry = lo >>> 0 < tbPcLo >>> 0 ? 1 : 0;
    this.set(OFF.pc, lo, this.wide ? (tbPcHi + carry) | 0 : 0);
    if (words[1]! >= 0) this.setLo(OFF.ccOp, words[1]!);
  }

  /** A halted CPU wakes for an interrupt that it may take, NMI, SMI and INIT; one that waits for SIPI for that alone. */
  hasWork(): boolean {
    const pending = this.lo(OFF.pending);
    if (pending & PENDING.waitSipi) return (pending & PENDING.sipi) !== 0;
    if (pending & PENDING.nmi && (pending & PENDING.nmiBlocked) === 0) return true;
    if (pending & (PENDING.smi | PENDING.init)) return true;
    return (pending & PENDING.intr) !== 0 && (this.lo(OFF.eflags) & FLAG.if) !== 0;
  }

  // ---- inputs

  /** Sets an input: see {@link LINE}. */
  setIrq(line: number, level: boolean): void {
    switch (line) {
      case LINE.intr: {
        const pending = this.lo(OFF.pending);
        this.setLo(OFF.pending, level ? pending | PENDING.intr : pending & ~PENDING.intr);
        // Whether IF is set is not known while translated code runs: it may hold the flags itself.
        if (level && (pending & PENDING.intr) === 0) this.engine.kick(this.env);
        return;
      }
      case LINE.a20:
        return this.walker.setA20(level);
      case LINE.ignne:
        if (level) ignoreErrors(this);
        return;
      case LINE.nmi:
        return this.#edge(PENDING.nmi, level);
      case LINE.smi:
        return this.#edge(PENDING.smi, level);
      case LINE.init:
        return this.#edge(PENDING.init, level);
      default:
    }
  }

  #edge(bit: number, level: boolean): void {
    if (!level) return;
    this.setLo(OFF.pending, this.lo(OFF.pending) | bit);
    this.engine.kick(this.env);
  }

  /** A start-up IPI: a CPU that waits for one starts in real mode at `vector` × 4096. */
  sipi(vector: number): void {
    if ((this.lo(OFF.pending) & PENDING.waitSipi) === 0) return;
    this.setLo(OFF.pending, (this.lo(OFF.pending) & ~0xff00) | PENDING.sipi | ((vector & 0xff) << 8));
    this.engine.kick(this.env);
  }

  /** Takes INIT at once: for boards that reset a CPU by themselves. */
  init(): void {
    initCpu(this);
  }

  /** Asks the engine to look at interrupts when one may be taken, or when the CPU should wake. */
  checkInterrupts(): void {
    if (this.hasWork()) this.engine.kick(this.env);
  }

  /** In the shadow of STI or MOV SS. */
  get shadow(): boolean {
    return (this.lo(ENV.tbFlags) & HF.shadow) !== 0;
  }

  /** Base of a segment, low word: outside 64-bit code all of it. */
  base(segment: number): number {
    return this.lo(segOffset(segment) + SEG_FIELD.base);
  }
}
