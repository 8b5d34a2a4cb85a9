/** What a vCPU is built with, and the wires around it. Fixed after realize. */
import type { WordSize } from "./state.ts";

/** Port I/O. Values are unsigned; `size` is 1, 2 or 4; nothing answers: all ones. */
export interface PortBus {
  in(port: number, size: number): number;
  out(port: number, size: number, value: number): void;
}

/** What asks for interrupts: the local APIC, or the pair of 8259s where the CPU has none. */
export interface InterruptController {
  /** The vector of the highest interrupt, acknowledged; -1: there is none after all. */
  acknowledge(): number;
  /** Task priority, 0..15, as CR8 shows it. */
  tpr: number;
}

/** One instant of the machine's clock. */
export interface TimeSource {
  /** Time stamp counter into `out`: low half, high half. */
  tsc(out: Uint32Array): void;
}

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
  /** CPUID leaf/subleaf to eax, ebx, ecx, edx: what the model answers before what depends on state. */
  cpuid(leaf: number, subleaf: number): readonly [number, number, number, number];
}
