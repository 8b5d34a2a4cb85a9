/** The module with the interpreter, the slow paths of guest memory and the helpers: made once per machine. */
import type { Handlers } from "../interp/handlers.ts";
import { generateInterpreter } from "../interp/generate.ts";
import { INTERPRETER_LOCALS } from "../interp/handler-emitter.ts";
import type { HelperSpec } from "../ir/type.ts";
import { Bytes, Code, EXTERNREF, I32, I64, W } from "../wasm/encode.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { wasm } from "../wasm/types.ts";
import type { WasmGlobal, WasmInstance, WasmTable } from "../wasm/types.ts";
import { forMemory, isShared } from "../wasm/share-memory.ts";
import { bySize, halves, LOAD_U, pushEntry, pushLastPage, pushLess1, pushTag, STORE } from "./access-code.ts";
import { compareExchange, readModifyWrite } from "./atomics.ts";
import { LINE_BITS } from "./code-lines.ts";
import { ENV, FILL, LOAD, STORE as STORES } from "./contract.ts";
import type { Helper, Target, WasmMemory } from "./contract.ts";
import { TLB_CODE, TLB_MMIO } from "./descriptor.ts";

/** What generated code calls in JavaScript. Addresses and values are signed 32-bit halves. */
export interface RuntimeCallbacks {
  /** Value in `env.scratch`[0]; exceptions in `env.exception`. `oi`: log2 of the size | mmu << 4. */
  load(env: number, lo: number, hi: number, oi: number): void;
  store(env: number, lo: number, hi: number, oi: number): void;
  /**
   * Address, in the machine memory, of a location that may be read and written; 0: an exception was raised. On memory that
   * threads share, `oi` is that of the whole operation, whose operands are in `env.scratch`[1] and [2]; 1: it is done, and
   * the old value is in `env.scratch`[0].
   */
  atomicAddress(env: number, lo: number, hi: number, oi: number): number;
  hot(env: number, tb: number): void;
  /** Makes the TLB map the page of an address, for a load or ({@link PROBE_STORE} in `oi`) a store; exceptions in `env.exception`. */
  probe(env: number, lo: number, hi: number, oi: number): void;
}

/** The exports that compiled blocks import. */
export interface Runtime {
  readonly exports: Readonly<Record<string, unknown>>;
  /** Runs a block and what it is chained to. */
  readonly run: (env: number, tb: number) => number;
  /** The CPU that helpers in JavaScript get: that whose code runs. */
  readonly cpu: WasmGlobal;
}

/** Names under which the runtime exports its slow paths. */
export const RUNTIME = {
  load: "load", store: "store", atomic: "atomic", cmpxchg: "cmpxchg", hot: "hot", probe: "probe",
} as const; // prettier-ignore

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

/**
 * Builds and instantiates the runtime. `lines`: address of the {@link CodeLines}, 0 when there are none. `helpers` are the
 * functions to import, by helper name.
 */
export function makeRuntime(
  memory: WasmMemory, table: WasmTable, target: Target, handlers: Handlers, pcOffset: number, lines: number,
  callbacks: RuntimeCallbacks, linked: Linked,
): Runtime {
  const m = new ModuleBuilder(new Bytes(131072));
  const shared = isShared(memory);
  m.importMemory("env", "memory", shared);
  m.importTable("env", "table");
  const js4 = m.type([I32, I32, I32, I32], []);
  const load = m.importFunction("js", "load", js4);
  const store = m.importFunction("js", "store", js4);
  const atomicAddress = m.importFunction("js", "atomicAddress", m.type([I32, I32, I32, I32], [I32]));
  const hot = m.importFunction("js", "hot", m.type([I32, I32], []));
  const probe = m.importFunction("js", "probe", js4);
  m.importGlobal("js", "cpu", EXTERNREF);
  const fill = linked.fill === undefined ? -1 : m.importFunction("target", "fill", m.type([I32, I64, I32, I32, I32], [I32]));
  const helperIndex = new Map<string, number>();
  for (const helper of target.helpers) {
    const { params, results } = helperSignature(helper);
    const first = helper.impl.kind === "js" ? [EXTERNREF] : [];
    helperIndex.set(helper.name, m.importFunction("helper", helper.name, m.type([...first, ...params], results)));
  }
  const blockType = m.type([I32, I32], [I32]);
  const loadSlow = m.function(m.type([I32, I64, I32], [I64]), [I32, I32], slowLoad(load, fill, target.unaligned === true));
  const storeSlow = m.function(m.type([I32, I64, I64, I32], []), [I32, I32, I32], slowStore(store, fill, target.unaligned === true, lines));
  const atomic = m.function(m.type([I32, I64, I64, I32], [I64]), [I32, I64, I64, I32, I64], readModifyWrite(atomicAddress, shared));
  const cmpxchg = m.function(m.type([I32, I64, I64, I64, I32], [I64]), [I32, I64, I32], compareExchange(atomicAddress, shared));
  for (const helper of target.helpers) {
    if (helper.impl.kind !== "js") continue;
    const { params, results } = helperSignature(helper);
    helperIndex.set(helper.name, m.function(m.type(params, results), [], withCpu(helperIndex.get(helper.name)!, params.length)));
  }
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
  m.exportFunction(RUNTIME.probe, m.function(m.type([I32, I64, I32], []), [], probePage(probe)));
  for (const [name, index] of helperIndex) m.exportFunction(`h.${name}`, index);
  const module = new wasm.Module(m.finish());
  const cpu = new wasm.Global({ value: "externref", mutable: true });
  const instance = new wasm.Instance(module, {
    env: { memory, table },
    js: { ...callbacks, cpu },
    helper: linked.helpers,
    target: { fill: linked.fill },
  });
  table.set(0, instance.exports["run"]);
  return { exports: instance.exports, run: instance.exports["run"] as Runtime["run"], cpu };
} // prettier-ignore

/**
 * The same function without its first parameter, the CPU. So the host calls the helper itself, a function that it can optimise on its own:
 * a wrapper for all of them in JavaScript took a third of the time of a short one.
 */
function withCpu(helper: number, params: number): Code {
  const c = new Code();
  c.op(W.globalGet);
  c.u32(0);
  for (let n = 0; n < params; n++) c.get(n);
  c.call(helper);
  return c;
}

/** The target's functions. */
interface Linked {
  /** By name. */
  readonly helpers: Readonly<Record<string, unknown>>;
  /** {@link Target.fill}. */
  readonly fill: unknown;
}

/** Instantiates the target's modules and gives the functions that generated code calls. */
export function linkHelpers(target: Target, memory: WasmMemory): Linked {
  const modules = new Map<string, WasmInstance>();
  for (const spec of target.modules) {
    modules.set(spec.name, new wasm.Instance(new wasm.Module(forMemory(spec.bytes, memory)), { env: { memory } }));
  }
  const out: Record<string, unknown> = {};
  for (const helper of target.helpers) {
    const { impl } = helper;
    if (impl.kind === "js") out[helper.name] = impl.fn;
    else {
      const f = modules.get(impl.module)?.exports[impl.export];
      if (f === undefined) throw new Error(`Helper ${helper.name}: module "${impl.module}" has no "${impl.export}"`);
      out[helper.name] = f;
    }
  }
  const { fill } = target;
  const filler = fill && modules.get(fill.module)?.exports[fill.export];
  if (fill !== undefined && filler === undefined) throw new Error(`Module "${fill.module}" has no "${fill.export}"`);
  return { helpers: out, fill: filler };
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

/**
 * Has the target fill the entry, which local `entry` has the place of and {@link tryTlb} found not to map the page, and does `then` when it has.
 * When it raised, it returns what `raised` pushes. Entries of devices and of code are left to what follows.
 */
function tryFill(
  c: Code, fill: number, access: number, locals: { oi: number; entry: number; result: number }, then: () => void, raised: () => void,
): void {
  if (fill < 0) return;
  const { oi, entry, result } = locals;
  c.get(entry);
  c.mem(W.i64Load, ENV.tlb + 8 * access, 3);
  c.i64(~(TLB_CODE | TLB_MMIO), -1);
  c.op(W.i64And);
  c.get(1);
  c.i64(-4096, -1);
  c.op(W.i64And);
  c.op(W.i64Ne);
  c.if();
  c.get(0);
  c.get(1);
  c.i32(access);
  c.get(oi);
  c.i32(4);
  c.op(W.i32ShrU);
  c.get(oi);
  c.i32(3);
  c.op(W.i32And);
  c.call(fill);
  c.tee(result);
  c.i32(FILL.filled);
  c.op(W.i32Eq);
  c.if();
  then();
  c.end();
  c.get(result);
  c.i32(FILL.raised);
  c.op(W.i32Eq);
  c.if();
  raised();
  c.op(W.return);
  c.end();
  c.end();
} // prettier-ignore

/** Hands an access over to JavaScript: env and the address are locals 0 and 1. */
function callJs(c: Code, js: number, oi: number): void {
  c.get(0);
  halves(c, 1);
  c.get(oi);
  c.call(js);
}

/** (env, address, oi) -> value */
function slowLoad(js: number, fill: number, unaligned: boolean): Code {
  const c = new Code();
  const access = (): void => tryTlb(c, unaligned, 2, 3, 0, (log2) => c.mem(LOAD_U[log2]!, 0));
  access();
  tryFill(c, fill, LOAD, { oi: 2, entry: 3, result: 4 }, access, () => c.i64(0, 0));
  callJs(c, js, 2);
  c.get(0);
  c.mem(W.i64Load, ENV.scratch, 3);
  return c;
}

/** (env, address, oi) */
function probePage(js: number): Code {
  const c = new Code();
  callJs(c, js, 2);
  return c;
}

/** (env, address, value, oi) */
function slowStore(js: number, fill: number, unaligned: boolean, lines: number): Code {
  const c = new Code();
  const access = (): void =>
    tryTlb(c, unaligned, 3, 4, 8, (log2) => {
      c.get(2);
      c.mem(STORE[log2]!, 0);
    });
  access();
  tryFill(c, fill, STORES, { oi: 3, entry: 4, result: 6 }, access, () => {});
  if (lines > 0) storeBesideCode(c, unaligned, lines);
  c.get(0);
  c.get(2);
  c.mem(W.i64Store, ENV.scratch, 3);
  callJs(c, js, 3);
  return c;
}

/** Does the store, and returns, if its page has translated code, but not where it goes. Local 4 has the TLB entry. */
function storeBesideCode(c: Code, unaligned: boolean, lines: number): void {
  const [OI, ENTRY, HOST] = [3, 4, 5] as const;
  /** Of the address in HOST, which is on the stack too. */
  const pushBit = (): void => {
    c.i32(LINE_BITS + 3);
    c.op(W.i32ShrU);
    c.mem(W.i32Load8U, lines);
    c.get(HOST);
    c.i32(LINE_BITS);
    c.op(W.i32ShrU);
    c.i32(7);
    c.op(W.i32And);
    c.op(W.i32ShrU);
  };
  c.get(ENTRY);
  c.mem(W.i64Load, ENV.tlb + 8, 3);
  if (unaligned) pushLastPage(c, OI);
  else pushTag(c, OI);
  c.i64(TLB_CODE, 0);
  c.op(W.i64Or);
  c.op(W.i64Eq);
  c.if();
  c.get(1);
  c.op(W.i32WrapI64);
  c.get(ENTRY);
  c.mem(W.i32Load, ENV.tlb + 24, 2);
  c.op(W.i32Add);
  // First the line of the last byte.
  pushLess1(c, OI);
  c.op(W.i32Add);
  c.tee(HOST);
  pushBit();
  c.get(HOST);
  pushLess1(c, OI);
  c.op(W.i32Sub);
  c.tee(HOST);
  pushBit();
  c.op(W.i32Or);
  c.i32(1);
  c.op(W.i32And);
  c.op(W.i32Eqz);
  c.if();
  bySize(c, OI, (log2) => {
    c.get(HOST);
    c.get(2);
    c.mem(STORE[log2]!, 0);
    c.op(W.return);
  });
  c.end();
  c.end();
}
