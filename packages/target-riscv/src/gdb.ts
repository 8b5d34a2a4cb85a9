/** Registers as debuggers see them. Source: GDB manual, "RISC-V Features". */
import type { HartConfig } from "./config.ts";
import type { Hart } from "./hart.ts";
import { CSRS } from "./csr/table.ts";
import { fOffset, OFF, xOffset } from "./state.ts";

/** One register of a target description. */
export interface GdbRegister {
  readonly name: string;
  readonly bits: 32 | 64;
  readonly type: "int" | "code_ptr" | "data_ptr" | "ieee_single" | "ieee_double";
  readonly group?: "general" | "float" | "csr";
  read(hart: Hart): bigint;
  write(hart: Hart, value: bigint): void;
}

/** A group of registers under a name that GDB knows. */
export interface GdbFeature {
  readonly name: string;
  readonly registers: readonly GdbRegister[];
}

/** ABI names of x0..x31. Source: RISC-V psABI 1.0, table 1. */
const X_NAMES =
  "zero ra sp gp tp t0 t1 t2 fp s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split(" ");
/** ABI names of f0..f31. Source: table 2. */
const F_NAMES = (
  "ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 " +
  "fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11"
).split(" ");
/** Registers that hold addresses. */
const POINTERS: Readonly<Record<number, "code_ptr" | "data_ptr">> = {
  1: "code_ptr",
  2: "data_ptr",
  3: "data_ptr",
  4: "data_ptr",
  8: "data_ptr",
};
const FLOAT_CSRS = [1, 2, 3];

/** The features of a hart; GDB numbers the registers in this order. */
export function gdbFeatures(config: HartConfig): GdbFeature[] {
  const { xlen, ext } = config;
  const present = CSRS.filter((csr) => csr.on?.(config) ?? true).toSorted((a, b) => a.number - b.number);
  const features: GdbFeature[] = [{ name: "org.gnu.gdb.riscv.cpu", registers: integerRegisters(xlen) }];
  if (ext.f)
    features.push({
      name: "org.gnu.gdb.riscv.fpu",
      registers: [
        ...F_NAMES.map((name, n) =>
          slotRegister(name, fOffset(n), ext.d ? 64 : 32, ext.d ? "ieee_double" : "ieee_single", "float"),
        ),
        ...present.filter((csr) => FLOAT_CSRS.includes(csr.number)).map((csr) => csrRegister(csr.name, csr.number, 32)),
      ],
    });
  features.push(
    {
      name: "org.gnu.gdb.riscv.csr",
      registers: present
        .filter((csr) => !FLOAT_CSRS.includes(csr.number))
        .map((csr) => csrRegister(csr.name, csr.number, xlen)),
    },
    { name: "org.gnu.gdb.riscv.virtual", registers: [privRegister(xlen)] },
  );
  return features;
}

function integerRegisters(xlen: 32 | 64): GdbRegister[] {
  const zero: GdbRegister = { name: "zero", bits: xlen, type: "int", group: "general", read: () => 0n, write() {} };
  return [
    zero,
    ...X_NAMES.slice(1).map((name, i) => slotRegister(name, xOffset(i + 1), xlen, POINTERS[i + 1] ?? "int", "general")),
    slotRegister("pc", OFF.pc, xlen, "code_ptr", "general"),
  ];
}

function slotRegister(
  name: string,
  offset: number,
  bits: 32 | 64,
  type: GdbRegister["type"],
  group: "general" | "float",
): GdbRegister {
  return {
    name,
    bits,
    type,
    group,
    read: (hart) => BigInt.asUintN(bits, hart.bits64(offset)),
    write(hart, value) {
      const lo = Number(BigInt.asIntN(32, value));
      // A narrow floating-point value is NaN-boxed; a narrow integer's upper half is not there.
      const hi = bits === 64 ? Number(BigInt.asIntN(32, value >> 32n)) : group === "float" ? -1 : 0;
      hart.set(offset, lo, hi);
    },
  };
}

function csrRegister(name: string, number: number, bits: 32 | 64): GdbRegister {
  return {
    name,
    bits,
    type: "int",
    group: "csr",
    read: (hart) => BigInt.asUintN(bits, hart.csrs.read(number)),
    write: (hart, value) => hart.csrs.write(number, value),
  };
}

/** The privilege level; a debugger may change it. */
function privRegister(xlen: 32 | 64): GdbRegister {
  return {
    name: "priv",
    bits: xlen,
    type: "int",
    read: (hart) => BigInt(hart.priv),
    write(hart, value) {
      const level = Number(value);
      if (level === 0 || level === 1 || level === 3) hart.setPriv(level);
    },
  };
}
