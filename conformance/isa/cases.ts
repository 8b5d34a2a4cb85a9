/** Random cases for each instruction of the decode tables. */
import { encode, type Entry } from "@mimus/decodetree";
import { isaParts, type IsaPart } from "@mimus/target-riscv";
import { float, integer, type Pair, type Random } from "./random.ts";
import { RECORD } from "./program.ts";

/** One case: instructions to run, and the state they start from. */
export interface Case {
  readonly part: string;
  readonly name: string;
  readonly code: readonly { readonly word: number; readonly bytes: 2 | 4 }[];
  /** x0..x31 (x0 ignored), f0..f31. */
  readonly registers: readonly Pair[];
  readonly fcsr: number;
  readonly window: readonly number[];
  /** Where the stub's second exit lies; "none": there is none. */
  readonly target: "none" | "ahead" | "behind";
  /** This register holds the target's address less an offset. */
  readonly targetRegister?: { readonly n: number; readonly offset: number };
  /** These registers hold addresses in the record's window, plus an offset. */
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

/** A random case for `subject`; `base` is a register it must not name. */
export function makeCase(r: Random, subject: Subject, base: number): Case {
  const { entry } = subject;
  const shape = shapeOf(subject);
  const bytes = entry.width === 16 ? 2 : 4;
  const target = shape === "branch" || shape === "register-jump" ? (r.chance(2) ? "ahead" : "behind") : "none";
  const values: Record<string, number> = {};
  const addressed = shape === "memory" || shape === "register-jump" || shape === "reserved";
  for (const [name, field] of entry.fields) {
    const address = addressed && name === "rs1";
    const allowed = (v: number): boolean =>
      field.accepts(v) && (field.kind !== "x" || (v !== base && !(address && v === 0)));
    let value: number;
    let tries = 0;
    do {
      if (field.kind === "pcrel") value = target === "ahead" ? bytes + 4 : -8;
      else if (field.kind === "csr") value = 1 + r.below(3);
      else if (field.kind.startsWith("rm")) value = r.pick([0, 1, 2, 3, 4, 7, 7, 7]);
      else if (field.kind === "x" && r.chance(8)) value = Object.values(values)[0] ?? 0;
      else value = field.extract(r.u32());
      if (++tries > 200) throw new Error(`${entry.name}: no value for ${name}`);
    } while (!allowed(value));
    values[name] = value;
  }
  const word = encode(entry, values);
  const registers = Array.from({ length: 64 }, (_, n) => (n < 32 ? integer(r) : float(r)));
  // Operands that are likely to matter to each other: equal, or one off.
  if (r.chance(8)) registers[values["rs2"] ?? 0] = registers[values["rs1"] ?? 0] as Pair;
  // Of a zero word qemu 7.2 counts on into the upper half; the specification says 32.
  if (entry.name === "ctzw") {
    const [low, high] = registers[values["rs1"] ?? 0] as Pair;
    registers[values["rs1"] ?? 0] = [low === 0 ? 1 << r.below(32) : low, high];
    if (values["rs1"] === 0) return makeCase(r, subject, base);
  }
  const addresses: { n: number; offset: number }[] = [];
  const code: { word: number; bytes: 2 | 4 }[] = [{ word, bytes }];
  const rs1 = values["rs1"] ?? 0;
  const offset = values["imm"] ?? 0;
  if (shape === "memory" || shape === "stack") {
    const where = isAtomic(entry.name)
      ? 8 * r.below(7) + (entry.name.endsWith("_w") ? 4 * r.below(2) : 0)
      : r.below(RECORD.windowSize - 8);
    addresses.push({ n: shape === "stack" ? 2 : rs1, offset: where - offset });
  }
  if (shape === "reserved") reserve(r, entry, values, addresses, code);
  // Negative offsets make the low bit of the sum matter, which is cleared.
  const odd = entry.name === "jalr" && r.chance(2) ? 1 : 0;
  return {
    part: subject.part,
    name: entry.name,
    code,
    registers,
    fcsr: (r.below(5) << 5) | r.pick([0, 0, 1, 31, r.below(32)]),
    window: Array.from({ length: RECORD.windowSize / 4 }, () => (r.chance(2) ? integer(r)[0] : r.u32()) >>> 0),
    target,
    ...(shape === "register-jump"
      ? { targetRegister: { n: rs1, offset: (entry.name === "jalr" ? offset : 0) - odd } }
      : {}),
    addresses,
  };

  function reserve(
    rr: Random,
    e: Entry,
    v: Readonly<Record<string, number>>,
    list: { n: number; offset: number }[],
    insns: { word: number; bytes: 2 | 4 }[],
  ): void {
    const wide = e.name === "sc_d";
    const at = 8 * rr.below(7);
    list.push({ n: v["rs1"] ?? 0, offset: at });
    if (rr.chance(8)) return; // no reservation, or that of an earlier case
    const rd = rr.pick([0, 5, 6, 7, 10, 11].filter((n) => n !== v["rs1"]));
    let from = v["rs1"] ?? 0;
    if (rr.chance(6)) {
      from = rr.pick([12, 13, 14].filter((n) => n !== v["rs1"] && n !== rd));
      list.push({ n: from, offset: 8 * rr.below(7) });
    }
    insns.unshift({ word: ((2 << 27) | (from << 15) | ((wide ? 3 : 2) << 12) | (rd << 7) | 0x2f) >>> 0, bytes: 4 });
  }
}
