/** An exact machine runs as many instructions as it was given, wherever its blocks begin and may be left. */
import { describe, expect, it } from "vitest";
import type { BackEnd } from "@mimus/tcg";
import { OFF, xmmOffset } from "../src/state.ts";
import { RunningCpu } from "./running-cpu.ts";

const CODE = 0x2000;
const INCREMENTS = 6;

describe.each<BackEnd>(["interp", "wasm", "region"])("on %s", (backend) => {
  it("code after an instruction that changes how the rest is translated is not counted before it runs", () => {
    const cpu = new RunningCpu({ mode: 64, backend });
    // addsd xmm0, xmm1: the first inexact result lets the host's arithmetic do the next ones. Then inc eax, and int3.
    cpu.poke(CODE, [0xf2, 0x0f, 0x58, 0xc1, ...Array.from({ length: INCREMENTS }, () => [0xff, 0xc0]).flat(), 0xcc]);
    for (let budget = 1; budget <= INCREMENTS + 1; budget++) {
      cpu.cpu.setLo(OFF.mxcsr, 0x1f80);
      cpu.cpu.updateFlags();
      cpu.cpu.set(xmmOffset(0), 0, 0x3ff0_0000);
      cpu.cpu.set(xmmOffset(1), 0, 0x3c30_0000);
      cpu.setReg(0, 0n);
      cpu.pc = BigInt(CODE);
      expect(cpu.run(budget)).toBe(-1);
      expect(cpu.reg(0)).toBe(BigInt(budget - 1));
    }
  });
});
