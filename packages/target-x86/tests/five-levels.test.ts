/** Paging of five levels. Source: Intel SDM volume 3A (2023), 4.5. */
import { ENV } from "@mimus/tcg";
import { expect, it } from "vitest";
import { FLAG, MMU, OFF } from "../src/state.ts";
import { CR0, CR4, EFER } from "../src/system/bits.ts";
import { WholeMachine } from "./whole-machine.ts";

/** A machine with tables at 1000h: entry 1 of the fifth level leads to 2 MiB at 0. */
function paged(levels: 4 | 5): WholeMachine {
  const m = new WholeMachine();
  const entry = (at: number, value: number): void => m.view.setUint32(at, value, true);
  entry(0x1008, 0x2007);
  entry(0x1000, 0x3007);
  entry(0x2000, 0x3007);
  entry(0x3000, 0x4007);
  entry(0x4000, 0x87);
  entry(0x5678, 0x1234_5678);
  const { cpu } = m;
  cpu.set(OFF.cr3, 0x1000, 0);
  cpu.set(OFF.cr4, CR4.PAE | (levels === 5 ? CR4.LA57 : 0), 0);
  cpu.set(OFF.efer, EFER.LME | EFER.LMA, 0);
  cpu.set(OFF.cr0, CR0.PE | CR0.PG | 0x10, 0);
  cpu.setLo(OFF.eflags, cpu.lo(OFF.eflags) & ~FLAG.vm);
  cpu.stateReplaced();
  return m;
}

/** What a load from an address gives: the value, or the exception. */
function load(m: WholeMachine, hi: number): string {
  const { cpu } = m;
  cpu.setLo(ENV.exception, 0);
  cpu.engine.load(cpu.env, 0x5678, hi, 4, MMU.kernel);
  const exception = cpu.lo(ENV.exception) - 1;
  return exception >= 0 ? `exception ${exception}` : cpu.lo(ENV.scratch).toString(16);
}

it("addresses have 57 bits", () => {
  const m = paged(5);
  expect(load(m, 0x1_0000)).toBe("12345678");
  // The fifth level has nothing there; the next address is none.
  expect(load(m, 0x2_0000)).toBe("exception 14");
  expect(load(m, 0x0100_0000)).toBe("exception 13");
});

it("with four levels they have 48", () => {
  const m = paged(4);
  expect(load(m, 0)).toBe("12345678");
  expect(load(m, 0x1_0000)).toBe("exception 13");
});
