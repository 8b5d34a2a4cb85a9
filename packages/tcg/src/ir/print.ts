import { constBig, definesValue, type Block, type Op } from "./block.ts";
import type { Slot } from "./ops.ts";
import { HINTS, TB_EXITS, type Value } from "./type.ts";

/** The block as text, which `parse` reads back. Values are numbered densely in order of definition. */
export function print(block: Block): string {
  const names = valueNames(block);
  const lines = block.ops.map((op, i) => (op.spec.name === "label" ? `L${op.imm}:` : `  ${line(block, names, op, i)}`));
  return [`func @${block.name}(pc ${hex(block.pc)}) {`, ...lines, "}", ""].join("\n");
}

/** One operation as text, for messages; values are named as in `print`. */
export function printOp(block: Block, index: number): string {
  const op = block.ops[index]!;
  return op.spec.name === "label" ? `L${op.imm}:` : line(block, valueNames(block), op, index);
}

/** The text name of each operation's value ("" if it defines none), by index. */
function valueNames(block: Block): string[] {
  let n = 0;
  return block.ops.map((op) => (definesValue(op) ? `%${n++}` : ""));
}

function line(block: Block, names: readonly string[], op: Op, index: number): string {
  const { spec } = op;
  const defined = names[index];
  const typed = spec.name === "call" ? op.helper?.result !== undefined : spec.types.length > 0;
  const suffix = (spec.hasCond ? `.${op.cond}` : "") + (typed ? `.${op.type}` : "") + (spec.hasMem ? `.${op.mem}` : "");
  const name = (v: number): string => names[v] || (v < 0 ? "%none" : `%!${v}`);
  const texts = spec.format.flatMap((slot) => slotText(block, op, slot, name));
  const separator = spec.name === "insn" ? " " : ", ";
  return `${defined ? `${defined} = ` : ""}${spec.name}${suffix} ${texts.join(separator)}`;
}

function slotText(block: Block, op: Op, slot: Slot, name: (v: number) => string): string[] {
  switch (slot) {
    case "a":
    case "b":
    case "c":
    case "d":
      return [name(op[slot])];
    case "args":
      return op.list.map((v) => name(v as Value));
    case "constant":
      return [constantText(op)];
    case "global":
      return [block.globals[op.imm]?.name ?? `?${op.imm}`];
    case "offset":
      return [hex(op.imm)];
    case "length":
      return [String(op.imm2)];
    case "bit":
    case "slot":
    case "number":
      return [String(op.imm)];
    case "mmu":
      return [`mmu=${op.imm}`];
    case "label":
      return [`L${op.imm}`];
    case "hint":
      return [`hint=${HINTS[op.imm]}`];
    case "exit":
      return [TB_EXITS[op.imm] ?? `?${op.imm}`];
    case "helper":
      return [op.helper?.name ?? "?"];
    case "rare":
      return op.imm2 === 1 ? ["rare"] : [];
    case "lane":
      return [String(op.imm)];
    case "lanes":
      return op.list.map(String);
    case "bytes":
      return [
        `0x${op.list
          .map((b) => b.toString(16).padStart(2, "0"))
          .toReversed()
          .join("")}`,
      ];
    case "words":
      return op.list.map(hex);
  }
}

function constantText(op: Op): string {
  const value = constBig(op);
  if (op.type === "f32" || op.type === "f64") return hex(BigInt.asUintN(op.type === "f32" ? 32 : 64, value));
  if (value >= -0xffffn && value <= 0xffffn) return String(value);
  return hex(BigInt.asUintN(op.type === "i32" ? 32 : 64, value));
}

function hex(n: number | bigint): string {
  return n < 0 ? String(n) : `0x${n.toString(16)}`;
}
