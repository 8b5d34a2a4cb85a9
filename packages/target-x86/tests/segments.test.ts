/** Loads of segment registers, VERR, VERW and permission maps: the short ways do what the helpers do. */
import { ENV } from "@mimus/tcg";
import { Seeded } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { FLAG, OFF, REG, SEG, SEG_FIELD, segOffset } from "../src/state.ts";
import { checkPort } from "../src/system/ports.ts";
import { loadSegment, verify } from "../src/system/segments.ts";
import { RunningCpu } from "./running-cpu.ts";

const [CODE, GDT, TASK, STACK] = [0x1000, 0x4000, 0x6000, 0x8000];
const DESCRIPTORS = 64;
const SEGMENTS = [SEG.es, SEG.ss, SEG.ds, SEG.fs, SEG.gs] as const;

/** Descriptors that differ in a bit or two from flat ones, so that most can be loaded. */
function fillTable(r: RunningCpu, random: Seeded): void {
  const bytes = new Uint8Array(8 * DESCRIPTORS);
  const view = new DataView(bytes.buffer);
  for (let n = 1; n < DESCRIPTORS; n++) {
    const flat = 0x00cf_9300 | (random.below(4) << 13) | (random.below(4) === 0 ? 0x800 : 0);
    const odd = random.below(2) === 0 ? 1 << (8 + random.below(24)) : 0;
    view.setUint32(8 * n, random.below(2) === 0 ? 0xffff : random.below(2 ** 32), true);
    view.setUint32(8 * n + 4, (flat ^ odd) >>> 0, true);
  }
  r.poke(GDT, bytes);
}

function start(mode: 16 | 32 | 64, word: 32 | 64, backend: "interp" | "wasm", cpl: 0 | 3 = 0): RunningCpu {
  const r = new RunningCpu({ mode, word, backend, cpl });
  const { cpu } = r;
  cpu.set(OFF.gdtBase, GDT, 0);
  cpu.setLo(OFF.gdtLimit, 8 * DESCRIPTORS - 1 - 8);
  return r;
}

/** All that a load changes. */
function state({ cpu }: RunningCpu): number[] {
  const fields = SEGMENTS.flatMap((n) =>
    [SEG_FIELD.selector, SEG_FIELD.limit, SEG_FIELD.attr, SEG_FIELD.base, SEG_FIELD.base + 4].map((f) =>
      cpu.lo(segOffset(n) + f),
    ),
  );
  return [...fields, cpu.lo(ENV.tbFlags) & ~(1 << 16)];
}

/** What the helper does, with everything put back behind it. @returns the vector and what it changed */
function expected(r: RunningCpu, act: () => void): { vector: number; after: number[] } {
  const { cpu } = r;
  const block = cpu.i32.slice(cpu.env >> 2, (cpu.env + OFF.end) >> 2);
  let vector = -1;
  try {
    act();
    cpu.updateFlags();
  } catch {
    vector = cpu.lo(ENV.exception) - 1;
  }
  const after = state(r);
  cpu.i32.set(block, cpu.env >> 2);
  return { vector, after };
}

describe.each(["interp", "wasm"] as const)("on %s", (backend) => {
  // Each round is other code, which is compiled.
  const rounds = backend === "interp" ? 200 : 40;

  it.each([
    [16, 32, 0],
    [32, 32, 0],
    [32, 64, 0],
    [32, 32, 3],
    [64, 64, 0],
    [64, 64, 3],
  ] as const)("segments are loaded in %i-bit code of a %i-bit CPU at CPL %i", (mode, word, cpl) => {
    const random = new Seeded(mode + word + cpl);
    const r = start(mode, word, backend, cpl);
    const { cpu } = r;
    let loaded = 0;
    for (let n = 0; n < rounds; n++) {
      if (n % 50 === 0) fillTable(r, random);
      const segment = SEGMENTS[random.below(SEGMENTS.length)]!;
      const selector = random.below(8) === 0 ? random.below(4) : (random.below(DESCRIPTORS) << 3) | random.below(4);
      const { vector, after } = expected(r, () => loadSegment(cpu, segment, selector));
      r.poke(CODE, [0x8e, 0xc0 | (segment << 3)]);
      r.setReg(REG.ax, BigInt(selector));
      r.pc = BigInt(CODE);
      expect(r.run(1)).toBe(vector);
      if (vector >= 0) expect(cpu.lo(OFF.pc)).toBe(CODE);
      else {
        loaded++;
        expect(state(r)).toEqual(after);
      }
    }
    expect(loaded).toBeGreaterThan(rounds / 8);
  });

  it("segments are popped, and the stack moves with them alone", () => {
    const r = start(32, 32, backend);
    fillTable(r, new Seeded(1));
    r.poke(GDT + 8, [0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0]);
    r.poke(STACK, [8, 0, 0x34, 0x12, 0xf8, 0xff, 0, 0]);
    r.poke(CODE, [0x1f, 0x0f, 0xa1]); // pop ds; pop fs
    r.setReg(REG.sp, BigInt(STACK));
    r.pc = BigInt(CODE);
    expect(r.run(2)).toBe(13);
    expect(r.cpu.lo(segOffset(SEG.ds))).toBe(8);
    expect(r.reg(REG.sp)).toBe(BigInt(STACK + 4));
    expect(r.cpu.lo(OFF.pc)).toBe(CODE + 1);
  });

  it("VERR and VERW", () => {
    const random = new Seeded(3);
    const r = start(32, 32, backend);
    const { cpu } = r;
    fillTable(r, random);
    for (let n = 0; n < rounds; n++) {
      const selector = random.below(DESCRIPTORS * 8);
      const writing = random.below(2);
      const wanted = verify(cpu, selector, writing === 1);
      r.poke(CODE, [0x0f, 0x00, writing === 1 ? 0xe8 : 0xe0]);
      r.setReg(REG.ax, BigInt(selector));
      r.pc = BigInt(CODE);
      cpu.eflags = FLAG.cf | FLAG.of;
      expect(r.run(1)).toBe(-1);
      expect(cpu.eflags & ~FLAG.if).toBe(FLAG.cf | FLAG.of | 2 | (wanted === 0 ? 0 : FLAG.zf));
    }
  });

  it("ports are allowed where the map of the task says so", () => {
    const random = new Seeded(4);
    const r = start(32, 32, backend, 3);
    const { cpu } = r;
    const at = segOffset(SEG.tr);
    cpu.set(at + SEG_FIELD.base, TASK, 0);
    cpu.setLo(at + SEG_FIELD.attr, 0x8900);
    r.poke(TASK + 0x66, [104, 0]);
    const map = new Uint8Array(128);
    for (let n = 0; n < map.length; n++) map[n] = random.below(2) === 0 ? 0 : random.below(256);
    r.poke(TASK + 104, map);
    let allowed = 0;
    for (let n = 0; n < rounds; n++) {
      const port = random.below(1100);
      const size = [1, 2, 4][random.below(3)]!;
      cpu.setLo(at + SEG_FIELD.limit, 104 + random.below(160));
      const { vector } = expected(r, () => checkPort(cpu, port, size));
      r.poke(CODE, size === 1 ? [0xec] : size === 2 ? [0x66, 0xed] : [0xed]);
      r.setReg(REG.dx, BigInt(port));
      r.pc = BigInt(CODE);
      expect(r.run(1)).toBe(vector);
      if (vector < 0) allowed++;
    }
    expect(allowed).toBeGreaterThan(rounds / 16);
  });
});
