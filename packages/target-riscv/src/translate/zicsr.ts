import type { Translators } from "@mimus/decodetree";
import type { Value } from "@mimus/tcg";
import { CSRS } from "../csr/table.ts";
import type { zicsr } from "../decode/zicsr.ts";
import type { Block } from "./block.ts";

/** What an instruction does with the old value and its operand. */
type Update = "write" | "set" | "clear";

/** CSRs that are a global and nothing else. */
const INLINE = CSRS.filter((csr) => csr.inline !== undefined);

/** Name of the global that holds CSR `number`, when this hart has it and its mode may access it so. */
function inlineGlobal(b: Block, number: number): string | undefined {
  if (b.priv < ((number >> 8) & 3)) return undefined;
  return INLINE.find((csr) => csr.number === number && (csr.on?.(b.hart) ?? true))?.inline;
}

/** cycle, instret, mcycle, minstret: a block's instructions are counted at its start, so a read of them ends the block. */
const counts = (csr: number): boolean => (csr & 0xf7d) === 0xc00 || (csr & 0xf7d) === 0xb00;

/**
 * CSRRS and CSRRC with x0, or with immediate 0, read only. A write may change what translated code depends on, or
 * unmask an interrupt, so it ends the block.
 */
function access(b: Block, update: Update, csr: number, rd: number, operand: Value, writes: boolean): void {
  const { ir } = b;
  const global = inlineGlobal(b, csr);
  if (global !== undefined) {
    const old = ir.get(global);
    if (writes)
      ir.set(global, update === "write" ? operand : update === "set" ? ir.or(old, operand) : ir.andc(old, operand));
    b.setX(rd, old);
    return;
  }
  b.setX(rd, ir.call("csr", ir.const32(b.bits), operand));
  if (writes) return b.endToLoop();
  if (!counts(csr)) return;
  b.jump(0, b.address(b.length));
  b.ctx.done = true;
}

type Register = { readonly rd: number; readonly rs1: number; readonly csr: number };
type Immediate = { readonly rd: number; readonly imm: number; readonly csr: number };
const byRegister =
  (update: Update) =>
  (b: Block, { rd, rs1, csr }: Register): void =>
    access(b, update, csr, rd, b.x(rs1), update === "write" || rs1 !== 0);
const byImmediate =
  (update: Update) =>
  (b: Block, { rd, imm, csr }: Immediate): void =>
    access(b, update, csr, rd, b.imm(imm), update === "write" || imm !== 0);

/** Semantics of Zicsr. Source: Unprivileged ISA 20191213, ch. 9. */
export const translateZicsr: Translators<Block, typeof zicsr.insns> = {
  csrrw: byRegister("write"),
  csrrs: byRegister("set"),
  csrrc: byRegister("clear"),
  csrrwi: byImmediate("write"),
  csrrsi: byImmediate("set"),
  csrrci: byImmediate("clear"),
};
