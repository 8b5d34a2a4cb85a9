/** A process with one thread: it runs in slices, between which signals, timers and the host's events have their turn. */
import type { TcgMachine, TcgOptions, TcgStats, Translation, Vcpu } from "@mimus/tcg";
import type { Abi } from "../abi.ts";
import { E, RESTART } from "../errno.ts";
import { AddressSpace } from "../memory/address-space.ts";
import type { Process, ProcessHost, ProgramInfo, SyscallResult, Syscalls, Thread } from "../process.ts";
import { deliverSignals, returnFromHandler } from "../signals/deliver.ts";
import { SIG, sigInfo, type SigInfo } from "../signals/siginfo.ts";
import { Signals } from "../signals/signals.ts";
import type { CpuKernel, UserCpu, UserTarget } from "../target.ts";
import { createUserMachine } from "./machine.ts";
import { Slices } from "./slices.ts";

/** How a program ended. */
export type ExitStatus =
  | { readonly kind: "exited"; readonly status: number }
  | { readonly kind: "signaled"; readonly signal: number; readonly info: SigInfo; readonly core: boolean };

/** Lines for the log, by `-d` item. */
export interface ProcessLog {
  readonly strace?: (text: string) => void;
  readonly unimp?: (text: string) => void;
}

/** What a process is made of. */
export interface ProcessConfig {
  readonly target: UserTarget;
  readonly host: ProcessHost;
  readonly log?: ProcessLog;
  readonly addressSpace?: number;
  readonly tcg?: TcgOptions;
}

/** Limits that are none. */
const RLIMITS = 16;
const RLIMIT_AS = 9;
const RLIMIT_DATA = 2;
/** The counter that programs read runs at 10 MHz. */
const NS_PER_TICK = 100;
const NO_INFO: ProgramInfo = {
  path: "", argv: [], env: [], auxv: new Uint8Array(), startCode: 0, endCode: 0, startData: 0, endData: 0,
  startStack: 0, argStart: 0, argEnd: 0, envStart: 0, envEnd: 0,
}; // prettier-ignore

/** A process with one thread: it runs in slices, between which signals, timers and the host's events have their turn. */
export class LinuxProcess implements Process, CpuKernel {
  readonly abi: Abi;
  readonly target: UserTarget;
  readonly host: ProcessHost;
  readonly memory: AddressSpace;
  readonly engine: TcgMachine;
  readonly cpu: UserCpu;
  readonly pid: number;
  readonly threads: readonly Thread[];
  readonly current: Thread;
  readonly signals: Signals = new Signals();
  readonly limits: [number, number][] = Array.from({ length: RLIMITS }, () => [Infinity, Infinity]);
  info: ProgramInfo = NO_INFO;
  trampoline = 0;
  /** Whether a call ever had to wait for the host. */
  waited = false;
  /** Set before the program starts. */
  calls: Syscalls | undefined;
  readonly #vcpu: Vcpu;
  readonly #log: ProcessLog;
  readonly #slices: Slices;
  readonly #lo: Int32Array = new Int32Array(6);
  readonly #hi: Int32Array = new Int32Array(6);
  #ended: ExitStatus | undefined;
  #waiting: Promise<number> | undefined;
  #interrupt: (() => void) | undefined;

  /** @internal */
  constructor(config: ProcessConfig) {
    const { target, host } = config;
    this.target = target;
    this.abi = target.abi;
    this.host = host;
    this.#log = config.log ?? {};
    const machine = createUserMachine(target, this, config);
    this.memory = machine.space;
    this.engine = machine.engine;
    this.#vcpu = machine.vcpu;
    this.cpu = machine.cpu;
    const mappedMuch = host.reserved?.(machine.space.machine.buffer);
    if (mappedMuch !== undefined) machine.space.events = { ...machine.space.events, mappedMuch };
    this.pid = host.ids.pid;
    this.current = { tid: this.pid, clearChildTid: 0, robustList: 0, robustListSize: 0 };
    this.threads = [this.current];
    this.#slices = new Slices(host);
    const { mappings } = this.memory;
    mappings.limit = () => this.limits[RLIMIT_AS]![0];
    mappings.heap.limit = () => this.limits[RLIMIT_DATA]![0];
    this.signals.onDeliverable = () => this.#interrupt?.();
  }

  get executed(): number {
    return this.#vcpu.executed;
  }
  get stackPointer(): number {
    return this.cpu.sp;
  }
  get strace(): ((text: string) => void) | undefined {
    return this.#log.strace;
  }
  unimplemented(text: string): void {
    this.#log.unimp?.(text);
  }
  stats(): TcgStats {
    return this.engine.stats();
  }

  // What the CPU asks

  translate(lo: number, hi: number, access: 0 | 1 | 2, out: Translation): number {
    if (hi !== 0) return 1;
    const address = lo >>> 0;
    const why = this.memory.access(address, 1 << access);
    if (why !== 0) return why;
    out.physical = address;
    out.prot = this.memory.protection(address);
    out.pageBits = 12;
    return 0;
  }

  time(out: Uint32Array): void {
    const ticks = Math.floor(this.host.monotonicNs() / NS_PER_TICK);
    out[0] = ticks >>> 0;
    out[1] = Math.floor(ticks / 2 ** 32);
  }

  syscall(): void {
    const { cpu } = this;
    const number = cpu.syscallNumber();
    if (number === this.target.sigreturn) {
      returnFromHandler(this);
      return;
    }
    cpu.syscallArgs(this.#lo, this.#hi);
    const result: SyscallResult = this.calls === undefined ? -E.NOSYS : this.calls.call(number, this.#lo, this.#hi);
    if (typeof result === "number") this.#finish(result);
    else {
      this.#waiting = result;
      this.waited = true;
      this.#vcpu.kick();
    }
  }

  fault(signal: number, code: number, lo: number, hi: number): void {
    this.signals.force(sigInfo(signal, { code, addr: (lo >>> 0) + (hi >>> 0) * 2 ** 32 }));
    deliverSignals(this, undefined);
  }

  /** Ends the call in progress. */
  #finish(result: number): void {
    if (this.#ended !== undefined) return;
    if (result >= 0 && this.signals.deliverable === 0n) {
      this.cpu.syscallResult(result);
      this.signals.restoreSaved();
    } else deliverSignals(this, result);
  }

  // What system calls ask

  exit(status: number): void {
    this.#end({ kind: "exited", status: status & 255 });
  }

  kill(info: SigInfo): void {
    const core = [SIG.QUIT, SIG.ILL, SIG.TRAP, SIG.ABRT, SIG.BUS, SIG.FPE, SIG.SEGV, SIG.XCPU, SIG.XFSZ, SIG.SYS];
    const signal = info.signo;
    this.#end({ kind: "signaled", signal, info, core: (core as number[]).includes(signal) });
  }

  #end(status: ExitStatus): void {
    this.#ended ??= status;
    this.#interrupt?.();
    this.#vcpu.kick();
  }

  stop(signal: number): void {
    this.host.stop?.(signal);
  }

  raise(signal: number, info: Partial<SigInfo> = {}): void {
    this.signals.raise(sigInfo(signal, { pid: this.pid, uid: this.host.ids.uid, ...info }));
  }

  signalOther(pid: number, signal: number): number {
    return this.host.kill?.(pid, signal) ?? -E.SRCH;
  }

  flushInstructions(): void {}

  block(
    start: (done: (result: number) => void) => () => void,
    interrupted: number | (() => number) = -RESTART.sys,
  ): Promise<number> {
    const early = (): number => (typeof interrupted === "function" ? interrupted() : interrupted);
    if (this.signals.deliverable !== 0n) return Promise.resolve(early());
    return new Promise((resolve) => {
      let over = false;
      let stop: (() => void) | undefined;
      const finish = (result: number): void => {
        if (over) return;
        over = true;
        this.#interrupt = undefined;
        stop?.();
        resolve(result);
      };
      this.#interrupt = () => finish(early());
      stop = start(finish);
      if (over) stop();
    });
  }

  // Running

  /** Runs the program to its end. */
  async run(): Promise<ExitStatus> {
    try {
      await this.#loop();
    } finally {
      this.memory.close();
      this.calls?.close();
    }
    return this.#ended!;
  }

  async #loop(): Promise<void> {
    const slices = this.#slices;
    while (this.#ended === undefined) {
      if (this.#waiting !== undefined) {
        const result = await this.#waiting;
        this.#waiting = undefined;
        this.#finish(result);
        continue;
      }
      slices.begin();
      this.#vcpu.run(slices.budget);
      if (this.#ended !== undefined || !slices.end(this.#waiting !== undefined)) continue;
      await this.host.yield();
      if (this.#waiting === undefined && this.signals.deliverable !== 0n) deliverSignals(this, undefined);
    }
  }
}
