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
  }, 60_000);

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
    const bswap = { c: "660fc8", s: 0, b: "660fc8" };
    const text = [header, test, bswap].map((line) => JSON.stringify(line)).join("\n");
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
    expect(summary(await report(readVectors(text)))).toBe("0 of 2 equal, 2 skipped (no target-x86 installed)");
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
