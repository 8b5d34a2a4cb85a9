import { expect, test } from "vitest";
import { Code, I32, W } from "./encode.ts";
import { ModuleBuilder } from "./module.ts";

/** The contents of the custom section of that name, behind the name. */
function customSection(bytes: Uint8Array<ArrayBuffer>, name: string): Uint8Array | undefined {
  const found = WebAssembly.Module.customSections(new WebAssembly.Module(bytes), name)[0];
  return found === undefined ? undefined : new Uint8Array(found);
}

/** x < 0 ? −x : x by a branch, appended in two parts. */
function body(hinted: boolean): Code {
  const inner = new Code();
  inner.get(0);
  inner.i32(0);
  inner.op(W.i32LtS);
  if (hinted) inner.rarely();
  inner.brIf(0);
  inner.get(0);
  inner.op(W.return);
  const code = new Code();
  code.block();
  code.append(inner);
  code.end();
  code.i32(0);
  code.get(0);
  code.op(W.i32Sub);
  return code;
}

function module(hinted: boolean): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  const type = m.type([I32], [I32]);
  m.importFunction("e", "f", type);
  m.function(type, [], body(false));
  m.exportFunction("abs", m.function(type, [I32, I32], body(hinted)));
  return m.finish();
}

test("branch hints name the function and the offset of the branch from its locals", () => {
  // One function, number 2, one hint: behind 3 bytes of locals, `block` (2), and x < 0 (5), one byte: 0.
  expect([...customSection(module(true), "metadata.code.branch_hint")!]).toEqual([1, 2, 1, 10, 1, 0]);
});

test("without hints there is no section", () => {
  expect(customSection(module(false), "metadata.code.branch_hint")).toBeUndefined();
});

test("hints change nothing", () => {
  for (const hinted of [false, true]) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module(hinted)), { e: { f: () => 0 } });
    const abs = instance.exports["abs"] as (x: number) => number;
    expect([abs(5), abs(-5), abs(0)]).toEqual([5, 5, 0]);
  }
});
