/** The module with the interpreter, the slow paths of guest memory and the helpers: made once per machine. */
import type { Handlers } from "../interp/handlers.ts";
import { generateInterpreter } from "../interp/generate.ts";
import { INTERPRETER_LOCALS } from "../interp/handler-emitter.ts";
import type { HelperSpec } from "../ir/type.ts";
import { Code, I32, I64, W } from "../wasm/encode.ts";
import { ATOMIC_BIG_ENDIAN } from "../wasm/memory-ops.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { wasm } from "../wasm/types.ts";
import type { WasmInstance, WasmTable } from "../wasm/types.ts";
import { ENV, TLB_ENTRIES, TLB_ENTRY_SIZE } from "./contract.ts";
import type { Helper, Target, WasmMemory } from "./contract.ts";

/** What generated code calls in JavaScript. Addresses and values are signed 32-bit halves. */
export interface RuntimeCallbacks {
  /** Value in `env.scratch`[0]; exceptions in `env.exception`. `oi`: log2 of the size | mmu << 4. */
  load(env: number, lo: number, hi: number, oi: number): void;
  store(env: number, lo: number, hi: number, oi: number): void;
  /** Address, in the machine memory, of a location that may be read and written; 0: an exception was raised. */
  atomicAddress(env: number, lo: number, hi: number, oi: number): number;
  hot(env: number, tb: number): void;
}

/** The exports that compiled blocks import. */
export interface Runtime {
  readonly exports: Readonly<Record<string, unknown>>;
  /** Runs a block and what it is chained to. */
  readonly run: (env: number, tb: number) => number;
}

/** Names under which the runtime exports its slow paths. */
export const RUNTIME = { load: "load", store: "store", atomic: "atomic", cmpxchg: "cmpxchg", hot: "hot" } as const;

/** Wasm signature of a helper as generated code calls it. */
export function helperSignature(helper: HelperSpec): { params: number[]; results: number[] } {
  const js = (helper as Helper).impl.kind === "js";
  const params: number[] = [];
  for (const p of helper.params) {
    if (p === "env") {
      if (!js) params.push(I32);
    } else if (p === "i64" && js) params.push(I32, I32);
    else params.push(p === "i64" ? I64 : I32);
  }
  if (helper.result === undefined || (js && helper.result === "i64")) return { params, results: [] };
  return { params, results: [helper.result === "i64" ? I64 : I32] };
}

/** Builds and instantiates the runtime. `helpers` are the functions to import, by helper name. */
export function makeRuntime(
  memory: WasmMemory, table: WasmTable, target: Target, handlers: Handlers, pcOffset: number,
  callbacks: RuntimeCallbacks, helpers: Readonly<Record<string, unknown>>,
): Runtime {
  const m = new ModuleBuilder(131072);
  m.importMemory("env", "memory");
  m.importTable("env", "table");
  const js4 = m.type([I32, I32, I32, I32], []);
  const load = m.importFunction("js", "load", js4);
  const store = m.importFunction("js", "store", js4);
  const atomicAddress = m.importFunction("js", "atomicAddress", m.type([I32, I32, I32, I32], [I32]));
  const hot = m.importFunction("js", "hot", m.type([I32, I32], []));
  const helperIndex = new Map<string, number>();
  for (const helper of target.helpers) {
    const { params, results } = helperSignature(helper);
    helperIndex.set(helper.name, m.importFunction("helper", helper.name, m.type(params, results)));
  }
  const blockType = m.type([I32, I32], [I32]);
  const loadSlow = m.function(m.type([I32, I64, I32], [I64]), [I32], slowLoad(load, target.unaligned === true));
  const storeSlow = m.function(m.type([I32, I64, I64, I32], []), [I32], slowStore(store, target.unaligned === true));
  const atomic = m.function(m.type([I32, I64, I64, I32], [I64]), [I32, I64, I64, I32], readModifyWrite(atomicAddress));
  const cmpxchg = m.function(m.type([I32, I64, I64, I64, I32], [I64]), [I32, I64, I32], compareExchange(atomicAddress));
  const imports = { load: loadSlow, store: storeSlow, atomic, cmpxchg, hot, helpers: helperIndex, blockType };
  const interpreter = m.function(
    blockType, INTERPRETER_LOCALS,
    generateInterpreter(handlers, imports, { word: target.wordType, pcOffset, unaligned: target.unaligned === true }),
  ); // prettier-ignore
  m.exportFunction("run", interpreter);
  m.exportFunction(RUNTIME.load, loadSlow);
  m.exportFunction(RUNTIME.store, storeSlow);
  m.exportFunction(RUNTIME.atomic, atomic);
  m.exportFunction(RUNTIME.cmpxchg, cmpxchg);
  m.exportFunction(RUNTIME.hot, hot);
  for (const [name, index] of helperIndex) m.exportFunction(`h.${name}`, index);
  const module = new wasm.Module(m.finish());
  const instance = new wasm.Instance(module, {
    env: { memory, table },
    js: callbacks as unknown as Record<string, unknown>,
    helper: helpers,
  });
  table.set(0, instance.exports["run"]);
  return { exports: instance.exports, run: instance.exports["run"] as Runtime["run"] };
} // prettier-ignore

/** Instantiates the target's modules and gives the function of each of its helpers. */
export function linkHelpers(target: Target, memory: WasmMemory, cpu: () => unknown): Record<string, unknown> {
  const modules = new Map<string, WasmInstance>();
  for (const spec of target.modules) {
    modules.set(spec.name, new wasm.Instance(new wasm.Module(spec.bytes), { env: { memory } }));
  }
  const out: Record<string, unknown> = {};
  for (const helper of target.helpers) {
    const { impl } = helper;
    if (impl.kind === "js") {
      const fn = impl.fn as (cpu: unknown, ...args: number[]) => number | undefined;
      out[helper.name] = (a: number, b: number, c: number, d: number, e: number, f: number) =>
        fn(cpu(), a, b, c, d, e, f);
    } else {
      const f = modules.get(impl.module)?.exports[impl.export];
      if (f === undefined) throw new Error(`Helper ${helper.name}: module "${impl.module}" has no "${impl.export}"`);
      out[helper.name] = f;
    }
  }
  return out;
}

/** Pushes the halves of the i64 in a local. */
function halves(c: Code, local: number): void {
  c.get(local);
  c.op(W.i32WrapI64);
  c.get(local);
  c.i64(32, 0);
  c.op(W.i64ShrU);
  c.op(W.i32WrapI64);
}

/** Pushes the TLB entry, less `ENV.tlb`, of (env 0, address 1); `pushMmu` pushes the mmu index. */
function pushEntry(c: Code, pushMmu: () => void): void {
  pushMmu();
  c.i32(31 - Math.clz32(TLB_ENTRIES * TLB_ENTRY_SIZE));
  c.op(W.i32Shl);
  c.get(1);
  c.op(W.i32WrapI64);
  c.i32(7);
  c.op(W.i32ShrU);
  c.i32((TLB_ENTRIES - 1) * TLB_ENTRY_SIZE);
  c.op(W.i32And);
  c.op(W.i32Add);
  c.get(0);
  c.op(W.i32Add);
}

/** Pushes the size of an access less 1. */
function pushLess1(c: Code, oi: number): void {
  c.i32(1);
  c.get(oi);
  c.i32(3);
  c.op(W.i32And);
  c.op(W.i32Shl);
  c.i32(1);
  c.op(W.i32Sub);
}

/** Pushes the page of the last byte of an access at the address in local 1. */
function pushLastPage(c: Code, oi: number): void {
  c.get(1);
  pushLess1(c, oi);
  c.op(W.i64ExtendI32U);
  c.op(W.i64Add);
  c.i64(-4096, -1);
  c.op(W.i64And);
}

/** Pushes the address in local 1 without its place in the page, but with what makes it not aligned: what a tag is. */
function pushTag(c: Code, oi: number): void {
  c.get(1);
  pushLess1(c, oi);
  c.i32(-4096);
  c.op(W.i32Or);
  c.op(W.i64ExtendI32S);
  c.op(W.i64And);
}

/**
 * Does the access, and returns, if the TLB maps it after all: who calls a slow path may have looked at one entry only.
 * `tag` is the offset of the access's tag in an entry; `access` gets the width, with the host address on the stack.
 */
function tryTlb(
  c: Code, unaligned: boolean, oi: number, entry: number, tag: number, access: (log2: number) => void,
): void {
  pushEntry(c, () => {
    c.get(oi);
    c.i32(4);
    c.op(W.i32ShrU);
  });
  c.tee(entry);
  c.mem(W.i64Load, ENV.tlb + tag, 3);
  if (unaligned) pushLastPage(c, oi);
  else pushTag(c, oi);
  c.op(W.i64Eq);
  c.if();
  bySize(c, oi, (log2) => {
    c.get(1);
    c.op(W.i32WrapI64);
    c.get(entry);
    c.mem(W.i32Load, ENV.tlb + 24, 2);
    c.op(W.i32Add);
    access(log2);
    c.op(W.return);
  });
  c.end();
} // prettier-ignore

/** (env, address, oi) -> value */
function slowLoad(js: number, unaligned: boolean): Code {
  const c = new Code();
  tryTlb(c, unaligned, 2, 3, 0, (log2) => c.mem(LOAD_U[log2]!, 0));
  c.get(0);
  halves(c, 1);
  c.get(2);
  c.call(js);
  c.get(0);
  c.mem(W.i64Load, ENV.scratch, 3);
  return c;
}

/** (env, address, value, oi) */
function slowStore(js: number, unaligned: boolean): Code {
  const c = new Code();
  tryTlb(c, unaligned, 3, 4, 8, (log2) => {
    c.get(2);
    c.mem(STORE[log2]!, 0);
  });
  c.get(0);
  c.get(2);
  c.mem(W.i64Store, ENV.scratch, 3);
  c.get(0);
  halves(c, 1);
  c.get(3);
  c.call(js);
  return c;
}

const LOAD_U = [W.i64Load8U, W.i64Load16U, W.i64Load32U, W.i64Load] as const;
const STORE = [W.i64Store8, W.i64Store16, W.i64Store32, W.i64Store] as const;

/**
 * Leaves the host address of (env 0, address 1) in local `host`: from the TLB when an aligned location may be read
 * and written, else from JavaScript, and returns 0 when that raised. `entry` is an i32 local.
 */
function address(c: Code, js: number, oi: number, host: number, entry: number): void {
  pushEntry(c, () => {
    c.get(oi);
    c.i32(8);
    c.op(W.i32ShrU);
    c.i32(7);
    c.op(W.i32And);
  });
  c.tee(entry);
  c.mem(W.i64Load, ENV.tlb, 3);
  pushTag(c, oi);
  c.op(W.i64Eq);
  c.get(entry);
  c.mem(W.i64Load, ENV.tlb, 3);
  c.get(entry);
  c.mem(W.i64Load, ENV.tlb + 8, 3);
  c.op(W.i64Eq);
  c.op(W.i32And);
  c.if();
  c.get(1);
  c.op(W.i32WrapI64);
  c.get(entry);
  c.mem(W.i32Load, ENV.tlb + 24, 2);
  c.op(W.i32Add);
  c.set(host);
  c.else();
  c.get(0);
  halves(c, 1);
  c.get(oi);
  c.i32(3);
  c.op(W.i32And);
  c.get(oi);
  c.i32(8);
  c.op(W.i32ShrU);
  c.i32(7);
  c.op(W.i32And);
  c.i32(4);
  c.op(W.i32Shl);
  c.op(W.i32Or);
  c.call(js);
  c.tee(host);
  c.op(W.i32Eqz);
  c.if();
  c.i64(0, 0);
  c.op(W.return);
  c.end();
  c.end();
}

/** Code for each width, chosen by the low bits of local `oi`; each must leave nothing on the stack. */
function bySize(c: Code, oi: number, body: (log2: number) => void): void {
  for (let i = 0; i < 4; i++) c.block();
  c.get(oi);
  c.i32(3);
  c.op(W.i32And);
  c.op(W.brTable);
  c.u32(3);
  for (let i = 0; i < 4; i++) c.u32(i);
  for (let log2 = 0; log2 < 4; log2++) {
    c.end();
    body(log2);
  }
}

/** (env, address, operand, oi) -> old value, zero-extended. Operations in the order of the table of IR operations. */
function readModifyWrite(js: number): Code {
  const [OPERAND, OI, HOST, OLD, NEW, ENTRY] = [2, 3, 4, 5, 6, 7] as const;
  const c = new Code();
  address(c, js, OI, HOST, ENTRY);
  bySize(c, OI, (log2) => {
    c.get(HOST);
    c.mem(LOAD_U[log2]!, 0);
    c.set(OLD);
    swapIfBigEndian(c, log2, OI, OLD);
    modify(c, log2, OPERAND, OI, OLD, NEW);
    swapIfBigEndian(c, log2, OI, NEW);
    c.get(HOST);
    c.get(NEW);
    c.mem(STORE[log2]!, 0);
    c.get(OLD);
    c.op(W.return);
  });
  c.op(W.unreachable);
  return c;
}

/** Reverses the bytes of a location's value in an i64 local, when `oi` says that the location is big-endian. */
function swapIfBigEndian(c: Code, log2: number, oi: number, local: number): void {
  if (log2 === 0) return;
  c.get(oi);
  c.i32(ATOMIC_BIG_ENDIAN << 8);
  c.op(W.i32And);
  c.if();
  for (const [bits, mask] of [[8, 0x00ff00ff], [16, 0x0000ffff]] as const) {
    c.get(local);
    c.i64(mask, mask);
    c.op(W.i64And);
    c.i64(bits, 0);
    c.op(W.i64Shl);
    c.get(local);
    c.i64(bits, 0);
    c.op(W.i64ShrU);
    c.i64(mask, mask);
    c.op(W.i64And);
    c.op(W.i64Or);
    c.set(local);
  } // prettier-ignore
  c.get(local);
  c.i64(32, 0);
  c.op(W.i64Rotl);
  c.i64(64 - (8 << log2), 0);
  c.op(W.i64ShrU);
  c.set(local);
  c.end();
}

/** NEW = OLD op OPERAND. */
function modify(c: Code, log2: number, operand: number, oi: number, old: number, result: number): void {
  const extend = (local: number, signed: boolean): void => {
    c.get(local);
    if (log2 === 3) return;
    if (signed) c.op([W.i64Extend8S, W.i64Extend16S, W.i64Extend32S][log2]!);
    else {
      c.i64(log2 === 0 ? 0xff : log2 === 1 ? 0xffff : -1, 0);
      c.op(W.i64And);
    }
  };
  const binary = [0, W.i64Add, W.i64And, W.i64Or, W.i64Xor];
  const compare = [0x53, 0x55, 0x54, 0x56]; // i64.lt_s, gt_s, lt_u, gt_u
  c.block();
  for (let i = 0; i < 9; i++) c.block();
  c.get(oi);
  c.i32(2);
  c.op(W.i32ShrU);
  c.i32(15);
  c.op(W.i32And);
  c.op(W.brTable);
  c.u32(8);
  for (let i = 0; i < 9; i++) c.u32(i);
  for (let i = 0; i < 9; i++) {
    c.end();
    if (i === 0) c.get(operand);
    else if (i < 5) {
      c.get(old);
      c.get(operand);
      c.op(binary[i]!);
    } else {
      const signed = i < 7;
      extend(old, signed);
      extend(operand, signed);
      extend(old, signed);
      extend(operand, signed);
      c.op(compare[i - 5]!);
      c.op(W.select);
    }
    c.set(result);
    c.br(8 - i);
  }
  c.end();
}

/** (env, address, expected, replacement, oi) -> old value, zero-extended. */
function compareExchange(js: number): Code {
  const [EXPECTED, REPLACEMENT, OI, HOST, OLD, ENTRY] = [2, 3, 4, 5, 6, 7] as const;
  const c = new Code();
  address(c, js, OI, HOST, ENTRY);
  bySize(c, OI, (log2) => {
    c.get(HOST);
    c.mem(LOAD_U[log2]!, 0);
    c.set(OLD);
    swapIfBigEndian(c, log2, OI, OLD);
    swapIfBigEndian(c, log2, OI, REPLACEMENT);
    c.get(OLD);
    c.get(EXPECTED);
    if (log2 < 3) {
      c.i64(log2 === 0 ? 0xff : log2 === 1 ? 0xffff : -1, 0);
      c.op(W.i64And);
    }
    c.op(W.i64Eq);
    c.if();
    c.get(HOST);
    c.get(REPLACEMENT);
    c.mem(STORE[log2]!, 0);
    c.end();
    c.get(OLD);
    c.op(W.return);
  });
  c.op(W.unreachable);
  return c;
}
