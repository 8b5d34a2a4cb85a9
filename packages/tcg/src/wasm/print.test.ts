import { describe, expect, test } from "vitest";
import { IrError } from "../ir/errors.ts";
import { Bytes, Code, EMPTY, I32, I64, W } from "./encode.ts";
import { ModuleBuilder } from "./module.ts";
import { CodeNotes } from "./notes.ts";
import { OPCODES } from "./print-opcodes.ts";
import { printWat, WatPrinter } from "./print.ts";

/** A loop with a load, a call, a branch out of two blocks and an `if` with a result. */
function sample(notes?: CodeNotes): Uint8Array {
  const m = new ModuleBuilder();
  const type = m.type([I32, I32], [I32]);
  const slow = m.importFunction("runtime", "h.slow", m.type([I32, I64], [I64]));
  m.importMemory("env", "memory");
  m.importTable("env", "table");
  const c = new Code();
  notes?.local(0, "env");
  notes?.local(3, "x1");
  notes?.label(0, "out");
  c.block();
  c.loop();
  notes?.comment(c.length, "0x80000000:  ld ra,8(sp)\nsecond line");
  c.get(0);
  c.mem(W.i32Load, 16, 2);
  c.if(I64);
  c.get(0);
  c.mem(W.i64Load, 136);
  c.else();
  c.get(0);
  c.i64(-1, 0);
  c.call(slow);
  c.end();
  c.tee(3);
  c.op(W.i32WrapI64);
  c.brIf(1);
  c.br(0);
  c.end();
  c.end();
  c.get(1);
  c.get(0);
  c.get(1);
  c.op(W.returnCallIndirect);
  c.u32(type);
  c.u32(0);
  m.exportFunction("f", m.function(type, [I32, I64], c));
  m.elements(7, m.importedFunctions, 1);
  return m.finish();
}

test("a module as text", () => {
  const notes = new CodeNotes();
  expect(printWat(sample(notes), { functions: ["tb_80000000"], notes: [notes] })).toBe(`(module
  (type $t0 (func (param i32 i32) (result i32)))
  (type $t1 (func (param i32 i64) (result i64)))
  (import "runtime" "h.slow" (func $h.slow (type $t1)))
  (import "env" "memory" (memory 0))
  (import "env" "table" (table 0 funcref))
  (func $tb_80000000 (type $t0) (param $env i32) (param $p1 i32) (result i32)
    (local $l2 i32) (local $x1 i64)
    (block $out
      (loop $L1
        ;; 0x80000000:  ld ra,8(sp)
        ;; second line
        (br_if $out
          (i32.wrap_i64
            (local.tee $x1
              (if (result i64) (i32.load offset=16 (local.get $env))
                (then (i64.load offset=136 align=1 (local.get $env)))
                (else (call $h.slow (local.get $env) (i64.const 0xffffffff)))))))
        (br $L1)
      ) ;; $L1
    ) ;; $out
    (return_call_indirect (type $t0) (local.get $p1) (local.get $env) (local.get $p1))
  )
  (export "f" (func $tb_80000000))
  (elem (i32.const 7) $tb_80000000)
)
`);
});

test("one function, one instruction a line", () => {
  const text = new WatPrinter(sample(), { style: "flat", align: false }).function(0);
  expect(text).toBe(`(func $f0 (type $t0) (param $p0 i32) (param $p1 i32) (result i32)
  (local $l2 i32) (local $l3 i64)
  block $B0
    loop $L1
      local.get $p0
      i32.load offset=16
      if $I2 (result i64)
        local.get $p0
        i64.load offset=136
      else
        local.get $p0
        i64.const 0xffffffff
        call $h.slow
      end
      local.tee $l3
      i32.wrap_i64
      br_if $B0
      br $L1
    end
  end
  local.get $p1
  local.get $p0
  local.get $p1
  return_call_indirect (type $t0)
)
`);
});

const body = (fill: (c: Code) => void, locals: readonly number[] = []): string => {
  const m = new ModuleBuilder();
  const c = new Code();
  fill(c);
  m.function(m.type([], []), locals, c);
  return new WatPrinter(m.finish()).function(0);
};

test("an operand that is not next to its instruction is not drawn into it", () => {
  const text = body((c) => {
    c.i32(1);
    c.block();
    c.end();
    c.i32(2);
    c.op(W.i32Add);
    c.op(W.drop);
  });
  expect(text).toContain("(i32.const 1)\n  (block $B0\n  ) ;; $B0\n  (drop (i32.add (i32.const 2)))\n");
});

test("names that clash, or have characters that identifiers do not have, stay apart", () => {
  const m = new ModuleBuilder();
  const notes = new CodeNotes();
  notes.local(0, "a b");
  notes.local(1, "a_b");
  m.function(m.type([I32, I32], []), [], new Code());
  const text = new WatPrinter(m.finish(), { functions: ["f(1)"], notes: [notes] }).function(0);
  expect(text).toContain("(func $f_1_ (type $t0) (param $a_b i32) (param $a_b.2 i32)");
});

test("a comment cannot end its line", () => {
  const m = new ModuleBuilder();
  const notes = new CodeNotes();
  const c = new Code();
  notes.comment(0, "a\r(drop)\u0000");
  c.op(W.unreachable);
  m.function(m.type([], []), [], c);
  expect(new WatPrinter(m.finish(), { notes: [notes] }).function(0)).toContain("  ;; a (drop)\n  (unreachable)\n");
});

test("floats read back as the same bits", () => {
  const float = (bits: number): string => body((c) => c.bytes([0x43, bits & 255, (bits >> 8) & 255, (bits >> 16) & 255, bits >>> 24])); // prettier-ignore
  for (const [bits, text] of [
    [0x3dcccccd, "0.10000000149011612"], [0x80000000, "-0"], [0x7f800000, "inf"], [0xff800000, "-inf"],
    [0xffc00001, "-nan:0x400001"], [1, "1.401298464324817e-45"],
  ] as const) expect(float(bits)).toContain(`(f32.const ${text})`); // prettier-ignore
});

test("every opcode that the encoder names is in the table", () => {
  for (const [name, code] of Object.entries(W)) {
    const camel = OPCODES.get(code)?.name.replaceAll(/[._](\w)/g, (_, letter: string) => letter.toUpperCase());
    expect(camel?.toLowerCase()).toBe(name.toLowerCase());
  }
});

describe("bytes that are not what the encoder makes", () => {
  const fails = (bytes: Uint8Array): string => {
    try {
      printWat(bytes);
    } catch (error) {
      if (error instanceof IrError && error.kind === "binary" && error.at !== undefined) return error.message;
      throw error;
    }
    return "";
  };
  const good = sample();

  test("each prefix is refused, with the place", () => {
    // A module may end after any section.
    const whole = new Set<number>();
    for (let n = 0; n < good.length; n++) if (fails(good.subarray(0, n)) === "") whole.add(n);
    expect(whole.size).toBeLessThan(8);
    expect(fails(good.subarray(0, 20))).toMatch(/^Byte \d+: /);
  });

  test("each changed byte gives a text or an error", () => {
    for (let at = 0; at < good.length; at++)
      for (const value of [0, 1, 0x0b, 0x40, 0x7f, 0x80, 0xfc, 0xfd, 0xff]) {
        const bytes = good.slice();
        bytes[at] = value;
        fails(bytes);
      }
  });

  test.each([
    ["no module", [1, 2, 3], /no WebAssembly module/],
    ["a list without end", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 0xff, 0xff, 0xff, 0xff, 0x0f], /longer than what is left/],
    ["a number without end", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff], /more than 32 bits/],
    ["sections in another order", [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 3, 1, 0, 1, 1, 0], /comes after/],
  ] as const)("%s", (_, bytes, message) => expect(fails(Uint8Array.from(bytes))).toMatch(message)); // prettier-ignore

  test("locals without end", () => {
    const m = new ModuleBuilder();
    m.function(m.type([], []), Array.from({ length: 50_001 }, () => I32), new Code()); // prettier-ignore
    expect(fails(m.finish())).toMatch(/more than 50000 locals/);
  });

  test("very deep code has a text", () => {
    const deep = body((c) => {
      for (let i = 0; i < 20_000; i++) c.block(EMPTY);
      for (let i = 0; i < 20_000; i++) c.end();
    });
    expect(deep).toContain("block $B19999");
    const chain = body((c) => {
      c.i32(1);
      for (let i = 0; i < 20_000; i++) c.op(W.i32Eqz);
      c.op(W.drop);
    });
    expect(chain.split("i32.eqz").length).toBe(20_001);
  });

  test("an else that belongs to no if", () => {
    const m = new ModuleBuilder();
    const c = new Bytes();
    c.byte(W.else);
    m.function(m.type([], []), [], c);
    expect(fails(m.finish())).toMatch(/else without if/);
  });
});
