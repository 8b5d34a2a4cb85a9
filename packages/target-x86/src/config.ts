/** What a vCPU is built with, and the wires around it. Fixed after realize. */
import type { WordSize } from "./state.ts";

/** Port I/O. Values are unsigned; `size` is 1, 2 or 4; nothing answers: all ones. */
export interface PortBus {
  in(port: number, size: number): number;
  out(port: number, size: number, value: number): void;
}

/** What asks for interrupts by line 0 of the CPU: the local APIC, or the pair of 8259s where the CPU has none. */
export interface InterruptController {
  /** The vector of the highest interrupt, acknowledged; -1: there is none after all. */
  acknowledge(): number;
  /** Task priority, 0..15, as CR8 shows it. */
  tpr: number;
}

/**
 * The local APIC as its CPU sees it. It is the CPU's interrupt controller as well; an 8259 pair asks through its LINT0
 * input, and what `acknowledge` gives is the pair's vector then.
 */
export interface LocalApic extends InterruptController {
  /** IA32_APIC_BASE into `out`: low half, high half. */
  readBase(out: Uint32Array): void;
  /** @returns false: the value is not allowed (#GP) */
  writeBase(lo: number, hi: number): boolean;
  /** A register by its MSR: 0x800..0x83f in x2APIC mode, 0x6e0 IA32_TSC_DEADLINE. @returns false: there is no such register (#GP) */
  readMsr(msr: number, out: Uint32Array): boolean;
  writeMsr(msr: number, lo: number, hi: number): boolean;
  /** The CPU saw INIT: all but the APIC id and the base is as after reset. */
  initReset(): void;
  /** Where its page of registers lies: the CPU opens a {@link PhysicalWindow} on it at the APIC base. */
  readonly page: number;
  /** Set by the CPU: nanoseconds of the virtual clock at which its time stamp counter reaches the value. */
  deadlineOf?: ((lo: number, hi: number) => number) | undefined;
  /** The time stamp counter was written. */
  timeChanged?(): void;
}

/**
 * A piece of the physical address space that this CPU alone finds at another place: its local APIC's page, SMRAM. The
 * place is one that no guest can name: at or above 2^52.
 */
export interface PhysicalWindow {
  readonly base: number;
  readonly size: number;
  /** Where `base` is found. */
  readonly to: number;
  /** Only in system management mode. */
  readonly smm: boolean;
}

/** The machine's clock. */
export interface TimeSource {
  /** Time stamp counter, nanoseconds of the virtual clock, into `out`: low half, high half. */
  tsc(out: Uint32Array): void;
}

/** What the CPU asks of the machine around it. */
export interface CpuSignals {
  /** Shutdown after a triple fault: machines answer with a reset. */
  shutdown?(): void;
  /** FERR#: an unmasked x87 exception is pending and CR0.NE is 0. */
  ferr?(level: boolean): void;
  /** Entered or left system management mode. */
  smm?(active: boolean): void;
  /** 32 random bits, for RDRAND and RDSEED; absent: they say that there are none. */
  random?(): number;
  /** Where deliveries of interrupts and resets are told; absent: nowhere. */
  readonly log?: CpuLog;
}

/** What a CPU tells for people who look for errors. */
export interface CpuLog {
  /** Asked before a text is made. */
  wants(what: "interrupt" | "reset"): boolean;
  /** Calls `fn` when it may want something else. */
  onChange(fn: () => void): void;
  write(what: "interrupt" | "reset", text: string): void;
}

/** Numbers of the CPU's inputs, for `setIrq`. */
export const LINE = {
  /** Level. */
  intr: 0,
  /** Edge. */
  nmi: 1,
  /** Edge. */
  smi: 2,
  /** Edge. */
  init: 3,
  /** Edge; see `X86Cpu.sipi`. */
  sipi: 4,
  /** Level: A20M#, high: address bit 20 is as the program says. High after power-on. */
  a20: 5,
  /** Edge: IGNNE# by a write to port F0h. */
  ignne: 6,
} as const;

/** Everything constant about a vCPU. */
export interface X86Config {
  readonly word: WordSize;
  /** Features by QEMU's property names that are on: "sse4.2", "fsgsbase". */
  readonly features: ReadonlySet<string>;
  readonly apicId: number;
  /** The CPU that starts; others wait for INIT and SIPI. */
  readonly bootstrap: boolean;
  /** Physical address bits. */
  readonly physBits: number;
  /** Of Intel's make: SYSENTER works in long mode. */
  readonly intel: boolean;
  /** Threads of a core, cores of a package; whether this is the only CPU of the machine. */
  readonly topology: { readonly threads: number; readonly cores: number; readonly alone: boolean };
  /** MSR 0x8B: low, high half. */
  readonly microcode: readonly [number, number];
  /** CPUID leaf/subleaf to eax, ebx, ecx, edx: what the model answers before what depends on state. */
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number];
  /** Whether the answer to a leaf depends on the subleaf; absent: that of each may. */
  subleaves?(leaf: number): boolean;
}
