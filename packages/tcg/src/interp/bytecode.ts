/** Turns the IR of one block into bytecode: chooses slots for values, picks handlers, folds constants into operands. */
import { chainSlot } from "../exec/chains.ts";
import { ENV } from "../exec/contract.ts";
import type { Block, Op } from "../ir/block.ts";
import { opOf, resultType } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { OpSpec } from "../ir/ops.ts";
import type { Cond, EnvField, IrType, Value } from "../ir/type.ts";
import { INVERSE, typeBytes } from "../ir/type.ts";
import { emitPure } from "../ir/wasm-ops.ts";
import { atomicIndex, littleEndian } from "../wasm/memory-ops.ts";
import type { Handler, Handlers } from "./handlers.ts";
import { ImmediateRecorder } from "./handlers.ts";
import { isSmall, isZero } from "./constants.ts";
import { SlotStack } from "./slot-stack.ts";
import type { Stamp } from "./stamp.ts";
import { Uses } from "./uses.ts";

/** The slot that always holds zero. */
const ZERO_SLOT = ENV.temps;
const NOWHERE = -1;
const NO_UNITS = [0, 0, 0] as const;

/** A block needs more temporaries, or more bytecode, than there is room for. */
export class BytecodeOverflow extends Error {}

/**
 * Writes bytecode. One writer serves all blocks of a machine.
 *
 * A `get` is no instruction: its value lives in the global's own slot, as long as nothing writes the global before the
 * value's last use. An operation whose result goes into a global writes the global's slot itself, unless something in
 * between could see or need the old value.
 */
export class BytecodeWriter {
  readonly #handlers: Handlers;
  readonly #globals: readonly EnvField[];
  readonly #recorder = new ImmediateRecorder();
  readonly #uses: Uses;

  // Per operation of the block.
  #slotOf = new Int32Array(512);
  /** For an operation: position of the `set` that it writes to directly, or -1. */
  #target = new Int32Array(512);
  /** Per global: the position up to which aliases of it are read. */
  readonly #aliasedUntil: Int32Array;
  readonly #free = new SlotStack();
  /** Free slots for vectors. */
  readonly #freeWide = new SlotStack();
  #nextTemp = 0;

  /** 16-bit units of the current block's bytecode. */
  code: Uint16Array<ArrayBuffer> = new Uint16Array(4096);
  length = 0;
  /** The words of the current block's instructions, one instruction's after the other's. */
  words: Int32Array<ArrayBuffer> = new Int32Array(256);
  /** Per label: its place in the bytecode; before that is known, -1. */
  #labelAt = new Int32Array(64);
  /** Of branches: the places to fill in, those they are relative to, and their labels. */
  readonly #fixups: number[] = [];
  #fixupCount = 0;
  /** Where a label was placed last, and where a constant of 32 bits begins that was put into a slot last. */
  #lastLabel = -1;
  #lastConstant = -1;

  readonly #pcGlobal: number;
  /** Units of the instruction that puts a constant of 32 bits into a slot. */
  readonly #constantUnits: number;
  /** Results of type i32 fill their slot, with zeros above. */
  readonly #wide: boolean;
  readonly #insnWords: number;

  constructor(handlers: Handlers, globals: readonly EnvField[], pcGlobal: number, insnWords = 1) {
    this.#handlers = handlers;
    this.#insnWords = insnWords;
    this.#pcGlobal = pcGlobal;
    this.#constantUnits = handlers.const32.size / 2;
    this.#globals = globals;
    this.#uses = new Uses(globals, handlers.word === "i64");
    this.#aliasedUntil = new Int32Array(globals.length);
    this.#wide = handlers.word === "i64";
  }

  /** Writes the block to `code`, `length` units. @throws BytecodeOverflow */
  write(block: Block): void {
    this.length = 0;
    this.append(block);
  }

  /** Writes a block, or a part of one, behind what is there. @throws BytecodeOverflow */
  append(block: Block): void {
    const all = block.ops;
    const count = all.length;
    if (count > this.#slotOf.length) this.#grow(count);
    if (block.labels > this.#labelAt.length) this.#labelAt = new Int32Array(block.labels * 2);
    this.#reset(count, block.labels);
    this.#uses.find(all, block.labels);
    this.#assign(block);
    let site = 0;
    for (let i = 0; i < count; i++) {
      const op = all[i]!;
      if (op.spec === ops.insn) this.note((site = op.imm), op.list);
      else this.#emit(block, op, i, site);
      if (this.length > 60000) throw new BytecodeOverflow("Block too long");
    }
    for (let n = 0; n < this.#fixupCount; n += 3) {
      const at = this.#fixups[n]!;
      const distance = (this.#labelAt[this.#fixups[n + 2]!]! - this.#fixups[n + 1]!) * 2;
      this.code[at] = distance;
      this.code[at + 1] = distance >> 16;
    }
  }

  /** Notes the words of an instruction. */
  note(insn: number, list: readonly number[]): void {
    const perInsn = this.#insnWords;
    const from = insn * perInsn;
    if (from + perInsn > this.words.length) {
      const more = new Int32Array((from + perInsn) * 2);
      more.set(this.words);
      this.words = more;
    }
    for (let n = 0; n < perInsn; n++) this.words[from + n] = list[n] ?? 0;
  }

  /** Copies bytecode behind what is there, with values in its places. */
  stamp({ units, places }: Stamp, values: Int32Array): void {
    const from = this.length;
    if (from + units.length > this.code.length) this.#enlarge();
    const { code } = this;
    for (let i = 0; i < units.length; i++) code[from + i] = units[i]!;
    this.length = from + units.length;
    for (let i = 0; i < places.length; i += 3) code[from + places[i]!] = values[places[i + 1]!]! >> places[i + 2]!;
  }

  /** Bytecode that does nothing but go to the block at pc. */
  jumpCacheLookup(): number[] {
    return [this.#handlers.find(ops.goto_ptr, "i32", "eq", "u8", false).index, 0];
  }

  #grow(count: number): void {
    this.#slotOf = new Int32Array(count * 2);
    this.#target = new Int32Array(count * 2);
  }

  #reset(count: number, labels: number): void {
    // Most blocks are short: a loop is over sooner than two calls.
    const [slotOf, target] = [this.#slotOf, this.#target];
    for (let i = 0; i < count; i++) {
      target[i] = -1;
      slotOf[i] = NOWHERE;
    }
    for (let l = 0; l < labels; l++) this.#labelAt[l] = -1;
    this.#aliasedUntil.fill(-1);
    this.#free.clear();
    this.#freeWide.clear();
    this.#nextTemp = ENV.temps + 8;
    this.#lastLabel = this.#lastConstant = -1;
    this.#fixupCount = 0;
  }

  /** Decides which results go straight into globals. */
  #assign(block: Block): void {
    const all = block.ops;
    const lastUse = this.#uses.lastUse;
    for (let j = 0; j < all.length; j++) {
      const set = all[j]!;
      if (set.spec === ops.get) {
        const until = lastUse[j]!;
        if (this.#uses.reuse && this.#uses.nextWrite[j]! >= until && until > this.#aliasedUntil[set.imm]!)
          this.#aliasedUntil[set.imm] = until;
        continue;
      }
      if (set.spec !== ops.set || !this.#uses.reuse || this.#uses.absent[j] === 1) continue;
      // A global of 4 bytes has no room for the zeros.
      if (this.#wide && set.type === "i32") continue;
      const p = this.#uses.root(all, set.a);
      const def = all[p]!;
      if (def.spec === ops.get || def.spec === ops.const || this.#target[p]! >= 0 || this.#uses.folded[p] === 1)
        continue;
      const g = set.imm;
      // An alias of the old value that is read behind the definition.
      if (this.#aliasedUntil[g]! > p) continue;
      if (this.#uses.nextWrite[j]! < lastUse[p]!) continue;
      if (!this.#quietBetween(all, p, j, g)) continue;
      this.#target[p] = j;
      if (lastUse[p]! > this.#aliasedUntil[g]!) this.#aliasedUntil[g] = lastUse[p]!;
    }
  }

  /** Nothing between two positions can see the global, fault, or be reached another way. */
  #quietBetween(all: Op[], from: number, to: number, global: number): boolean {
    for (let i = from + 1; i < to; i++) {
      const op = all[i]!;
      const { spec } = op;
      if (spec.mayFault || spec.terminator || spec === ops.label || spec === ops.brcond) return false;
      if ((spec === ops.get || spec === ops.set) && op.imm === global && this.#uses.absent[i] === 0) return false;
    }
    return true;
  }

  #freeOf(type: IrType): SlotStack {
    return type === "v128" ? this.#freeWide : this.#free;
  }

  #allocate(type: IrType, v: number): number {
    const free = this.#uses.reuse ? this.#freeOf(type).pop() : undefined;
    if (free !== undefined) return (this.#slotOf[v] = free);
    const slot = this.#nextTemp;
    this.#nextTemp += type === "v128" ? 16 : 8;
    if (this.#nextTemp > ENV.tempsEnd) throw new BytecodeOverflow("Too many temporaries");
    return (this.#slotOf[v] = slot);
  }

  /** Frees the temporary of an operand whose last use is here. */
  #release(block: Block, v: Value, at: number): void {
    if (v < 0 || this.#uses.lastUse[v] !== at || !this.#uses.reuse) return;
    const slot = this.#slotOf[v]!;
    if (this.#uses.folded[v] === 1 || this.#uses.absent[v] === 1) return this.#release(block, block.ops[v]!.a, at);
    if (slot < ENV.temps + 8) return;
    this.#slotOf[v] = NOWHERE;
    this.#freeOf(resultType(opOf(block, v))).push(slot);
  }

  #releaseOperands(block: Block, op: Op, at: number): void {
    this.#release(block, op.a, at);
    this.#release(block, op.b, at);
    this.#release(block, op.c, at);
    this.#release(block, op.d, at);
    if (op.spec === ops.call) for (const v of op.list) this.#release(block, v as Value, at);
  }

  #slot(block: Block, v: Value): number {
    const op = opOf(block, v);
    if (op.spec === ops.const && isZero(op)) return ZERO_SLOT;
    if (this.#uses.absent[v] === 1) return this.#slot(block, op.a);
    const slot = this.#slotOf[v]!;
    if (slot === NOWHERE) throw new Error(`Value %${v} (${op.spec.name}) has no slot`);
    return slot;
  }

  /** The slot for the result of the operation at `at`. Call after operands are read. */
  #result(block: Block, op: Op, at: number): number {
    const set = this.#target[at]!;
    if (set >= 0) return (this.#slotOf[at] = this.#globals[block.ops[set]!.imm]!.offset);
    const slot = this.#allocate(resultType(op), at);
    if (this.#uses.lastUse[at]! < 0 && this.#uses.reuse) this.#freeOf(resultType(op)).push(slot);
    return slot;
  }

  #unit(n: number): void {
    if (this.length === this.code.length) this.#enlarge();
    this.code[this.length++] = n;
  }

  #enlarge(): void {
    const bigger = new Uint16Array(this.code.length * 2);
    bigger.set(this.code);
    this.code = bigger;
  }

  #emit(block: Block, op: Op, at: number, site: number): void {
    const { spec } = op;
    switch (spec) {
      case ops.const:
        if (this.#uses.needed[at] === 1) this.#constant(op, this.#allocate(op.type, at));
        return;
      case ops.get:
        return this.#get(op, at);
      case ops.set:
        return this.#uses.absent[at] === 1 || this.#setsNextPc(block, at) ? undefined : this.#set(block, op, at);
      case ops.label:
        this.#labelAt[op.imm] = this.#lastLabel = this.length;
        return;
      case ops.mb:
        return;
      case ops.br:
        return at > 0 && this.#isRound(block, at - 1) ? undefined : this.#branch(block, op, at, op.cond, op.imm);
      case ops.brcond:
        if (this.#isRound(block, at)) return this.#branch(block, op, at, INVERSE[op.cond], block.ops[at + 1]!.imm);
        return this.#branch(block, op, at, op.cond, op.imm);
      case ops.call:
        return this.#call(block, op, at, site);
      case ops.goto_tb:
      case ops.goto_ptr: {
        const slot = chainSlot(block, at, this.#pcGlobal);
        const to = at > 0 && this.#setsNextPc(block, at - 1) ? opOf(block, block.ops[at - 1]!.a) : undefined;
        return slot < 0 ? this.#jump(ops.goto_ptr, op.imm, to) : this.#jump(ops.goto_tb, slot * 4, to);
      }
      case ops.exit_tb:
        return this.#short(spec, op.imm);
      default:
        if (spec.pure) return this.#pure(block, op, at);
        if (spec.mayFault) return this.#access(block, op, at, site);
        return this.#env(block, op, at);
    }
  }

  #constant(op: Op, slot: number): void {
    if (op.type === "i32") this.#lastConstant = this.length;
    this.#unit(this.#handlers.find(ops.const, op.type, "eq", "u8", false).index);
    this.#unit(slot);
    this.#bits(op);
  }

  #bits(op: Op): void {
    this.#unit(op.imm);
    this.#unit(op.imm >> 16);
    if (typeBytes(op.type) === 4) return;
    this.#unit(op.imm2);
    this.#unit(op.imm2 >> 16);
  }

  /** The operation sets pc to a constant for the jump behind it, which does that itself. */
  #setsNextPc(block: Block, at: number): boolean {
    const op = block.ops[at]!;
    if (op.spec !== ops.set || op.imm !== this.#pcGlobal || opOf(block, op.a).spec !== ops.const) return false;
    const next = block.ops[at + 1]?.spec;
    return next === ops.goto_tb || next === ops.goto_ptr;
  }

  #move(type: IrType, from: number, to: number): void {
    if (from === to) return;
    this.#unit(this.#handlers.mov[typeBytes(type)].index);
    this.#unit(to);
    this.#unit(from);
  }

  #get(op: Op, at: number): void {
    const until = this.#uses.lastUse[at]!;
    if (until < 0) return;
    const { offset } = this.#globals[op.imm]!;
    if (this.#uses.reuse && this.#uses.nextWrite[at]! >= until) this.#slotOf[at] = offset;
    else this.#move(op.type, offset, this.#allocate(op.type, at));
  }

  #set(block: Block, op: Op, at: number): void {
    const def = opOf(block, op.a);
    const { offset } = this.#globals[op.imm]!;
    if (this.#target[this.#uses.root(block.ops, op.a)] === at) return; // already there
    if (def.spec === ops.const && this.#slotOf[op.a] === NOWHERE) {
      if (isZero(def)) this.#move(op.type, ZERO_SLOT, offset);
      else this.#constant(def, offset);
    } else this.#move(op.type, this.#slot(block, op.a), offset);
    this.#release(block, op.a, at);
  }

  #short(spec: OpSpec, value: number): void {
    this.#unit(this.#handlers.find(spec, "i32", "eq", "u8", false).index);
    this.#unit(value);
  }

  /** Leaves the block. `to`: constant to set pc to before; a constant that was put into a slot just now is put there on the way, too. */
  #jump(spec: OpSpec, value: number, to: Op | undefined): void {
    if (to === undefined) return this.#short(spec, value);
    const from = this.#lastConstant;
    const also = from >= 0 && from + this.#constantUnits === this.length && this.#lastLabel !== this.length;
    const { code } = this;
    const [slot, low, high] = also ? [code[from + 1]!, code[from + 2]!, code[from + 3]!] : NO_UNITS;
    if (also) this.length = from;
    this.#unit(this.#handlers.jump(spec, also).index);
    this.#bits(to);
    if (also) {
      this.#unit(slot);
      this.#unit(low);
      this.#unit(high);
    }
    this.#unit(value);
  }

  /** A conditional branch round the branch behind it: the same as one branch on the contrary. */
  #isRound(block: Block, at: number): boolean {
    const { spec, imm } = block.ops[at]!;
    if (spec !== ops.brcond || block.ops[at + 1]?.spec !== ops.br) return false;
    const label = block.ops[at + 2];
    return label !== undefined && label.spec === ops.label && label.imm === imm;
  }

  /** Writes handler, result and operands; the result's slot is chosen after operands are released. */
  #head(block: Block, op: Op, at: number, handler: Handler, operands: number): void {
    this.#unit(handler.index);
    const place = this.length;
    if (handler.dst >= 0) this.#unit(0);
    if (operands > 0) this.#operand(block, op.a, false);
    if (operands > 1) this.#operand(block, op.b, handler.immediate);
    if (operands > 2) this.#operand(block, op.c, false);
    if (operands > 3) this.#operand(block, op.d, false);
    this.#releaseOperands(block, op, at);
    if (handler.dst >= 0) this.code[place] = this.#result(block, op, at);
  }

  #operand(block: Block, v: Value, immediate: boolean): void {
    this.#unit(immediate ? opOf(block, v).imm : this.#slot(block, v));
  }

  #pure(block: Block, op: Op, at: number): void {
    const { spec } = op;
    if (this.#uses.lastUse[at]! < 0) return this.#releaseOperands(block, op, at);
    if (this.#uses.folded[at] === 1 || this.#uses.absent[at] === 1) return;
    const operands = spec.operands.length;
    const immediate = operands >= 2 && isSmall(opOf(block, op.b)) && this.#slotOf[op.b] === NOWHERE;
    const handler = this.#handlers.find(spec, op.type, op.cond, op.mem, immediate);
    this.#head(block, op, at, handler, operands);
    if (handler.imms.length === 0) return;
    const recorder = this.#recorder;
    recorder.clear();
    emitPure(recorder, op);
    for (let i = 0; i < recorder.bytes.length; i++) {
      this.#unit(recorder.lo[i]!);
      this.#unit(recorder.lo[i]! >> 16);
      if (recorder.bytes[i] === 4) continue;
      this.#unit(recorder.hi[i]!);
      this.#unit(recorder.hi[i]! >> 16);
    }
  }

  #branch(block: Block, op: Op, at: number, cond: Cond, label: number): void {
    const from = this.length;
    const conditional = op.spec === ops.brcond;
    const immediate = conditional && isSmall(opOf(block, op.b)) && this.#slotOf[op.b] === NOWHERE;
    const handler = this.#handlers.find(op.spec, conditional ? op.type : "i32", cond, "u8", immediate);
    this.#head(block, op, at, handler, conditional ? 2 : 0);
    this.#fixups[this.#fixupCount++] = this.length;
    this.#fixups[this.#fixupCount++] = from;
    this.#fixups[this.#fixupCount++] = label;
    this.#unit(0);
    this.#unit(0);
  }

  #access(block: Block, op: Op, at: number, site: number): void {
    const atomic = op.spec !== ops.ld && op.spec !== ops.st;
    const handler = this.#handlers.find(op.spec, op.type, "eq", atomic ? littleEndian(op.mem) : op.mem, false);
    const operands = op.spec.operands.length;
    this.#unit(handler.index);
    const place = this.length;
    if (handler.dst >= 0) this.#unit(0);
    let displacement = 0;
    let base = op.a;
    if (this.#uses.folded[base] === 1) {
      displacement = opOf(block, opOf(block, base).b).imm;
      base = opOf(block, base).a;
    }
    this.#operand(block, base, false);
    if (operands > 1) this.#operand(block, op.b, false);
    if (operands > 2) this.#operand(block, op.c, false);
    this.#unit(displacement);
    this.#unit(site);
    this.#unit(atomic ? atomicIndex(op) : op.imm);
    this.#releaseOperands(block, op, at);
    if (handler.dst >= 0) this.code[place] = this.#result(block, op, at);
  }

  #env(block: Block, op: Op, at: number): void {
    const type = op.spec === ops.env_addr ? "i32" : op.type;
    const handler = this.#handlers.find(op.spec, type, "eq", op.mem, false);
    this.#head(block, op, at, handler, op.spec.operands.length);
    this.#unit(op.imm);
  }

  #call(block: Block, op: Op, at: number, site: number): void {
    const handler = this.#handlers.helper(op.helper!);
    this.#unit(handler.index);
    const place = this.length;
    if (handler.dst >= 0) this.#unit(0);
    for (const v of op.list) this.#operand(block, v as Value, false);
    this.#unit(site);
    this.#releaseOperands(block, op, at);
    if (handler.dst >= 0) this.code[place] = this.#result(block, op, at);
  }
}
