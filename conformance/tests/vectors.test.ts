import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import type { StepCase } from "../vectors/case.ts";
import { stepRunner } from "../vectors/compare.ts";
import { readText } from "../vectors/input.ts";
import { readVectors } from "../vectors/readers.ts";
import { report, summary } from "../vectors/report.ts";
import { main } from "../vectors/run.ts";

const directory = mkdtempSync(join(tmpdir(), "mimus-vectors-"));
afterAll(() => rmSync(directory, { recursive: true }));
function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const sample = fileURLToPath(new URL("../data/riscv/steps-rv64.jsonl.gz", import.meta.url));

describe("RISC-V single instructions", () => {
  it("agree with the oracle", async () => {
    const result = await report(readVectors(readText(sample)));
    expect(Object.fromEntries(result.classes)).toEqual({});
    expect(summary(result)).toBe("5347 of 5347 equal, 0 skipped");
  });

  it("a wrong expectation is a difference that names register and values", async () => {
    const [header, ...cases] = gunzipSync(readFileSync(sample)).toString().split("\n");
    const addi = cases.find((text) => text.startsWith('{"c":"addi"')) ?? "";
    const wrong = addi.replace(/"pc":"[0-9a-f]+"/, '"pc":"20008006"');
    const result = await report(readVectors(`${header}\n${addi}\n${wrong}\n`));
    expect(summary(result)).toBe("1 of 2 equal, 0 skipped");
    expect(result.classes.get("addi")?.first).toEqual([
      expect.stringMatching(/^line 3 .*: pc 20008004, wanted 20008006$/),
    ]);
  });
});

describe("x86 single instructions", () => {
  const native = (mode: 32 | 64, ...cases: object[]): string => {
    const state = { rax: "1", rbx: "ffff", rip: "105000", rflags: "2", st: [], ymm: [] };
    const header = {
      kind: "header",
      mode,
      code: 0x105000,
      base: 0x100000,
      len: 0x10000,
      memBase: 0x108000,
      mem: "",
      fill: "f4",
    };
    return [{ ...header, states: [state] }, ...cases].map((line) => JSON.stringify(line)).join("\n");
  };
  const cases = [
    { c: "01", s: 0, b: "01d8", r: { rax: "10000", rip: "105002", rflags: "16" } },
    { c: "00", s: 0, b: "0003", x: 14, r: {} },
    { c: "06", s: 0, b: "0f0b", x: 6, r: {} },
    { c: "f4", s: 0, b: "f4", x: 13, r: {} },
    { c: "cc", s: 0, b: "cc", x: 3, r: { rip: "105001" } },
  ];

  it.each(["interp", "wasm"] as const)("in user mode, 64 and 32 bits: %s", async (backend) => {
    for (const mode of [64, 32] as const) {
      // oxlint-disable-next-line no-await-in-loop -- the second needs the first's memory
      const result = await report(readVectors(native(mode, ...cases)), { settings: { backend } });
      expect(Object.fromEntries(result.classes)).toEqual({});
      expect(summary(result)).toBe("5 of 5 equal, 0 skipped");
    }
  });

  it("what differs is named", async () => {
    const wrong = { c: "01", s: 0, b: "01d8", r: { rax: "10001", rip: "105002", rflags: "6" }, undef: 16 };
    const result = await report(readVectors(native(64, wrong)));
    expect(result.classes.get("01")?.first).toEqual(["line 2 (01d8): rax 10000, wanted 10001"]);
  });

  it("of the 80286 in real mode: to the halt, and through vectors in memory", async () => {
    const regs = { ax: 0x8001, cs: 0x100, ss: 0x200, sp: 0x100, ip: 0, flags: 0xf002 };
    const run = (bytes: number[], extra: [number, number][], final: object, ram: [number, number][] = []): string =>
      JSON.stringify({
        name: "x",
        bytes,
        op: "01",
        initial: { regs, ram: [...bytes.map((byte, n) => [0x1000 + n, byte]), ...extra] },
        final: { regs: final, ram },
      });
    const lines = [
      run([0x01, 0xc0, 0xf4], [], { ax: 2, ip: 3, flags: 0x803 }),
      run([0xf0, 0x90, 0xf4], [], { ip: 3, flags: 2 }),
      run([0xcc], [[12, 4], [13, 0], [14, 0x10], [15, 0], [0x104, 0xf4]], { cs: 16, ip: 5, sp: 0xfa, flags: 2 }, [[0x20fa, 1], [0x20fb, 0]]),
    ]; // prettier-ignore
    const result = await report(readVectors(lines.join("\n")));
    expect(Object.fromEntries(result.classes)).toEqual({});
  });
});

describe("x86 encodings", () => {
  const iced = `# Copyright (C) 2018-present iced project and contributors
# a comment
01 CE, Add_rm32_r32, Add, 2, op0=r;esi op1=r;ecx
62 F2FDAB 5A 50 01, EVEX_Vbroadcasti64x2_ymm_k1z_m128, Vbroadcasti64x2, 2
66 0FB8 CE, INVALID, INVALID, 0, code=INVALID
0FAF 18, INVALID, INVALID, 0, code=Imul_r32_rm32
`;

  it("iced: the mode is in the name", async () => {
    const result = await report(readVectors(iced, undefined, "tests/DecoderTest32.txt"));
    expect(summary(result)).toBe("2 of 4 equal, 1 skipped (outside the instruction sets that are modelled)");
    expect(result.classes.get("Imul")?.first).toEqual(["line 6 (0FAF18 Imul_r32_rm32): imul of 3 bytes, wanted none"]);
    expect(() => readVectors(iced, undefined, "x.txt")).toThrow(/should end in 16.txt, 32.txt or 64.txt/);
  });

  it("Capstone and Zydis", async () => {
    const capstone = [
      { arch: "ARM", opt: ["arm"], hex: "00", asm: ["x"], src: "a" },
      { arch: "X86", opt: ["32"], hex: "0fa2", asm: ["cpuid"], src: "x86.s.yaml" },
      { arch: "X86", opt: ["64"], hex: "0fa2f4", asm: ["cpuid"], src: "x86.s.yaml" },
    ];
    const zydis = [
      { name: "default_000", in: "-32 A077777777f4", out: "MNEMONIC: mov [\n     LENGTH:  5\n" },
      { name: "invalid_000", in: "-64 06", out: "" },
    ];
    const text = (lines: object[]): string => lines.map((line) => JSON.stringify(line)).join("\n");
    expect(summary(await report(readVectors(text(capstone))))).toBe("1 of 2 equal, 0 skipped");
    expect(summary(await report(readVectors(text(zydis))))).toBe("2 of 2 equal, 0 skipped");
  });
});

describe("readers", () => {
  const one = (text: string): StepCase => [...readVectors(text).cases][0] as StepCase;

  it("x86-native", async () => {
    const state = {
      rax: "1",
      rip: "105000",
      rflags: "202",
      fsw: 0,
      st: ["0000000000000080ff3f"],
      ymm: ["01".repeat(32)],
    };
    const header = {
      kind: "header",
      mode: 64,
      code: 0x105000,
      base: 0x100000,
      len: 0x10000,
      memBase: 0x108000,
      mem: "abcd",
      fill: "f4",
      states: [state],
    };
    const test = {
      c: "00",
      s: 0,
      b: "0000",
      r: { rip: "105002" },
      m: [[0x108001, "ee"]],
      undef: 16,
      st: { 0: "0000000000000080ff7f" },
      fswMask: 0xbaff,
      fsw: 1,
    };
    const text = [header, test].map((line) => JSON.stringify(line)).join("\n");
    const step = one(text);
    expect(step.registers.get("st0")).toBe(0x3fff8000000000000000n);
    expect([...step.expected.registers]).toEqual([
      ["rip", 0x105002n],
      ["st0", 0x7fff8000000000000000n],
      ["fsw", 1n],
    ]);
    expect([...step.ignored]).toEqual([
      ["rflags", 16n],
      ["fsw", 0x4500n],
    ]);
    expect([...(step.memory[0]?.bytes.subarray(0x7fff, 0x8003) ?? [])]).toEqual([0xf4, 0xab, 0xcd, 0xf4]);
  });

  it("80286: defined flags, run to the halt", () => {
    const regs = { ax: 1, ip: 0x100, flags: 2 };
    const step = one(
      JSON.stringify({
        name: "nop",
        bytes: [0x90, 0xf4],
        op: "90",
        mask: 0xfffe,
        initial: {
          regs,
          ram: [
            [5, 1],
            [6, 2],
            [9, 3],
          ],
        },
        final: { regs: { ip: 0x102 }, ram: [] },
      }),
    );
    expect(step).toMatchObject({ class: "90", untilHalt: true });
    expect(step.ignored.get("flags")).toBe(0xf001n);
    expect(step.memory.map(({ address, bytes }) => [address, ...bytes])).toEqual([
      [5, 1, 2],
      [9, 3],
    ]);
  });

  it("r3000: a machine without load delays may have a loaded value early", () => {
    const R = Array.from({ length: 32 }, () => 0);
    const state = {
      R,
      hi: 0,
      lo: 0,
      EPC: 0,
      TAR: 0,
      CAUSE: 0,
      PC: 4096,
      branch_delay: { target: 0, slot: false, take: false },
      load_delay: { reg: -1, val: 0 },
    };
    const final = { ...state, PC: 4100, load_delay: { reg: 7, val: 99 } };
    const step = one(
      JSON.stringify({
        name: "LW $1",
        opcode: 0,
        addr: 4096,
        initial: state,
        final,
        bus: [
          [4, 4096, 4, 0x1234],
          [1, 8, 4, 99],
        ],
      }),
    );
    const machine = (r7: bigint) => ({
      run: () => ({}),
      register: (name: string) => (name === "r7" ? r7 : name === "pc" ? 4100n : 0n),
      memory: (address: number, length: number) =>
        Uint8Array.from([99, 0, 0, 0].slice(0, length)).fill(0x34, 0, address === 4096 ? 1 : 0),
    });
    const ofR7 = (verdict: object): string[] =>
      ("differences" in verdict ? (verdict.differences as string[]) : []).filter((text) => text.startsWith("r7"));
    expect([0n, 99n, 5n].map((value) => ofR7(stepRunner(machine(value)).run(step)).length)).toEqual([0, 0, 1]);
  });

  it("name the line that is wrong", () => {
    const header = gunzipSync(readFileSync(sample)).toString().split("\n")[0];
    const read = (line: string) => (): number => [...readVectors(`${header}\n${line}`).cases].length;
    expect(read('{"c":')).toThrow(/^line 2: not JSON/);
    expect(read('{"c":"add","s":99,"b":"00","to":{}}')).toThrow("line 2: there is no state 99; the header has 24");
    expect(read('{"c":"add","s":0,"b":"0","to":{}}')).toThrow('line 2: "0" is not pairs of hexadecimal digits');
    expect(() => readVectors("hello")).toThrow(/^not a format known here: starts with "hello"; known are x86-native, /);
  });
});

describe("the command", () => {
  const run = async (...args: string[]): Promise<{ status: number; out: string; err: string }> => {
    let [out, err] = ["", ""];
    const status = await main(args, { out: (text) => (out += `${text}\n`), error: (text) => (err += `${text}\n`) });
    return { status, out, err };
  };

  const right = "# f32_add rne\n3F800000 3F800000 40000000 00\n";
  const wrong = "# f32_add rne\n3F800000 3F800000 40000001 00\n";

  it("reads plain and gzip, prints a line a file, fails on differences", async () => {
    const [a, b] = [file("right.txt", right), file("wrong.txt.gz", gzipSync(wrong))];
    expect(await run(a)).toEqual({ status: 0, out: `${a}: 1 of 1 equal, 0 skipped\n`, err: "" });
    const both = await run("-v", a, b);
    expect(both.status).toBe(1);
    expect(both.out).toContain(`${b}: 0 of 1 equal, 0 skipped\n  f32_add: 1 differ\n    line 2: `);
  });

  it("says what is wrong with a file or an option, without a stack", async () => {
    const missing = join(directory, "missing");
    expect(await run(missing)).toEqual({ status: 2, out: "", err: `${missing}: no such file\n` });
    expect((await run(directory)).err).toBe(`${directory}: is a directory; name the files in it\n`);
    const cut = file("cut.gz", gzipSync(right).subarray(0, 20));
    expect((await run(cut)).err).toMatch(/cut\.gz: damaged gzip data/);
    expect((await run(file("bad.xz", Buffer.from("fd377a585a00ffff", "hex")))).err).toMatch(
      /bad\.xz: (damaged xz data|is xz-compressed)/,
    );
    expect((await run("--keep", "x", cut)).err).toMatch(/^--keep takes a number/);
    expect((await run("--nonsense")).status).toBe(2);
  });
});
