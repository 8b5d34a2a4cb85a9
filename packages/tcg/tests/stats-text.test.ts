import { expect, test } from "vitest";
import { JUMP_CACHE_ENTRIES, jitFigures, jitText, statsText } from "../src/index.ts";
import { newStats } from "../src/exec/stats.ts";
import { asm, ToyMachine } from "./toy.ts";

const rows = (text: string): Map<string, string> =>
  new Map(
    text.split("\n").flatMap((line) => {
      const match = /^ {2}(\S.*?) {2,}(\S+)(?: {2}(.*))?$/.exec(line);
      return match === null ? [] : [[match[1]!, `${match[2]}${match[3] === undefined ? "" : ` ${match[3]}`}`]];
    }),
  );

test("the report of a machine that has run", () => {
  const m = new ToyMachine({ backend: "wasm", tbSize: 1 << 20 });
  m.program(0x1000, asm("addi", 3, 3, 1), asm("st", 3, 1, 0), asm("bne", 3, 2, -2), asm("halt"));
  m.cpu.pc = 0x1000;
  m.cpu.setR(1, 0x2000n);
  m.cpu.setR(2, 10n);
  expect(m.vcpu.run(1000)).toBe("halted");
  const text = rows(jitText(m.tcg));
  expect(text.get("guest instructions")).toBe("31");
  expect(text.get("translated")).toMatch(/^2 4 guest instructions/);
  // The loop goes back to its own start within the block: that is an execution of it each time.
  expect(text.get("block entries")).toMatch(/^\d+ outside/);
  expect(text.get("chained")).toMatch(/^\d+ jumps/);
  expect(text.get("descriptors, bytecode")).toMatch(/ % of 1048576$/);
  const { jumpCache, tlb } = jitFigures(m.tcg);
  expect(jumpCache.used).toBeGreaterThan(0);
  expect(jumpCache.size).toBe(JUMP_CACHE_ENTRIES);
  expect(tlb.used).toBe(2);
});

test("a machine that has done nothing has no rates", () => {
  const m = new ToyMachine({});
  const text = rows(jitText(m.tcg));
  expect(text.get("translated")).toBe("0 0 guest instructions, 0 bytes; - instructions a block");
  expect(text.get("jump cache misses")).toBe("0 never; - of block entries");
  expect(text.get("TLB entries")).toMatch(/^0 0\.0 % of \d+$/);
});

test("every counter is shown", () => {
  // Each counter has a value of its own, which must be somewhere in the text.
  let next = 1_000_003;
  const number = (): number => (next += 1_000_003);
  const stats = newStats() as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(stats))
    stats[name] =
      typeof value === "number" ? number() : Object.fromEntries(Object.keys(value as object).map((k) => [k, number()]));
  stats["wasmBytes"] = (stats["wasmBytes"] as number) - (stats["regionBytes"] as number);
  const figures = {
    executed: 1,
    entries: 1,
    arenaCap: 1,
    codeCap: 1,
    jumpCache: { used: 0, size: 1 },
    tlb: { used: 0, size: 1 },
  };
  const text = statsText(stats as never, figures);
  for (const [name, value] of Object.entries(stats))
    for (const n of typeof value === "number" ? [value] : Object.values(value as Record<string, number>))
      expect(text, name).toContain(String(name === "wasmBytes" ? n + (stats["regionBytes"] as number) : n));
});
