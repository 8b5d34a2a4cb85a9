import type { CpuObject, Device, MachineBuilder } from "@mimus/machine-core";
import { BoardError } from "./errors.ts";

/** Inputs of an x86 CPU by number. */
export const LINE = { intr: 0, nmi: 1, smi: 2, init: 3, sipi: 4, a20: 5, ignne: 6 } as const;

/** Port I/O as a CPU asks for it: `size` is 1, 2 or 4, values are unsigned. */
export interface PortBus {
  in(port: number, size: number): number;
  out(port: number, size: number, value: number): void;
}

/** What the board needs of an x86 CPU object, whatever package it comes from. */
export interface BoardCpu {
  readonly config: {
    readonly features: ReadonlySet<string>;
    readonly apicId: number;
    cpuid(leaf: number, subleaf: number): readonly [number, number, number, number];
  };
  setPortBus(bus: PortBus): void;
  setInterruptController(controller: unknown): void;
  setApic(apic: unknown): void;
  setSignals?(signals: CpuSignals): void;
  /** A piece of physical memory that this CPU finds at another place. */
  setWindow?(
    name: "apic" | "smram",
    window: { base: number; size: number; to: number; smm: boolean } | undefined,
  ): void;
  setTimeSource?(source: { tsc(out: Uint32Array): void }): void;
  sipi(vector: number): void;
}

/** What a CPU tells the board. */
export interface CpuSignals {
  shutdown?(): void;
  ferr?(level: boolean): void;
  smm?(active: boolean): void;
}

/** A local APIC as the board wires it. */
export interface BoardApic {
  connect(pins: {
    intr(level: boolean): void;
    nmi(level: boolean): void;
    smi(level: boolean): void;
    init(): void;
    sipi(vector: number): void;
  }): void;
  /** The 8259 pair's output at LINT0. */
  extInt(level: boolean): void;
  /** The NMI button at LINT1. */
  lint1(level: boolean): void;
  setPic(pic: unknown): void;
}

/** One processor with its interrupt controller. */
export interface Processor {
  readonly cpu: CpuObject;
  readonly board: BoardCpu;
  readonly apicId: number;
  readonly apic: BoardApic | undefined;
}

/** The x86 CPU that a CPU object is. @throws BoardError when the CPU is none */
function boardCpuOf(cpu: CpuObject): BoardCpu {
  const board = cpu as unknown as Partial<BoardCpu>;
  if (board.config?.features === undefined || board.setPortBus === undefined)
    throw new BoardError("bad-option", `a PC runs x86 CPUs only; '${cpu.type.name}' is none`);
  return board as BoardCpu;
}

/** Bits that number `count` things. */
const bitsFor = (count: number): number => Math.ceil(Math.log2(Math.max(1, count)));

/**
 * The APIC id of CPU `index`: thread, core, die and socket, each in a field of its own.
 * Source: Intel SDM volume 3A (2023), 9.9.1 "Hierarchical mapping of shared resources".
 */
export function apicIdOf(index: number, t: { cores: number; threads: number; dies: number }): number {
  const thread = index % t.threads;
  const core = Math.floor(index / t.threads) % t.cores;
  const die = Math.floor(index / (t.threads * t.cores)) % t.dies;
  const socket = Math.floor(index / (t.threads * t.cores * t.dies));
  const coreShift = bitsFor(t.threads);
  const dieShift = coreShift + bitsFor(t.cores);
  const socketShift = dieShift + bitsFor(t.dies);
  return (socket << socketShift) | (die << dieShift) | (core << coreShift) | thread;
}

/** Makes the CPUs, each with a local APIC when its model has one. */
export function addProcessors(m: MachineBuilder): Processor[] {
  const { options, io } = m;
  if (io === undefined) throw new BoardError("bad-option", "a PC needs I/O ports");
  const topology = options.topology ?? { sockets: 1, dies: 1, cores: options.cpus, threads: 1, maxCpus: options.cpus };
  const ports: PortBus = {
    in(port, size) {
      const value = io.read(port, size as 1 | 2 | 4);
      return io.lastFault ? ALL_ONES[size]! : value;
    },
    out: (port, size, value) => io.write(port, size as 1 | 2 | 4, value),
  };
  return Array.from({ length: options.cpus }, (_, index): Processor => {
    const apicId = apicIdOf(index, topology);
    const cpu = m.createCpu(options.cpuType, { ...options.cpuProps, "apic-id": apicId }, index);
    const board = boardCpuOf(cpu);
    board.setPortBus(ports);
    board.setTimeSource?.(timeStamps(m));
    board.setSignals?.({ shutdown: () => m.requestReset("guest") });
    const wanted = board.config.features.has("apic") || topology.maxCpus > 1;
    const apic = wanted && m.registry.get("apic") !== undefined ? addApic(m, cpu, board, apicId) : undefined;
    return { cpu, board, apicId, apic };
  });
}

/** Time stamps: one count a nanosecond of guest time. */
function timeStamps(m: MachineBuilder): { tsc(out: Uint32Array): void } {
  const clock = m.clocks.virtual;
  return {
    tsc(out) {
      const now = clock.now();
      out[0] = now >>> 0;
      out[1] = Math.floor(now / 2 ** 32);
    },
  };
}

/** The NMI button: LINT1 of every local APIC, or the pin of a CPU that has none. */
export function interruptAll(processors: readonly Processor[]): void {
  for (const { cpu, apic } of processors)
    for (const level of [true, false])
      if (apic === undefined) cpu.setIrq(LINE.nmi, level);
      else apic.lint1(level);
}

const ALL_ONES: Readonly<Record<number, number>> = { 1: 0xff, 2: 0xffff, 4: 0xffffffff };

function addApic(m: MachineBuilder, cpu: CpuObject, board: BoardCpu, id: number): BoardApic {
  const device: Device = m.createDevice("apic", { id }, { parentPath: cpu.path, name: "lapic", realize: true });
  const apic = device.impl as BoardApic;
  const edge = (line: number): void => {
    cpu.setIrq(line, true);
    cpu.setIrq(line, false);
  };
  apic.connect({
    intr: (level) => cpu.setIrq(LINE.intr, level),
    nmi: (level) => cpu.setIrq(LINE.nmi, level),
    smi: (level) => cpu.setIrq(LINE.smi, level),
    init: () => edge(LINE.init),
    sipi: (vector) => {
      board.sipi(vector);
    },
  });
  board.setApic(apic);
  return apic;
}
