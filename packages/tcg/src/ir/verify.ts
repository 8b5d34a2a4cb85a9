import { definesValue, forEachOperand, resultType, type Block, type Op } from "./block.ts";
import { dominators } from "./dominators.ts";
import { IrError } from "./errors.ts";
import type { OperandKind } from "./ops.ts";
import { laneCount } from "./ops/vector.ts";
import { printOp } from "./print.ts";
import { HINTS, MEM_OPS, NONE, TB_EXITS, typeBytes, type IrType, type Value } from "./type.ts";

/**
 * Checks a block against the rules of the IR: types, immediates, definition before use on every path, labels placed
 * once, no end without a terminator, guest instructions in order. Used in tests and between passes; never on a hot path.
 * @throws IrError verify, naming the operation
 */
export function verify(block: Block): void {
  for (let i = 0; i < block.ops.length; i++) {
    checkOp(block, i);
  }
  checkControl(block);
  checkDominance(block);
}

function fail(block: Block, at: number, message: string): never {
  throw new IrError("verify", `@${block.name}, operation ${at} (${printOp(block, at)}): ${message}`, at);
}

function checkOp(block: Block, at: number): void {
  const op = block.ops[at]!;
  const { spec } = op;
  if (spec.types.length > 0 && !spec.types.includes(op.type)) fail(block, at, `T may not be ${op.type}`);
  const operands = [op.a, op.b, op.c, op.d];
  for (let n = 0; n < 4; n++) {
    const kind = spec.operands[n];
    const v = operands[n]!;
    if (kind === undefined ? v !== NONE : !isValue(block, v)) fail(block, at, `operand ${n} is ${v}`);
    if (kind !== undefined) checkType(block, at, n, kind, v);
  }
  if (spec.result === "call") checkCall(block, at, op);
  checkImmediates(block, at, op);
  if (spec.hasMem) checkMemory(block, at, op);
}

function isValue(block: Block, v: Value): boolean {
  const op = block.ops[v];
  return op !== undefined && definesValue(op);
}

function checkType(block: Block, at: number, n: number, kind: OperandKind, v: Value): void {
  const got = resultType(block.ops[v]!);
  const type = block.ops[at]!.type;
  const bits: Record<IrType, IrType> = { i32: "f32", i64: "f64", f32: "i32", f64: "i64", v128: "v128" };
  const wanted = kind === "T" ? type : kind === "bits" ? bits[type] : kind;
  const fits = wanted === "address" ? got === "i32" || got === "i64" : got === wanted;
  if (!fits) fail(block, at, `operand ${n} is ${got}, wanted ${wanted}`);
}

function checkCall(block: Block, at: number, op: Op): void {
  if (op.helper === undefined) fail(block, at, "no helper");
  const params = op.helper.params.filter((p) => p !== "env");
  if (params.length !== op.list.length) fail(block, at, `wants ${params.length} operands`);
  for (const [n, v] of op.list.entries()) {
    if (!isValue(block, v as Value)) fail(block, at, `operand ${n} is ${v}`);
    checkType(block, at, n, params[n]!, v as Value);
  }
}

function checkImmediates(block: Block, at: number, op: Op): void {
  const { spec, imm, imm2 } = op;
  const width = typeBytes(op.type) * 8;
  const inRange = (n: number, low: number, high: number, what: string): void => {
    if (!Number.isInteger(n) || n < low || n > high) fail(block, at, `${what} ${n} is not in ${low}…${high}`);
  };
  for (const slot of spec.format) {
    if (slot === "constant") {
      if (imm !== (imm | 0) || imm2 !== (imm2 | 0)) fail(block, at, "halves are not int32");
      if (width === 32 && imm2 !== imm >> 31) fail(block, at, "the upper half of a 32-bit constant is not its sign");
    }
    if (slot === "global") {
      inRange(imm, 0, block.globals.length - 1, "global");
      const { type } = block.globals[imm]!;
      if (type !== op.type) fail(block, at, `the global is ${type}`);
    }
    if (slot === "label") inRange(imm, 0, block.labels - 1, "label");
    if (slot === "slot") inRange(imm, 0, 1, "slot");
    if (slot === "hint") inRange(imm, 0, HINTS.length - 1, "hint");
    if (slot === "exit") inRange(imm, 0, TB_EXITS.length - 1, "reason");
    if (slot === "lane") inRange(imm, 0, laneCount(spec.name) - 1, "lane");
    if (slot === "lanes" || slot === "bytes") {
      if (op.list.length !== 16) fail(block, at, `wants 16 ${slot}, has ${op.list.length}`);
      for (const n of op.list) inRange(n, 0, slot === "lanes" ? 31 : 255, slot);
    }
    if (slot === "mmu") inRange(imm, 0, 7, "mmu index");
    if (slot === "length") inRange(imm2, 1, width - imm, "length");
    if (slot === "bit") inRange(imm, spec.name === "extract2" ? 1 : 0, width - 1, "bit");
  }
}

function checkMemory(block: Block, at: number, op: Op): void {
  const { bytes, signed, bigEndian } = MEM_OPS[op.mem];
  const size = typeBytes(op.type);
  const integer = op.type === "i32" || op.type === "i64";
  if (bytes > size || (!integer && bytes !== size) || (op.mem === "v128") !== (op.type === "v128"))
    fail(block, at, `${op.mem} does not fit ${op.type}`);
  if (signed && bytes === size) fail(block, at, `${op.mem} extends nothing: write it without sign`);
  if (signed && (op.spec.name === "st" || op.spec.name === "env_st")) fail(block, at, "a store extends nothing");
  if (op.spec.name !== "env_ld" && op.spec.name !== "env_st") return;
  if (bigEndian) fail(block, at, "the state block is little-endian");
  for (const g of block.globals)
    if (op.imm < g.offset + typeBytes(g.type) && g.offset < op.imm + bytes)
      fail(block, at, `overlaps the global ${g.name}`);
}

/** Labels placed once, nothing after a terminator but a label, a terminator at the end, instructions numbered upwards. */
function checkControl(block: Block): void {
  const placed = new Set<number>();
  let insn = -1;
  for (const [at, op] of block.ops.entries()) {
    const before = block.ops[at - 1];
    const name = op.spec.name;
    if (before?.spec.terminator && name !== "label") fail(block, at, "not reachable: it follows a terminator");
    if (name === "label") {
      if (placed.has(op.imm)) fail(block, at, "placed twice");
      placed.add(op.imm);
    }
    if (name === "insn") {
      if (op.imm <= insn) fail(block, at, `follows instruction ${insn}`);
      insn = op.imm;
    }
  }
  for (const [at, op] of block.ops.entries())
    if ((op.spec.name === "br" || op.spec.name === "brcond") && !placed.has(op.imm))
      fail(block, at, "label is not placed");
  const last = block.ops.length - 1;
  if (last < 0) throw new IrError("verify", `@${block.name} is empty`);
  if (!block.ops[last]!.spec.terminator) fail(block, last, "control runs off the end");
}

function checkDominance(block: Block): void {
  const dominates = dominators(block);
  for (let at = 0; at < block.ops.length; at++)
    forEachOperand(block.ops[at]!, (v) => {
      if (v >= at || !dominates(v, at)) fail(block, at, `%${v} is not defined on every path to here`);
    });
}
