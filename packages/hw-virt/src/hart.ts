import type { CpuObject } from "@mimus/machine-core";
import { BoardError } from "./boot/errors.ts";
import type { FdtHart } from "./fdt.ts";

/** Interrupt inputs of a hart: bit numbers of mip. Source: RISC-V Privileged 20211203, 3.1.9. */
export const HART_LINE = { SSI: 1, MSI: 3, MTI: 7, SEI: 9, MEI: 11 } as const;

/** Where a hart's `time` comes from. */
export interface TimeSource {
  /** The count into `out`: low half, high half. */
  time(out: Uint32Array): void;
  /** The virtual time, ns, at which the count reaches a value: undefined when it has, Infinity when never. */
  deadline(lo: number, hi: number): number | undefined;
}

/** What the board needs of a RISC-V CPU object, whatever package it comes from. */
export interface BoardHart {
  readonly config: {
    readonly xlen: 32 | 64;
    readonly hartid: number;
    readonly paging: string;
    readonly pmuCounters: number;
    readonly ext: { readonly zicbom: boolean; readonly zicboz: boolean };
    readonly cbomBlock: number;
    readonly cbozBlock: number;
  };
  /** The ISA string for device trees. */
  readonly isaString: string;
  setTimeSource(source: TimeSource): void;
  /** The time source jumped. */
  timeChanged(): void;
}

/** The hart that a CPU object is. @throws BoardError when the CPU is no RISC-V hart */
export function hartOf(cpu: CpuObject): BoardHart {
  const hart = cpu as unknown as Partial<BoardHart>;
  if (hart.config === undefined || hart.setTimeSource === undefined || typeof hart.isaString !== "string") {
    throw new BoardError("bad-option", `machine virt runs RISC-V CPUs only; '${cpu.type.name}' is none`);
  }
  return hart as BoardHart;
}

/** What the device tree says about a hart. Sv57 is told as Sv48, which every such hart has too: older kernels know no more. */
export function fdtHart({ config, isaString }: BoardHart): FdtHart {
  const mode = config.paging === "sv57" ? "sv48" : config.paging;
  return {
    isa: isaString,
    mmu: `riscv,${mode}`,
    ...(config.ext.zicbom ? { cbom: config.cbomBlock } : {}),
    ...(config.ext.zicboz ? { cboz: config.cbozBlock } : {}),
  };
}
