/** CPUID as programs run it: the first time from the model, then from what is kept. */
import { ENV } from "@mimus/tcg";
import { expect, it } from "vitest";
import { OFF, REG, regOffset, SEG, SEG_FIELD, segOffset } from "../src/state.ts";
import { CR4 } from "../src/system/bits.ts";
import { WholeMachine } from "./whole-machine.ts";

/** MOV EAX, leaf; MOV ECX, subleaf; CPUID; HLT, in real mode. @returns EAX, EBX, ECX, EDX */
function ask(m: WholeMachine, leaf: number, subleaf: number): number[] {
  const { cpu } = m;
  m.ram.set([0x66, 0xb8, 0, 0, 0, 0, 0x66, 0xb9, 0, 0, 0, 0, 0x0f, 0xa2, 0xf4], 0x8000);
  m.view.setUint32(0x8002, leaf, true);
  m.view.setUint32(0x8008, subleaf, true);
  m.machine.flushCode();
  cpu.setLo(segOffset(SEG.cs) + SEG_FIELD.selector, 0);
  cpu.set(segOffset(SEG.cs) + SEG_FIELD.base, 0, 0);
  cpu.set(OFF.pc, 0x8000, 0);
  cpu.setLo(ENV.halted, 0);
  cpu.updateFlags();
  m.run(4);
  return [REG.ax, REG.bx, REG.cx, REG.dx].map((n) => {
    expect(cpu.hi(regOffset(n))).toBe(0);
    return cpu.lo(regOffset(n)) >>> 0;
  });
}

it("gives the same each time, whatever was asked between", () => {
  const m = new WholeMachine({ model: "EPYC" });
  const { config } = m.cpu;
  const leaves = [
    0, 1, 2, 4, 5, 7, 11, 13, 0x4000_0000, 0x8000_0000, 0x8000_0001, 0x8000_0008, 0x8000_001d, 99, 0xc000_0000,
  ];
  for (let turn = 0; turn < 3; turn++)
    for (const leaf of leaves)
      for (const subleaf of [0, 1, 2]) {
        const [eax, ebx, ecx, edx] = ask(m, leaf, subleaf);
        const model = config.cpuid(leaf, subleaf).map((v) => v >>> 0);
        expect([leaf, subleaf, eax, ebx, ecx, edx]).toEqual([leaf, subleaf, ...model]);
      }
});

it("shows whether CR4 has OSXSAVE", () => {
  const m = new WholeMachine({ model: "max" });
  const shown = (): number => (ask(m, 1, 0)[2]! >>> 27) & 1;
  for (const on of [0, 1, 0, 1]) {
    m.cpu.setLo(OFF.cr4, on === 1 ? CR4.OSXSAVE : 0);
    expect(shown()).toBe(on);
  }
});
