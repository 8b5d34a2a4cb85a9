import type { Translators } from "@mimus/decodetree";
import type { Value } from "@mimus/tcg";
import { PRIV } from "../constants.ts";
import { CSRS } from "../csr/table.ts";
import type { zicsr } from "../decode/zicsr.ts";
import type { Block } from "./block.ts";
import { INLINE_CSRS, type CsrAccess, type Update } from "./csr-inline.ts";

/** CSRs that are a global and nothing else. */
const INLINE = CSRS.filter((csr) => csr.inline !== undefined);

/** The mode may access CSR `number`, as far as its number says. */
const reachable = (b: Block, number: number): boolean => b.priv >= ((number >> 8) & 3);

/** Name of the global that holds CSR `number`, when this hart has it and its mode may access it so. */
function inlineGlobal(b: Block, number: number): string | undefined {
  return INLINE.find((csr) => csr.number === number && (csr.on?.(b.hart) ?? true))?.inline;
}

/** cycle, instret, mcycle, minstret: a block's instructions are counted at its start, so a read of them ends the block. */
const counts = (csr: number): boolean => (csr & 0xf7d) === 0xc00 || (csr & 0xf7d) === 0xb00;

/** `time` and its upper half: reading them changes nothing. */
const isTime = (csr: number): boolean => (csr & 0xf7f) === 0xc01;

/** A CSR whose value is a global. */
function viaGlobal(b: Block, global: string, { update, rd, operand, writes }: CsrAccess): void {
  const { ir } = b;
  const old = ir.get(global);
  if (writes)
    ir.set(global, update === "write" ? operand : update === "set" ? ir.or(old, operand) : ir.andc(old, operand));
  b.setX(rd, old);
}

/**
 * A write by the helper may change what translated code depends on, so it ends the block. The helper itself makes the
 * run loop look at interrupts that it unmasked.
 */
function access(b: Block, csr: number, a: CsrAccess): void {
  const { ir } = b;
  if (reachable(b, csr)) {
    const global = inlineGlobal(b, csr);
    if (global !== undefined) return viaGlobal(b, global, a);
    const exists = ((csr >> 8) & 3) !== PRIV.S || b.hart.ext.s;
    if (exists && INLINE_CSRS.get(csr)?.(b, a) === true) return;
  }
  const helper = isTime(csr) && !a.writes ? "csr_time" : "csr";
  b.setX(a.rd, ir.call(helper, ir.const32(b.bits), a.operand));
  if (a.writes) return b.endToLookup();
  if (!counts(csr)) return;
  b.jump(0, b.length);
  b.ctx.done = true;
}

type Register = { readonly rd: number; readonly rs1: number; readonly csr: number };
type Immediate = { readonly rd: number; readonly imm: number; readonly csr: number };
const byRegister =
  (update: Update) =>
  (b: Block, { rd, rs1, csr }: Register): void => {
    const operand: Value = b.x(rs1);
    access(b, csr, { update, rd, operand, known: b.known(operand), writes: update === "write" || rs1 !== 0 });
  };
const byImmediate =
  (update: Update) =>
  (b: Block, { rd, imm, csr }: Immediate): void =>
    access(b, csr, { update, rd, operand: b.imm(imm), known: imm, writes: update === "write" || imm !== 0 });

/** Semantics of Zicsr. Source: Unprivileged ISA 20191213, ch. 9. */
export const translateZicsr: Translators<Block, typeof zicsr.insns> = {
  csrrw: byRegister("write"),
  csrrs: byRegister("set"),
  csrrc: byRegister("clear"),
  csrrwi: byImmediate("write"),
  csrrsi: byImmediate("set"),
  csrrci: byImmediate("clear"),
};
