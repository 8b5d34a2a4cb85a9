/** The module with the interpreter, the slow paths of guest memory and the helpers: made once per machine. */
import type { Handlers } from "../interp/handlers.ts";
import { generateInterpreter } from "../interp/generate.ts";
import { INTERPRETER_LOCALS } from "../interp/handler-emitter.ts";
import type { HelperSpec } from "../ir/type.ts";
import { Code, I32, I64, W } from "../wasm/encode.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import { wasm } from "../wasm/types.ts";
import type { WasmInstance, WasmTable } from "../wasm/types.ts";
import { forMemory, isShared } from "../wasm/share-memory.ts";
import { bySize, halves, LOAD_U, pushEntry, pushLastPage, pushLess1, pushTag, STORE } from "./access-code.ts";
import { compareExchange, readModifyWrite } from "./atomics.ts";
import { LINE_BITS } from "./code-lines.ts";
import { ENV } from "./contract.ts";
import type { Helper, Target, WasmMemory } from "./contract.ts";
import { TLB_CODE } from "./descriptor.ts";

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
  callbacks: RuntimeCallbacks, helpers: Readonly<Record<string, unknown>>,
): Runtime {
  const m = new ModuleBuilder(131072);
  const shared = isShared(memory);
  m.importMemory("env", "memory", shared);
  m.importTable("env", "table");
  const js4 = m.type([I32, I32, I32, I32], []);
  const load = m.importFunction("js", "load", js4);
  const store = m.importFunction("js", "store", js4);
  const atomicAddress = m.importFunction("js", "atomicAddress", m.type([I32, I32, I32, I32], [I32]));
  const hot = m.importFunction("js", "hot", m.type([I32, I32], []));
  const probe = m.importFunction("js", "probe", js4);
  const helperIndex = new Map<string, number>();
  for (const helper of target.helpers) {
    const { params, results } = helperSignature(helper);
    helperIndex.set(helper.name, m.importFunction("helper", helper.name, m.type(params, results)));
  }
  const blockType = m.type([I32, I32], [I32]);
  const loadSlow = m.function(m.type([I32, I64, I32], [I64]), [I32], slowLoad(load, target.unaligned === true));
  const storeSlow = m.function(m.type([I32, I64, I64, I32], []), [I32, I32], slowStore(store, target.unaligned === true, lines));
  const atomic = m.function(m.type([I32, I64, I64, I32], [I64]), [I32, I64, I64, I32, I64], readModifyWrite(atomicAddress, shared));
  const cmpxchg = m.function(m.type([I32, I64, I64, I64, I32], [I64]), [I32, I64, I32], compareExchange(atomicAddress, shared));
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
    modules.set(spec.name, new wasm.Instance(new wasm.Module(forMemory(spec.bytes, memory)), { env: { memory } }));
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

/** (env, address, oi) */
function probePage(js: number): Code {
  const c = new Code();
  c.get(0);
  halves(c, 1);
  c.get(2);
  c.call(js);
  return c;
}

/** (env, address, value, oi) */
function slowStore(js: number, unaligned: boolean, lines: number): Code {
  const c = new Code();
  tryTlb(c, unaligned, 3, 4, 8, (log2) => {
    c.get(2);
    c.mem(STORE[log2]!, 0);
  });
  if (lines > 0) storeBesideCode(c, unaligned, lines);
  c.get(0);
  c.get(2);
  c.mem(W.i64Store, ENV.scratch, 3);
  c.get(0);
  halves(c, 1);
  c.get(3);
  c.call(js);
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
