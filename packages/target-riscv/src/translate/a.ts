import type { Translators } from "@mimus/decodetree";
import type { AtomicOp, Value } from "@mimus/tcg";
import { EXC } from "../constants.ts";
import type { rv32a, rv64a } from "../decode/a.ts";
import type { Block } from "./block.ts";

type Amo = { readonly rd: number; readonly rs1: number; readonly rs2: number };
type Size = "s32" | "u64";

/** Natural alignment is required of all of A, without help from the memory system. */
function aligned(b: Block, address: Value, size: Size, code: number): void {
  b.when("tstne", address, b.imm(size === "s32" ? 3 : 7), () => b.raise(code, address));
}

const lr =
  (size: Size) =>
  (b: Block, { rd, rs1 }: { readonly rd: number; readonly rs1: number }): void => {
    const address = b.x(rs1);
    aligned(b, address, size, EXC.LOAD_MISALIGNED);
    const value = b.load(size, address);
    b.ir.set("res_addr", address);
    b.ir.set("res_val", value);
    b.setX(rd, value);
  };

/**
 * The store succeeds if the address is the reserved one and memory still holds the value that was loaded. That accepts
 * a location that changed and changed back, which a program using LR/SC as compare-and-swap cannot tell.
 */
const sc =
  (size: Size) =>
  (b: Block, { rd, rs1, rs2 }: Amo): void => {
    const { ir } = b;
    const address = b.x(rs1);
    const source = b.x(rs2);
    aligned(b, address, size, EXC.STORE_MISALIGNED);
    const fail = ir.label();
    const done = ir.label();
    ir.brcond("ne", address, ir.get("res_addr"), fail);
    const reserved = ir.get("res_val");
    const old = ir.cmpxchg(b.access(size), address, reserved, source, b.mmu);
    ir.set("res_addr", b.imm(-1));
    b.setX(rd, ir.setcond("ne", old, size === "s32" && b.rv64 ? ir.ext32s(reserved) : reserved));
    ir.br(done);
    ir.place(fail);
    ir.set("res_addr", b.imm(-1));
    b.setX(rd, b.imm(1));
    ir.place(done);
  };

const amo =
  (op: AtomicOp, size: Size) =>
  (b: Block, { rd, rs1, rs2 }: Amo): void => {
    const address = b.x(rs1);
    aligned(b, address, size, EXC.STORE_MISALIGNED);
    b.setX(rd, b.ir.atomic(op, b.access(size), address, b.x(rs2), b.mmu));
  };

/** Semantics of RV32A. Source: Unprivileged ISA 20191213, ch. 8. */
export const translateRv32a: Translators<Block, typeof rv32a.insns> = {
  lr_w: lr("s32"),
  sc_w: sc("s32"),
  amoswap_w: amo("xchg", "s32"),
  amoadd_w: amo("add", "s32"),
  amoxor_w: amo("xor", "s32"),
  amoand_w: amo("and", "s32"),
  amoor_w: amo("or", "s32"),
  amomin_w: amo("smin", "s32"),
  amomax_w: amo("smax", "s32"),
  amominu_w: amo("umin", "s32"),
  amomaxu_w: amo("umax", "s32"),
};

/** Semantics of what RV64A adds. */
export const translateRv64a: Translators<Block, typeof rv64a.insns> = {
  lr_d: lr("u64"),
  sc_d: sc("u64"),
  amoswap_d: amo("xchg", "u64"),
  amoadd_d: amo("add", "u64"),
  amoxor_d: amo("xor", "u64"),
  amoand_d: amo("and", "u64"),
  amoor_d: amo("or", "u64"),
  amomin_d: amo("smin", "u64"),
  amomax_d: amo("smax", "u64"),
  amominu_d: amo("umin", "u64"),
  amomaxu_d: amo("umax", "u64"),
};
