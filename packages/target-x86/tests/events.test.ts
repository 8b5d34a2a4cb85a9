/** NMI and SMI in one another's handlers, and what the log of deliveries says. */
import { describe, expect, it } from "vitest";
import { LINE } from "../src/config.ts";
import { OFF, PENDING, SEG, SEG_FIELD, segOffset } from "../src/state.ts";
import { resume } from "../src/system/smm.ts";
import * as protectedMode from "./programs/protected.ts";
import { WholeMachine } from "./whole-machine.ts";

describe("NMIs stay blocked", () => {
  const blocked = (m: WholeMachine): boolean => (m.cpu.lo(OFF.pending) & PENDING.nmiBlocked) !== 0;
  const raise = (m: WholeMachine, line: number): void => {
    m.cpu.setIrq(line, true);
    m.cpu.setIrq(line, false);
    m.cpu.interrupt();
  };
  it("in the handler of an SMI, and not behind it", () => {
    const m = new WholeMachine();
    raise(m, LINE.smi);
    expect(blocked(m)).toBe(true);
    resume(m.cpu);
    expect(blocked(m)).toBe(false);
  });
  // Source: Intel SDM volume 3C (2023), 32.8, "NMI handling while in SMM".
  it("behind an SMI that came while an NMI was handled", () => {
    const m = new WholeMachine();
    raise(m, LINE.nmi);
    expect(blocked(m)).toBe(true);
    raise(m, LINE.smi);
    resume(m.cpu);
    expect(blocked(m)).toBe(true);
  });
});

describe("the log of deliveries", () => {
  it("numbers interrupts and exceptions in protected mode, in QEMU's form", () => {
    const lines: string[] = [];
    const m: WholeMachine = new WholeMachine({ word: 32, size: 8 << 20 });
    const log = {
      wants: () => true,
      onChange: () => {},
      write: (what: string, text: string) => void lines.push(`${what} ${text}`),
    };
    m.cpu.setSignals({ log });
    m.ram.set(
      protectedMode.code.match(/[0-9a-f]{2}/g)!.map((h) => Number.parseInt(h, 16)),
      0x8000,
    );
    const cs = segOffset(SEG.cs);
    m.cpu.setLo(cs + SEG_FIELD.selector, 0);
    m.cpu.set(cs + SEG_FIELD.base, 0, 0);
    m.cpu.set(OFF.pc, 0x8000, 0);
    m.cpu.updateFlags();
    m.run(100_000);
    const heads = lines.map((line) => line.split("\n")[0]);
    expect(heads.slice(0, 5)).toEqual([
      "interrupt      1: v=80 e=0000 i=1 cpl=0 IP=0008:000093bf pc=000093bf SP=0010:00007000 env->regs[R_EAX]=00000000",
      "interrupt      2: v=04 e=0000 i=1 cpl=0 IP=0008:000093e7 pc=000093e7 SP=0010:00007000 env->regs[R_EAX]=00000080",
      "interrupt check_exception old: 0xffffffff new 0x5",
      "interrupt      3: v=05 e=0000 i=0 cpl=0 IP=0008:00009425 pc=00009425 SP=0010:00007000 env->regs[R_EAX]=00000000",
      "interrupt check_exception old: 0xffffffff new 0xd",
    ]);
    expect(lines[0]).toContain("TR =0038 00021000 000020ff 00008b00 DPL=0 TSS32-busy\n");
    m.cpu.reset();
    expect(lines.at(-1)).toMatch(/^reset CPU Reset \(CPU 0\)\nEAX=/);
  });
});
