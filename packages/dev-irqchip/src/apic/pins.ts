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
