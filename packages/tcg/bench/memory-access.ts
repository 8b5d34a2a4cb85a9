/**
 * What a guest load costs by how the address is checked: the figures of docs/adr/0007-user-mode-memory-windows.md.
 * Usage: node --conditions=@mimus/source packages/tcg/bench/memory-access.ts
 */
import { Code, I32, I64, W } from "../src/wasm/encode.ts";
import { ModuleBuilder } from "../src/wasm/module.ts";

declare const process: { cpuUsage(): { user: number } };
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: { f: (n: number) => number } };
};

const MIB = 1024 * 1024;
const TLB = 4096;
const WINDOWS = 64 * 1024;
const BASE = 2 * MIB;
/** The working set: 64 KiB, which lies in the caches. */
const SPAN = 64 * 1024;
const SIZE = 64 * MIB;
/** Loads through one base register in a turn of the loop, as in a structure of four fields. */
const FIELDS = 4;
const TURNS = 10_000_000;

type Check = "none" | "limit" | "windows, each access" | "windows, once a base" | "TLB, each access";

const N = 0;
const AT = 1;
const SUM = 2;
const ENTRY = 3;

/** Leaves the function with -1 if the i32 on the stack is not 0. */
function leaveIf(c: Code): void {
  c.if();
  c.i32(-1);
  c.op(W.return);
  c.end();
}

function limit(c: Code): void {
  c.get(AT);
  c.i64(SIZE, 0);
  c.op(0x5a); // i64.ge_u
  leaveIf(c);
}

function window(c: Code): void {
  c.get(AT);
  c.op(W.i32WrapI64);
  c.i32(11);
  c.op(W.i32ShrU);
  c.mem(W.i32Load8U, WINDOWS);
  c.i32(1);
  c.op(W.i32And);
  c.op(W.i32Eqz);
  leaveIf(c);
}

/** As block-compiler.ts does it: tag, then addend, of an entry of 32 bytes. */
function viaTlb(c: Code, offset: number): void {
  c.get(AT);
  c.i64(offset, 0);
  c.op(W.i64Add);
  c.set(4);
  c.get(4);
  c.op(W.i32WrapI64);
  c.i32(7);
  c.op(W.i32ShrU);
  c.i32(1023 * 32);
  c.op(W.i32And);
  c.tee(ENTRY);
  c.mem(W.i64Load, TLB, 3);
  c.get(4);
  c.i64(-4096 | 7, -1);
  c.op(W.i64And);
  c.op(W.i64Ne);
  leaveIf(c);
  c.get(4);
  c.op(W.i32WrapI64);
  c.get(ENTRY);
  c.mem(W.i32Load, TLB + 24, 2);
  c.op(W.i32Add);
  c.mem(W.i64Load, 0, 0);
}

/** A loop of n turns over the span. */
function loop(check: Check): Uint8Array {
  const m = new ModuleBuilder();
  m.importMemory("env", "memory");
  const c = new Code();
  c.loop();
  if (check === "limit" || check === "windows, once a base") limit(c);
  if (check === "windows, once a base") window(c);
  for (let field = 0; field < FIELDS; field++) {
    if (check === "windows, each access") {
      limit(c);
      window(c);
    }
    c.get(SUM);
    if (check === "TLB, each access") viaTlb(c, field * 8);
    else {
      c.get(AT);
      c.op(W.i32WrapI64);
      c.mem(W.i64Load, BASE + field * 8, 0);
    }
    c.op(W.i64Add);
    c.set(SUM);
  }
  // The next address depends on nothing that was loaded: this measures throughput.
  c.get(AT);
  c.i64(32, 0);
  c.op(W.i64Add);
  c.i64(SPAN - 1, 0);
  c.op(W.i64And);
  c.set(AT);
  c.get(N);
  c.i32(1);
  c.op(W.i32Sub);
  c.tee(N);
  c.brIf(0);
  c.end();
  c.get(SUM);
  c.op(W.i32WrapI64);
  m.exportFunction("f", m.function(m.type([I32], [I32]), [I64, I64, I32, I64], c));
  return m.finish();
}

const memory = new WebAssembly.Memory({ initial: (BASE + SIZE) / 65536 });
const words = new Int32Array(memory.buffer);
for (let page = 0; page < 1024; page++) {
  const entry = (TLB + page * 32) >>> 2;
  words[entry] = page << 12;
  words[entry + 6] = BASE;
}
new Uint8Array(memory.buffer, WINDOWS, SIZE / 2048).fill(3);
words.fill(1, BASE >>> 2, (BASE + SPAN) >>> 2);

const checks: readonly Check[] = ["none", "limit", "windows, once a base", "windows, each access", "TLB, each access"];
const functions = checks.map((check) => {
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(loop(check)), { env: { memory } }).exports;
  // Warm: the optimising compiler replaces the function between calls.
  for (let i = 0; i < 200; i++) f(10_000);
  return f;
});
const expected = functions[0]!(TURNS);
const times = checks.map(() => [] as number[]);
for (let round = 0; round < 5; round++)
  functions.forEach((f, i) => {
    // Processor time: it does not depend on who else runs.
    const before = process.cpuUsage().user;
    if (f(TURNS) !== expected) throw new Error(`${checks[i]}: another sum`);
    times[i]!.push(((process.cpuUsage().user - before) * 1000) / TURNS / FIELDS);
  });
checks.forEach((check, i) => console.log(`${check.padEnd(24)} ${Math.min(...times[i]!).toFixed(2)} ns a load`));
