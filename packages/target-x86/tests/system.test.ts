/** Programs that set up modes, tables and handlers, and print what happens to them, on each back end. */
import type { BackEnd } from "@mimus/tcg";
import { expect, test } from "vitest";
import { LINE } from "../src/config.ts";
import { OFF, PENDING, regOffset, SEG, SEG_FIELD, segOffset } from "../src/state.ts";
import { X86State } from "../src/snapshot.ts";
import * as long from "./programs/long.ts";
import * as protectedMode from "./programs/protected.ts";
import * as smm from "./programs/smm.ts";
import * as vme from "./programs/vme.ts";
import { WholeMachine } from "./whole-machine.ts";

const START = 0x8000;
/** Milliseconds: all blocks are compiled from their first execution. */
const SLOW = 60_000;

function bytes(hex: string): number[] {
  return (hex.match(/[0-9a-f]{2}/g) ?? []).map((h) => Number.parseInt(h, 16));
}

/** Runs a program from real mode, 0:8000h, until it writes to port F4h. */
function run(code: string, backend: BackEnd, word: 32 | 64, props: Record<string, unknown> = {}): string {
  let printed = "";
  let ended = false;
  const m: WholeMachine = new WholeMachine({
    backend,
    word,
    props,
    size: 8 << 20,
    ports: {
      in: (_port, size) => (size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff),
      out(port, _size, value) {
        if (port === 0xe9) printed += String.fromCharCode(value & 0xff);
        if (port === 0xb2) m.cpu.setIrq(LINE.smi, true);
        if (port === 0xf4) ended = true;
      },
    },
  });
  m.ram.set(bytes(code), START);
  const cs = segOffset(SEG.cs);
  m.cpu.setLo(cs + SEG_FIELD.selector, 0);
  m.cpu.set(cs + SEG_FIELD.base, 0, 0);
  m.cpu.set(OFF.pc, START, 0);
  m.cpu.updateFlags();
  expect(m.run()).toBe("halted");
  expect(ended).toBe(true);
  return printed;
}

for (const backend of ["interp", "wasm", "region"] as const) {
  test(`long mode, ${backend}`, () => expect(run(long.code, backend, 64)).toBe(long.printed), SLOW);
  for (const word of [64, 32] as const)
    test(
      `protected mode, ${word}-bit registers, ${backend}`,
      () => expect(run(protectedMode.code, backend, word)).toBe(protectedMode.printed),
      SLOW,
    );
}

for (const word of [64, 32] as const)
  test(`system management mode, ${word}-bit registers`, () => {
    // Two SMIs, each adding 1 to the saved EBX; CS and flags as they were.
    expect(run(smm.code, "interp", word)).toBe("s11223345 s11223346 00000000 00000006 ");
  });

for (const backend of ["interp", "region"] as const)
  test(`virtual-8086 mode with its extensions, ${backend}`, () => {
    expect(run(vme.code, backend, 64, { vme: true })).toBe(vme.printed);
  });

test("INIT and a start-up IPI start a CPU at a page of the first megabyte", () => {
  const m = new WholeMachine({ size: 1 << 20 });
  const { cpu } = m;
  // INIT alone: the first CPU starts at the reset vector again.
  cpu.set(regOffset(3), 5, 0);
  cpu.setIrq(LINE.init, true);
  expect(cpu.interrupt()).toBe(true);
  expect([cpu.reg(3), cpu.lo(OFF.pc) >>> 0]).toEqual([0n, 0xffff_fff0]);
  // As another CPU, which waits: an IPI that it does not wait for means nothing.
  cpu.sipi(0x12);
  expect(cpu.lo(OFF.pending)).toBe(0);
  cpu.setLo(OFF.pending, PENDING.waitSipi);
  cpu.sipi(0x9a);
  expect(cpu.hasWork()).toBe(true);
  cpu.interrupt();
  expect(cpu.lo(OFF.pc)).toBe(0x9a000);
  expect(cpu.lo(segOffset(SEG.cs))).toBe(0x9a00);
  expect(cpu.lo(OFF.pending)).toBe(0);
});

test("A20 low: the second megabyte is the first one", () => {
  const m = new WholeMachine();
  m.view.setUint32(0x1234, 0x11111111, true);
  m.view.setUint32(0x101234, 0x22222222, true);
  const at = (): number => {
    m.cpu.engine.load(m.cpu.env, 0x101234, 0, 4, 0);
    return m.cpu.lo(32);
  };
  expect(at()).toBe(0x22222222);
  m.cpu.setIrq(LINE.a20, false);
  expect(at()).toBe(0x11111111);
  m.cpu.setIrq(LINE.a20, true);
  expect(at()).toBe(0x22222222);
});

test("state goes through a snapshot, and nonsense is refused", () => {
  const m = new WholeMachine({ size: 1 << 20 });
  const state = new X86State(() => m.cpu);
  m.cpu.set(regOffset(5), 0x1234, 0x5678);
  m.cpu.setIrq(LINE.a20, false);
  const saved = state.save() as { words: number[] };
  state.reset();
  expect(m.cpu.reg(5)).toBe(0n);
  state.load(saved);
  expect([m.cpu.reg(5), m.cpu.walker.a20]).toEqual([0x5678_0000_1234n, false]);
  const broken = { ...saved, words: saved.words.with((OFF.cpl - 128) / 4, 4) };
  expect(() => state.load(broken)).toThrow("cpl");
  expect(() => state.load({ ...saved, words: [] })).toThrow();
});
