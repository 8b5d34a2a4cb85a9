import { beforeEach, describe, expect, it } from "vitest";
import { x87Exports, x87Module, x87Signatures } from "./x87.ts";

declare const WebAssembly: {
  readonly Memory: new (d: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, (...args: (number | bigint)[]) => number | bigint | undefined>> };
};

const FILE = 8192;
const AT = {
  cw: FILE + 448,
  sw: FILE + 452,
  top: FILE + 456,
  empty: FILE + 488,
  registers: FILE + 1536,
  left: FILE + 2560,
};
const memory = new WebAssembly.Memory({ initial: 1 });
const x87 = new WebAssembly.Instance(new WebAssembly.Module(x87Module.bytes), { env: { memory } }).exports;
const view = new DataView(memory.buffer);
const F = {
  IE: 1,
  DE: 2,
  ZE: 4,
  OE: 8,
  UE: 16,
  PE: 32,
  SF: 64,
  ES: 0x8080,
  C0: 0x100,
  C1: 0x200,
  C2: 0x400,
  C3: 0x4000,
};

function call(name: string, ...args: (number | bigint)[]): number | bigint | undefined {
  return x87[`x87_${name}`]!(FILE, ...args);
}
/** Pushes numbers given as "sign and exponent:significand", the last one on top. */
function push(...numbers: string[]): void {
  for (const text of numbers) {
    const [se, sig] = text.split(":");
    call("ld_f80", BigInt.asIntN(64, BigInt(`0x${sig}`)), Number.parseInt(se!, 16));
  }
}
function st(i: number): string {
  const at = AT.registers + 16 * ((view.getInt32(AT.top, true) + i) & 7);
  const hex = (n: number | bigint, width: number): string => n.toString(16).padStart(width, "0");
  return `${hex(view.getUint16(at + 8, true), 4)}:${hex(view.getBigUint64(at, true), 16)}`;
}
const flags = (): number => view.getInt32(AT.sw, true);
const depth = (): number => (8 - view.getInt32(AT.top, true)) & 7;

const ONE = "3fff:8000000000000000";
const THREE = "4000:c000000000000000";
const INDEFINITE = "ffff:c000000000000000";
const INFINITY = "7fff:8000000000000000";

beforeEach(() => {
  new Uint8Array(memory.buffer, FILE, 4096).fill(0);
  call("init");
});

it("says what it exports", () => {
  expect(Object.keys(x87).filter((name) => name !== "memory")).toEqual([...x87Exports]);
  for (const [name, { params }] of Object.entries(x87Signatures)) expect(x87[name]!.length).toBe(params.length + 1);
});

// What an AMD EPYC (Zen) answered.
describe("arithmetic", () => {
  it.each([
    ["div", ONE, THREE, 0x37f, "3ffd:aaaaaaaaaaaaaaab", F.PE | F.C1],
    ["div", ONE, THREE, 0x77f, "3ffd:aaaaaaaaaaaaaaaa", F.PE],
    ["div", ONE, THREE, 0x27f, "3ffd:aaaaaaaaaaaaa800", F.PE],
    ["div", ONE, THREE, 0x07f, "3ffd:aaaaab0000000000", F.PE | F.C1],
    ["div", ONE, "0000:0000000000000000", 0x37f, INFINITY, F.ZE],
    ["div", ONE, "0000:0000000000000000", 0x37b, ONE, F.ZE | F.ES],
    ["add", ONE, "3fbf:8000000000000001", 0x37f, "3fff:8000000000000001", F.PE | F.C1],
    ["add", ONE, "3fbf:8000000000000000", 0x37f, ONE, F.PE],
    ["add", ONE, "bfff:8000000000000000", 0x37f, "0000:0000000000000000", 0],
    ["add", ONE, "bfff:8000000000000000", 0x77f, "8000:0000000000000000", 0],
    ["add", "7fff:c000000000000001", "7fff:c000000000000002", 0x37f, "7fff:c000000000000002", 0],
    ["add", "7fff:8000000000000003", "7fff:c000000000000001", 0x37f, "7fff:c000000000000001", F.IE],
    ["add", "4000:0000000000000001", ONE, 0x37f, INDEFINITE, F.IE],
    ["mul", "7ffe:ffffffffffffffff", THREE, 0x37f, INFINITY, F.OE | F.PE | F.C1],
    ["mul", "7ffe:ffffffffffffffff", THREE, 0xf7f, "7ffe:ffffffffffffffff", F.OE | F.PE],
    ["mul", "7ffe:8000000000000000", "4001:8000000000000000", 0x377, "2000:8000000000000000", F.OE | F.ES],
    ["mul", "0001:8000000000000000", "3ffe:8000000000000000", 0x37f, "0000:4000000000000000", 0],
    ["mul", "0001:8000000000000000", "3ffe:8000000000000000", 0x36f, "6000:8000000000000000", F.UE | F.ES],
    ["mul", "0000:0000000000000001", "3ffe:8000000000000000", 0x37f, "0000:0000000000000000", F.DE | F.UE | F.PE],
    ["mul", INFINITY, "0000:0000000000000000", 0x37f, INDEFINITE, F.IE],
  ])("%s of %s and %s, control %i", (op, a, b, cw, result, expected) => {
    push(b, a);
    call("control", cw);
    call(op, 1 << 3);
    expect([st(0), flags()]).toEqual([result, expected]);
  });

  it("takes roots", () => {
    push("4000:8000000000000000");
    call("sqrt");
    expect([st(0), flags()]).toEqual(["3fff:b504f333f9de6484", F.PE]);
    push("bfff:8000000000000000");
    call("sqrt");
    expect([st(0), flags() & F.IE]).toEqual([INDEFINITE, F.IE]);
  });
});

describe("stack", () => {
  it("faults on what is not there, and on what is", () => {
    call("add", 1 << 3);
    expect([st(0), flags()]).toEqual([INDEFINITE, F.IE | F.SF]);
    call("init");
    for (let n = 0; n < 8; n++) push(ONE);
    call("ld_constant", 6);
    expect([st(0), flags()]).toEqual([INDEFINITE, F.IE | F.SF | F.C1]);
    expect(depth()).toBe(1);
  });

  it("leaves everything as it was when that is not masked", () => {
    push(ONE);
    call("control", 0x37e);
    call("add", (1 << 3) | 64);
    expect([st(0), depth(), flags()]).toEqual([ONE, 1, F.IE | F.SF | F.ES]);
    call("control", 0x37f);
    expect(flags()).toBe(F.IE | F.SF);
  });
});

describe("conversions", () => {
  it.each([
    ["st_f64", "3fff:8000000000000401", [], 0x3ff0000000000001n, F.PE | F.C1],
    ["st_f64", "3fff:8000000000000400", [], 0x3ff0000000000000n, F.PE],
    ["st_f64", "3bcd:8000000000000000", [], 1n, 0],
    ["st_f64", "4400:8000000000000000", [], 0x7ff0000000000000n, F.OE | F.PE | F.C1],
    ["st_i64", "4000:a000000000000000", [32], 2n, F.PE],
    ["st_i64", "c000:e000000000000000", [32], -4n, F.PE | F.C1],
    ["st_i64", "c000:e000000000000000", [-32], -3n, F.PE],
    ["st_i64", "400e:8000000000000000", [16], -0x8000n, F.IE],
    ["st_bcd", "c00b:c0e4000000000000", [], 0n, F.PE],
  ] as const)("%s of %s %o", (op, value, args, result, expected) => {
    push(value);
    const got = call(op, ...args);
    call("stored", 1);
    expect([got, flags(), depth()]).toEqual([op === "st_bcd" ? got : result, expected, 0]);
    if (op === "st_bcd")
      expect([(got as bigint).toString(16), view.getInt32(AT.left + 8, true)]).toEqual(["6172", 0x8000]);
  });

  it("loads what memory holds", () => {
    call("ld_f64", 1n);
    expect([st(0), flags()]).toEqual(["3bcd:8000000000000000", F.DE]);
    call("ld_f32", 0x7f800001);
    expect([st(0), flags()]).toEqual(["7fff:c000010000000000", F.DE | F.IE]);
    call("ld_bcd", 0x123456789n, 0x8000);
    expect(st(0)).toBe("c019:eb79a2a000000000");
    call("ld_i64", -(2n ** 63n));
    expect(st(0)).toBe("c03e:8000000000000000");
  });
});

describe("functions", () => {
  it.each([
    ["prem", [0], "4005:c800000000000000", THREE, ONE, F.C1],
    ["prem", [1], "4000:a000000000000000", THREE, "bffe:8000000000000000", F.C1],
    ["prem", [0], "407f:8000000000000001", THREE, undefined, F.C2],
    ["scale", [], THREE, "4000:a000000000000000", "4002:c000000000000000", 0],
    ["sin", [0], ONE, ONE, "3ffe:d76aa47848677021", F.PE | F.C1],
    ["sin", [1], ONE, ONE, "3ffe:8a51407da8345c92", F.PE | F.C1],
    ["sin", [0], "4000:c90fdaa22168c235", ONE, "bfbf:8000000000000000", F.PE],
    ["sin", [0], "403e:8000000000000000", ONE, "403e:8000000000000000", F.C2],
    ["f2xm1", [], "3ffe:8000000000000000", ONE, "3ffd:d413cccfe7799211", F.PE],
  ] as const)("%s %o of %s (%s)", (op, args, top, next, result, expected) => {
    push(next, top);
    call(op, ...args);
    if (result !== undefined) expect(st(0)).toBe(result);
    expect(flags() & ~F.C1).toBe(expected & ~F.C1);
  });

  it("finds logarithms and angles", () => {
    push(ONE, THREE);
    call("yl2x", 0);
    expect([st(0), depth()]).toEqual(["3fff:cae00d1cfdeb43d0", 1]);
    push(ONE, "bfff:8000000000000000");
    call("patan");
    expect(st(0)).toBe("4000:96cbe3f9990e91a8");
  });

  it("compares", () => {
    push(THREE, ONE);
    call("com", 1);
    expect(flags()).toBe(F.C0);
    push("7fff:c000000000000000");
    call("com", 1 | 8);
    expect(flags()).toBe(F.C3 | F.C2 | F.C0);
    expect(call("comi", 1)).toBe(0x45);
    expect(flags() & F.IE).toBe(F.IE);
  });
});
