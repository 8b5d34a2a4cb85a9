/**
 * The interpreter's instruction set: which handlers there are and where their operands stand in the bytecode.
 *
 * A bytecode instruction is a row of 16-bit units: the number of its handler, the slot of its result, the slots of
 * its operands, then immediates. A slot is a byte offset from `env`. Handlers exist for each row of the table of IR
 * operations, by type, condition and memory operation; those with a second integer operand also in a variant where
 * that operand is a 16-bit signed constant.
 */
import { OPS, ops } from "../ir/ops.ts";
import type { OpSpec } from "../ir/ops.ts";
import type { Op } from "../ir/block.ts";
import { CONDS, IR_TYPES, MEM_OPS } from "../ir/type.ts";
import type { Cond, HelperSpec, IrType, MemOp } from "../ir/type.ts";
import type { WasmOps } from "../ir/wasm-ops.ts";
import { emitPure } from "../ir/wasm-ops.ts";

/** Every memory operation, in the order that numbers them. */
const MEM_NAMES: readonly MemOp[] = Object.keys(MEM_OPS) as MemOp[];

/** One handler. Offsets are in bytes from the start of the bytecode instruction; -1 when absent. */
export interface Handler {
  readonly index: number;
  readonly kind: "pure" | "special";
  readonly spec: OpSpec | undefined;
  readonly type: IrType;
  readonly cond: Cond;
  readonly mem: MemOp;
  /** Operand b is an immediate in its 16-bit place. */
  readonly immediate: boolean;
  readonly dst: number;
  readonly args: readonly number[];
  /** Places and sizes (4 or 8) of the immediates of the expansion. */
  readonly imms: readonly { readonly at: number; readonly bytes: 4 | 8 }[];
  /** Place of the 16-bit fields of special handlers: displacement, site and mmu index, or label, slot, exit code. */
  readonly extra: number;
  readonly size: number;
  readonly helper: HelperSpec | undefined;
}

/** The type of operand `n` of an operation of type `type`. */
export function operandType(spec: OpSpec, n: number, type: IrType, word: "i32" | "i64"): IrType {
  const kind = spec.operands[n]!;
  if (kind === "T") return type;
  if (kind === "address") return word;
  if (kind === "bits") return type === "i32" ? "f32" : type === "f32" ? "i32" : type === "i64" ? "f64" : "i64";
  return kind;
}

/** The type of the result of an operation without a helper; undefined when it has none. */
function resultType(spec: OpSpec, type: IrType): IrType | undefined {
  return spec.result === "none" || spec.result === "call" ? undefined : spec.result === "T" ? type : spec.result;
}

/** Learns which immediates an expansion pushes. */
export class ImmediateRecorder implements WasmOps {
  readonly lo: number[] = [];
  readonly hi: number[] = [];
  readonly bytes: (4 | 8)[] = [];
  clear(): void {
    this.lo.length = this.hi.length = this.bytes.length = 0;
  }
  imm32(value: number): void {
    this.lo.push(value);
    this.hi.push(0);
    this.bytes.push(4);
  }
  imm64(lo: number, hi: number): void {
    this.lo.push(lo);
    this.hi.push(hi);
    this.bytes.push(8);
  }
  /** As two immediates of 8 bytes, which lie side by side. */
  imm128(bytes: readonly number[]): void {
    const word = (n: number): number =>
      (bytes[n] ?? 0) | ((bytes[n + 1] ?? 0) << 8) | ((bytes[n + 2] ?? 0) << 16) | ((bytes[n + 3] ?? 0) << 24);
    this.imm64(word(0), word(4));
    this.imm64(word(8), word(12));
  }
  readonly immediatesInCode: boolean = false;
  arg(): void {}
  const32(): void {}
  const64(): void {}
  raw(): void {}
  get(): void {}
  set(): void {}
  tee(): void {}
}

/** An operation that stands for all of its kind when a handler is generated. */
export function sampleOp(spec: OpSpec, type: IrType, cond: Cond, mem: MemOp): Op {
  const none = -1 as never;
  return {
    spec,
    type,
    a: none,
    b: none,
    c: none,
    d: none,
    imm: 1,
    imm2: 1,
    cond,
    mem,
    helper: undefined,
    list: [],
  };
}

const COND_NUMBER: Readonly<Record<Cond, number>> = Object.fromEntries(CONDS.map((c, i) => [c, i])) as never;
const MEM_NUMBER: Readonly<Record<MemOp, number>> = Object.fromEntries(MEM_NAMES.map((m, i) => [m, i])) as never;
const TYPE_NUMBER: Readonly<Record<IrType, number>> = Object.fromEntries(IR_TYPES.map((t, i) => [t, i])) as never;

/** Keys of one row of the table, at most. */
const KEYS_PER_ROW = (IR_TYPES.length << 4) * 2;

/** Dense-enough number of a handler's row, type, condition or memory operation, and variant. */
function handlerKey(spec: OpSpec, type: IrType, cond: Cond, mem: MemOp, immediate: boolean): number {
  const third = spec.hasCond ? COND_NUMBER[cond] : spec.hasMem ? MEM_NUMBER[mem] : 0;
  return (((spec.code * IR_TYPES.length + TYPE_NUMBER[type]) << 4) | third) * 2 + (immediate ? 1 : 0);
}

/** Memory operations that make sense for a type. Byte order is the bytecode writer's business. */
function memOpsOf(type: IrType): readonly MemOp[] {
  if (type === "i64") return ["u8", "s8", "u16", "s16", "u32", "s32", "u64"];
  if (type === "i32") return ["u8", "s8", "u16", "s16", "u32"];
  return type === "f32" ? ["u32"] : type === "f64" ? ["u64"] : ["v128"];
}

/** The handlers of one target's interpreter. */
export class Handlers {
  readonly all: Handler[] = [];
  /** Numbers of handlers by key, -1 for none. An array with as many holes as there are would be a hash table of V8's. */
  readonly #byKey: Int16Array = new Int16Array(OPS.length * KEYS_PER_ROW).fill(-1);
  readonly #byHelper: Map<HelperSpec, Handler> = new Map();
  readonly #jumps: Map<OpSpec, readonly [Handler, Handler]> = new Map();
  /** How wide the guest's addresses are. */
  readonly word: "i32" | "i64";
  readonly mov: { readonly [size in 4 | 8 | 16]: Handler };

  constructor(word: "i32" | "i64", helpers: readonly HelperSpec[]) {
    this.word = word;
    this.mov = { 4: this.#mov("i32"), 8: this.#mov("i64"), 16: this.#mov("v128") };
    for (const spec of OPS) {
      const fixed = spec.result === "none" || spec.result === "call" || spec.result === "T" ? "i32" : spec.result;
      for (const type of spec.types.length > 0 ? spec.types : [fixed]) {
        const conds: readonly Cond[] = spec.hasCond ? CONDS : ["eq"];
        const mems: readonly MemOp[] = spec.hasMem ? memOpsOf(type) : ["u8"];
        for (const cond of conds) for (const mem of mems) this.#add(spec, type, cond, mem, word);
      }
    }
    for (const helper of helpers) this.#addHelper(helper);
  }

  /** @throws Error when the operation has no handler. */
  find(spec: OpSpec, type: IrType, cond: Cond, mem: MemOp, immediate: boolean): Handler {
    const found = this.all[this.#byKey[handlerKey(spec, type, cond, mem, immediate)]!];
    if (found === undefined) throw new Error(`No interpreter handler for ${spec.name}.${type}.${cond}.${mem}`);
    return found;
  }

  helper(helper: HelperSpec): Handler {
    const found = this.#byHelper.get(helper);
    if (found === undefined) throw new Error(`Helper ${helper.name} is not one of the target's`);
    return found;
  }

  /** The jump that sets pc to a constant; `also`: and puts one of 32 bits into a slot. */
  jump(spec: OpSpec, also: boolean): Handler {
    return this.#jumps.get(spec)![also ? 1 : 0];
  }

  /** Puts a constant of 32 bits into a slot: the handler's number, the slot, the constant. */
  get const32(): Handler {
    return this.find(ops.const, "i32", "eq", "u8", false);
  }

  #push(h: Omit<Handler, "index">): Handler {
    const handler = { index: this.all.length, ...h };
    this.all.push(handler);
    return handler;
  }

  #mov(type: IrType): Handler {
    const none = {
      spec: undefined,
      cond: "eq",
      mem: "u8",
      immediate: false,
      imms: [],
      extra: -1,
      helper: undefined,
    };
    return this.#push({ ...none, kind: "special", type, dst: 2, args: [4], size: 6 } as Omit<Handler, "index">);
  }

  #add(spec: OpSpec, type: IrType, cond: Cond, mem: MemOp, word: "i32" | "i64"): void {
    if (spec === ops.get || spec === ops.set || spec === ops.call) return; // moves, and one handler per helper
    if (spec === ops.guard) return; // in regions only
    if (spec === ops.label || spec === ops.insn || spec === ops.mb) return; // nothing happens
    const base = { spec, type, cond, mem, helper: undefined };
    const at = { next: 2 };
    const place = (): number => (at.next += 2) - 2;
    const dst = resultType(spec, type) === undefined ? -1 : place();
    const args = spec.operands.map(place);
    if (!spec.pure) {
      // ld, st and atomics: displacement, site, mmu index. brcond, br: a 32-bit distance. The rest: one unit.
      const extra = at.next;
      const size = extra + (spec.mayFault ? 6 : spec === ops.brcond || spec === ops.br ? 4 : 2);
      const variants = spec === ops.brcond ? [false, true] : [false];
      for (const immediate of variants) {
        const h = this.#push({
          ...base,
          kind: "special",
          immediate,
          dst,
          args,
          imms: [],
          extra,
          size,
        });
        this.#byKey[handlerKey(spec, type, cond, mem, immediate)] = h.index;
      }
      if (spec === ops.goto_tb || spec === ops.goto_ptr) this.#addJumps(spec, word);
      return;
    }
    const recorder = new ImmediateRecorder();
    emitPure(recorder, sampleOp(spec, type, cond, mem));
    const imms = recorder.bytes.map((bytes) => {
      const it = { at: at.next, bytes };
      at.next += bytes;
      return it;
    });
    const second = args.length >= 2 ? operandType(spec, 1, type, word) : "f32";
    const variants = second === "i32" || second === "i64" ? [false, true] : [false];
    for (const immediate of variants) {
      const h = this.#push({
        ...base,
        kind: "pure",
        immediate,
        dst,
        args,
        imms,
        extra: -1,
        size: at.next,
      });
      this.#byKey[handlerKey(spec, type, cond, mem, immediate)] = h.index;
    }
  }

  /** The jumps that set pc, to a constant, themselves; and those that put another constant into a slot before. */
  #addJumps(spec: OpSpec, word: "i32" | "i64"): void {
    const bytes = word === "i64" ? 8 : 4;
    const base = {
      spec,
      kind: "special",
      type: "i32",
      cond: "eq",
      mem: "u8",
      immediate: true,
      helper: undefined,
      args: [],
    } as const;
    const pc = { at: 2, bytes } as const;
    const dst = 2 + bytes;
    this.#jumps.set(spec, [
      this.#push({ ...base, dst: -1, imms: [pc], extra: dst, size: dst + 2 }),
      this.#push({
        ...base,
        dst,
        imms: [pc, { at: dst + 2, bytes: 4 }],
        extra: dst + 6,
        size: dst + 8,
      }),
    ]);
  }

  #addHelper(helper: HelperSpec): void {
    let at = 2;
    const dst = helper.result === undefined ? -1 : (at += 2) - 2;
    const args = helper.params.filter((p) => p !== "env").map(() => (at += 2) - 2);
    const type = helper.result ?? "i32";
    const none = { spec: ops.call, cond: "eq", mem: "u8", immediate: false, imms: [] } as const;
    const h = this.#push({
      ...none,
      kind: "special",
      type,
      dst,
      args,
      extra: at,
      size: at + 2,
      helper,
    });
    this.#byHelper.set(helper, h);
  }
}
