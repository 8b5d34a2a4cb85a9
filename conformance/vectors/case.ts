import type { FloatCase } from "../float/testfloat.ts";

/** Bytes at an address of the guest. */
export interface MemoryBytes {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** One instruction (or a run to a halt): state before, state after. Register values are unsigned. */
export interface StepCase {
  readonly kind: "step";
  readonly line: number;
  /** Groups cases in reports: an opcode or a mnemonic. */
  readonly class: string;
  /** The instruction, for people. */
  readonly text: string;
  /** Complete state before. Memory regions that cases share are the same objects. */
  readonly registers: ReadonlyMap<string, bigint>;
  readonly memory: readonly MemoryBytes[];
  /** Runs until the instruction that halts instead of for one instruction. */
  readonly untilHalt?: boolean;
  readonly expected: {
    /** Only what changed; every other register of `registers` keeps its value. */
    readonly registers: ReadonlyMap<string, bigint>;
    /** Only what changed, likewise. */
    readonly memory: readonly MemoryBytes[];
    /**
     * Architectural number of the exception that the instruction raised; the registers are then those before its entry.
     * Formats whose state is that after the entry (r3000, 80286) leave it out, and their adapters run into the handler.
     */
    readonly exception?: number;
  };
  /** Bits that are not compared, by register. */
  readonly ignored: ReadonlyMap<string, bigint>;
  /** Values that are right too, by register: for machines that do not model load delays. */
  readonly alternatives?: ReadonlyMap<string, bigint>;
  /** Floating-point results are compared with a tolerance; the adapter's comparison says which. */
  readonly approximate?: boolean;
  /** The case is not to be compared, and why. */
  readonly skip?: string;
}

/** One floating-point operation. */
export interface FloatVector extends FloatCase {
  readonly kind: "float";
  readonly line: number;
  readonly class: string;
  readonly mode: string;
}

/** One encoding, for decoders. */
export interface DecodeCase {
  readonly kind: "decode";
  readonly line: number;
  readonly class: string;
  /** Bytes and meaning, for people. */
  readonly text: string;
  readonly mode: 16 | 32 | 64;
  readonly bytes: Uint8Array;
  /** Length of the instruction; absent: there is none. */
  readonly length?: number;
  /** The case is not to be compared, and why. */
  readonly skip?: string;
}

export type VectorCase = StepCase | FloatVector | DecodeCase;

/** A file of vectors as its reader understood it. */
export interface VectorFile {
  /** Name of the format. */
  readonly format: string;
  /** What the cases are for: x86_64, i386, i286, r3000, riscv64, float-riscv … */
  readonly target: string;
  /** Settings of the machine that the file's header gives. */
  readonly options: Readonly<Record<string, string>>;
  readonly cases: Iterable<VectorCase>;
}

/** A format. */
export interface Reader {
  readonly name: string;
  /** Whether the file looks like this format; `head` is its first line (at most 4096 characters). */
  sniff(head: string): boolean;
  /**
   * `file` is the name that the user gave, for formats that leave something to it.
   * @throws VectorError kind "malformed", naming the line.
   */
  read(text: string, file?: string): VectorFile;
}

/** What became of a case. `differences` names what differs and both values. */
export type Verdict =
  | { readonly equal: true }
  | { readonly skipped: string }
  | { readonly differences: readonly string[] };

/** Runs cases of a target. */
export interface Runner {
  run(test: VectorCase): Verdict;
}

/** What the user chose for adapters that run instructions. */
export interface RunSettings {
  /** Which back end of the execution engine; default `interp`. */
  readonly backend?: "interp" | "wasm" | "region" | "auto";
}

/** How to run the cases of some targets. */
export interface Adapter {
  readonly targets: readonly string[];
  /** The package that carries out the instructions, without the scope. */
  readonly needs: string;
  /** @returns the runner, or why there is none ("no target-x86 installed"). */
  open(file: VectorFile, settings?: RunSettings): Promise<Runner | { readonly missing: string }>;
}

export type VectorErrorKind = "unreadable" | "unknown-format" | "malformed";

/** A file that can't be run, and why. */
export class VectorError extends Error {
  override readonly name = "VectorError";
  readonly kind: VectorErrorKind;

  constructor(kind: VectorErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
