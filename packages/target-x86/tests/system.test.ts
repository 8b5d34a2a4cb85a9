/** Programs that set up modes, tables and handlers, and print what happens to them, on each back end. */
import type { BackEnd } from "@mimus/tcg";
import { expect, test } from "vitest";
import { OFF, SEG, SEG_FIELD, segOffset } from "../src/state.ts";
import * as long from "./programs/long.ts";
import * as protectedMode from "./programs/protected.ts";
import { WholeMachine } from "./whole-machine.ts";

const START = 0x8000;
/** Milliseconds: all blocks are compiled from their first execution. */
const SLOW = 60_000;

function bytes(hex: string): number[] {
  return (hex.match(/[0-9a-f]{2}/g) ?? []).map((h) => Number.parseInt(h, 16));
}

/** Runs a program from real mode, 0:8000h, until it writes to port F4h. */
function run(code: string, backend: BackEnd, word: 32 | 64): string {
  let printed = "";
  let ended = false;
  const m = new WholeMachine({
    backend,
    word,
    size: 8 << 20,
    ports: {
      in: (_port, size) => (size === 4 ? 0xffff_ffff : size === 2 ? 0xffff : 0xff),
      out(port, _size, value) {
        if (port === 0xe9) printed += String.fromCharCode(value & 0xff);
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
