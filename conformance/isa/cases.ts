/** Random cases for each instruction of the decode tables. */
import { encode, type Entry } from "@mimus/decodetree";
import { isaParts, type IsaPart } from "@mimus/target-riscv";
import { float, integer, type Pair, type Random } from "./random.ts";
import { RECORD } from "./program.ts";

/** Instructions to run: one to test, after what it needs. */
export interface Encoding {
  readonly part: string;
  readonly name: string;
  readonly code: readonly { readonly word: number; readonly bytes: 2 | 4 }[];
  /** The rounding mode in force. Code is translated for it, so that it is the same in all states. */
  readonly frm: number;
  /** Operands of the instruction under test. */
  readonly operands: Readonly<Record<string, number>>;
  /** Where the stub's second exit lies; "none": there is none. */
  readonly target: "none" | "ahead" | "behind";
  /** This register holds the target's address less an offset. */
  readonly targetRegister?: { readonly n: number; readonly offset: number };
  /** These registers hold addresses in the record's window, a multiple of `align`, less an offset. */
  readonly pointers: readonly { readonly n: number; readonly align: number; readonly offset: number }[];
}

/** One case: an encoding, and the state it starts from. */
export interface Case {
  readonly encoding: Encoding;
  /** x0..x31 (x0 ignored), f0..f31. */
  readonly registers: readonly Pair[];
  readonly fcsr: number;
  readonly window: readonly number[];
  /** Offsets from the record's window, by register. */
  readonly addresses: readonly { readonly n: number; readonly offset: number }[];
}

/** Why an instruction is not compared. */
export const SKIPPED: Readonly<Record<string, string>> = {
  ecall: "system call under qemu-user",
  ebreak: "signal under qemu-user",
  c_ebreak: "signal under qemu-user",
  mret: "privileged",
  sret: "privileged",
  wfi: "privileged",
  sfence_vma: "privileged",
  sinval_vma: "privileged",
  sfence_w_inval: "privileged",
  sfence_inval_ir: "privileged",
  cbo_inval: "not in qemu 7.2",
  cbo_clean: "not in qemu 7.2",
  cbo_flush: "not in qemu 7.2",
  cbo_zero: "not in qemu 7.2",
  wrs_nto: "not in qemu 7.2",
  wrs_sto: "not in qemu 7.2",
};

/** An instruction to test. */
export interface Subject {
  readonly part: string;
  readonly entry: Entry;
}

/** Every instruction of a register width that can be compared. */
export function subjects(xlen: 32 | 64): Subject[] {
  return isaParts(xlen).flatMap((p: IsaPart) =>
    p.entries.filter((entry) => SKIPPED[entry.name] === undefined).map((entry) => ({ part: p.name, entry })),
  );
}

/** Shape of an instruction, from its operands. */
type Shape = "plain" | "memory" | "stack" | "branch" | "register-jump" | "reserved";

function shapeOf({ entry }: Subject): Shape {
  if (entry.name.startsWith("sc_")) return "reserved";
  if (/^(jalr|c_jr|c_jalr)$/.test(entry.name)) return "register-jump";
  if (entry.fields.some(([, f]) => f.kind === "pcrel")) return "branch";
  const text = entry.format.map((p) => (p.kind === "literal" ? p.text : p.kind === "field" ? p.name : "")).join("");
  if (/\(sp\)/.test(text)) return "stack";
  return /\(rs1\)/.test(text) ? "memory" : "plain";
}

const isAtomic = (name: string): boolean => /^(lr|sc|amo)/.test(name);

/** A random encoding of `subject`; `base` is a register it must not name. */
export function makeEncoding(r: Random, subject: Subject, base: number): Encoding {
  const { entry } = subject;
  const shape = shapeOf(subject);
  const bytes = entry.width === 16 ? 2 : 4;
  const target = shape === "branch" || shape === "register-jump" ? (r.chance(2) ? "ahead" : "behind") : "none";
  const operands: Record<string, number> = {};
  const addressed = shape === "memory" || shape === "register-jump" || shape === "reserved";
  for (const [name, field] of entry.fields) {
    // Of a zero word qemu 7.2's ctzw counts on into the upper half, so the operand must not be x0.
    const nonzero = name === "rs1" && (addressed || entry.name === "ctzw");
    const allowed = (v: number): boolean =>
      field.accepts(v) && (field.kind !== "x" || (v !== base && !(nonzero && v === 0)));
    let value: number;
    let tries = 0;
    do {
      if (field.kind === "pcrel") value = target === "ahead" ? bytes + 4 : -8;
      else if (field.kind === "csr") value = 1 + r.below(3);
      else if (field.kind.startsWith("rm")) value = r.pick([0, 1, 2, 3, 4, 7, 7, 7]);
      else if (field.kind === "x" && r.chance(8)) value = Object.values(operands)[0] ?? 0;
      else value = field.extract(r.u32());
      if (++tries > 200) throw new Error(`${entry.name}: no value for ${name}`);
    } while (!allowed(value));
    operands[name] = value;
  }
  const code: Encoding["code"][number][] = [{ word: encode(entry, operands), bytes }];
  const pointers: Encoding["pointers"][number][] = [];
  const rs1 = operands["rs1"] ?? 0;
  const offset = operands["imm"] ?? 0;
  const align = isAtomic(entry.name) ? (entry.name.endsWith("_w") ? 4 : 8) : 1;
  if (shape === "memory" || shape === "reserved") pointers.push({ n: rs1, align, offset });
  if (shape === "stack") pointers.push({ n: 2, align, offset });
  if (shape === "reserved") reserve(r, entry, rs1, pointers, code);
  // The low bit of the sum is cleared.
  const odd = entry.name === "jalr" && r.chance(2) ? 1 : 0;
  return {
    part: subject.part,
    name: entry.name,
    code,
    frm: r.below(5),
    operands,
    target,
    ...(shape === "register-jump" ? { targetRegister: { n: rs1, offset: offset - odd } } : {}),
    pointers,
  };
}

/** Mostly put a load-reserved before a store-conditional, mostly of the same address. */
function reserve(
  r: Random,
  entry: Entry,
  address: number,
  pointers: Encoding["pointers"][number][],
  code: Encoding["code"][number][],
): void {
  if (r.chance(8)) return;
  const rd = r.pick([0, 5, 6, 7, 10, 11].filter((n) => n !== address));
  let from = address;
  if (r.chance(6)) {
    from = r.pick([12, 13, 14].filter((n) => n !== address && n !== rd));
    pointers.push({ n: from, align: 8, offset: 0 });
  }
  const width = entry.name === "sc_d" ? 3 : 2;
  code.unshift({ word: ((2 << 27) | (from << 15) | (width << 12) | (rd << 7) | 0x2f) >>> 0, bytes: 4 });
}

/** A random state for `encoding` to start from. */
export function makeCase(r: Random, encoding: Encoding): Case {
  const { frm, operands, pointers, name } = encoding;
  const registers = Array.from({ length: 64 }, (_, n) => (n < 32 ? integer(r) : float(r)));
  const { rs1 = 0, rs2 = 0 } = operands;
  if (r.chance(8)) registers[rs2] = registers[rs1] as Pair;
  if (r.chance(8)) registers[32 + rs2] = registers[32 + rs1] as Pair;
  if (name === "ctzw") {
    const [low, high] = registers[rs1] as Pair;
    registers[rs1] = [low === 0 ? 1 << r.below(32) : low, high];
  }
  return {
    encoding,
    registers,
    fcsr: (frm << 5) | r.pick([0, 0, 1, 31, r.below(32)]),
    window: Array.from({ length: RECORD.windowSize / 4 }, () => (r.chance(2) ? integer(r)[0] : r.u32()) >>> 0),
    addresses: pointers.map(({ n, align, offset }) => {
      const where = r.below(RECORD.windowSize - 8);
      return { n, offset: where - (where % align) - offset };
    }),
  };
}
