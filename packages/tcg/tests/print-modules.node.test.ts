/** Modules that machines make, printed and assembled again. */
import { describe, expect, test, vi } from "vitest";
import { ModuleBuilder } from "../src/wasm/module.ts";
import { printWat } from "../src/wasm/print.ts";
import { FuzzMachine } from "./fuzz-machine.ts";
import { asm, ToyMachine } from "./toy.ts";
import { roundTrip, sameText } from "./wabt.ts";

describe("what machines make", () => {
  const modules = (run: () => void): Uint8Array[] => {
    const made: Uint8Array[] = [];
    const { finish } = ModuleBuilder.prototype;
    const spy = vi.spyOn(ModuleBuilder.prototype, "finish").mockImplementation(function (this: ModuleBuilder) {
      const bytes = finish.call(this);
      made.push(bytes);
      return bytes;
    });
    run();
    spy.mockRestore();
    return made;
  };

  test("blocks of a toy program; of the interpreter a text at least", () => {
    const made = modules(() => {
      const m = new ToyMachine({ backend: "wasm" });
      m.program(0x1000, asm("addi", 3, 3, 1), asm("st", 3, 1, 0), asm("bne", 3, 2, -2), asm("halt"));
      m.cpu.pc = 0x1000;
      m.cpu.setR(1, 0x2000n);
      m.cpu.setR(2, 10n);
      expect(m.vcpu.run(1000)).toBe("halted");
    });
    const [interpreter, ...blocks] = made;
    expect(blocks.length).toBeGreaterThan(1);
    for (const bytes of blocks) roundTrip(bytes);
    // Its hundreds of nested blocks take WABT minutes.
    expect(printWat(interpreter!)).toContain("br_table $B");
  });

  test("random blocks", () => {
    const made = modules(() => {
      const machine = new FuzzMachine("wasm", true);
      for (let seed = 1; seed <= 40; seed++)
        machine.difference({ seed, loops: seed % 2 === 0, script: Array.from({ length: 120 }, (_, i) => seed * 7919 + i * i * 31) }); // prettier-ignore
    });
    expect(made.length).toBeGreaterThan(30);
    for (const bytes of made.slice(1)) roundTrip(bytes);
  });

  test("regions of a toy program, a loop in a loop", () => {
    const made = modules(() => {
      const m = new ToyMachine({ backend: "region" });
      m.program(
        0x1000,
        asm("addi", 4, 0, 0), asm("addi", 3, 3, 1), asm("st", 3, 1, 0), asm("bne", 3, 2, -2), asm("addi", 3, 0, 0),
        asm("addi", 4, 4, 1), asm("bne", 4, 5, -5), asm("halt"),
      ); // prettier-ignore
      m.cpu.pc = 0x1000;
      m.cpu.setR(1, 0x2000n);
      m.cpu.setR(2, 10n);
      m.cpu.setR(5, 5n);
      while (m.vcpu.run(20) === "budget");
      expect(m.cpu.r(4)).toBe(5n);
      expect(m.tcg.stats().regions).toBeGreaterThan(0);
    });
    for (const bytes of made.slice(1)) sameText(bytes);
  });
});
