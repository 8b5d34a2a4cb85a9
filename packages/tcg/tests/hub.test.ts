/** An interpreter of bytecodes as a guest: many indirect jumps with many targets each, which a region leads through one hub. */
import { describe, expect, test } from "vitest";
import { hubFor, hubHash } from "../src/region/hub.ts";
import type { TcgOptions } from "../src/index.ts";
import { asm, ToyMachine } from "./toy.ts";

const WAYS: Readonly<Record<string, TcgOptions>> = {
  interp: { backend: "interp" },
  wasm: { backend: "wasm" },
  auto: { backend: "auto", hotThreshold: 2, batch: 1, region: { threshold: 3 } },
  later: { backend: "auto", hotThreshold: 2, batch: 1, region: { threshold: 300 } },
  region: { backend: "region" },
  stress: { backend: "region", region: { stress: 4 } },
};

const HANDLERS = 48;
const CODE = 0x1000;
/** Of bytecodes: addresses of handlers. r3 is where the next one is. */
const BYTECODE = 0x4000;
const handler = (n: number): number => CODE + 32 * n;

/** Handler n adds n to r5, and multiplies r6 by 3 and adds r5 for odd ones; the one after the last begins anew or halts. */
function program(m: ToyMachine, bytecodes: readonly number[]): void {
  const dispatch = [asm("ld", 2, 3, 0), asm("addi", 3, 3, 8), asm("jr", 0, 2)];
  for (let n = 0; n < HANDLERS; n++) {
    const odd = n % 2 === 1 ? [asm("mul", 6, 6, 10), asm("add", 6, 6, 5)] : [];
    m.program(handler(n), asm("addi", 5, 5, n), ...odd, ...dispatch);
  }
  m.program(
    handler(HANDLERS),
    asm("addi", 1, 1, 1),
    asm("addi", 3, 4, 0),
    asm("bne", 1, 7, 2),
    asm("halt"),
    ...dispatch,
  );
  const view = new DataView(m.memory.buffer, m.ram);
  [...bytecodes, HANDLERS].forEach((n, i) => view.setBigUint64(BYTECODE + 8 * i, BigInt(handler(n)), true));
}

/** What the program leaves in r5 and r6. */
function expected(bytecodes: readonly number[], rounds: number, r5 = 0n, r6 = 1n): [bigint, bigint] {
  for (let round = 0; round < rounds; round++)
    for (const n of bytecodes) {
      r5 = BigInt.asUintN(64, r5 + BigInt(n));
      if (n % 2 === 1) r6 = BigInt.asUintN(64, r6 * 3n + r5);
    }
  return [r5, r6];
}

/** A sequence in which each of the first `kinds` bytecodes is followed by many others. */
function sequence(kinds: number, length: number, seed: number): number[] {
  return Array.from({ length }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 16) % kinds;
  });
}

for (const [name, options] of Object.entries(WAYS)) {
  describe(name, () => {
    test.each([1000, 7])("runs bytecodes, then others, in slices of %i instructions", (slice) => {
      const m = new ToyMachine(options);
      const early = sequence(30, 300, 1);
      program(m, early);
      m.cpu.setR(3, BigInt(BYTECODE));
      m.cpu.setR(4, BigInt(BYTECODE));
      m.cpu.setR(6, 1n);
      m.cpu.setR(7, 10n);
      m.cpu.setR(10, 3n);
      m.cpu.pc = handler(0);
      const run = (): void => {
        for (let n = 0; n < 100_000; n++) if (m.vcpu.run(slice) === "halted") return;
        throw new Error("It does not end");
      };
      // Handler 0 runs once before the bytecodes: it adds nothing.
      run();
      const first = expected(early, 10);
      expect([m.cpu.r(5), m.cpu.r(6)]).toEqual(first);
      // Handlers that no region has seen come between those that it has.
      const late = sequence(HANDLERS, 300, 2);
      program(m, late);
      m.cpu.setR(1, 0n);
      m.cpu.setR(3, BigInt(BYTECODE));
      m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
      m.cpu.pc = handler(0);
      run();
      expect([m.cpu.r(5), m.cpu.r(6)]).toEqual(expected(late, 10, ...first));
    });
  });
}

test("the hash of a hub keeps its targets apart", () => {
  for (const count of [5, 30, 64, 200]) {
    const targets = Array.from({ length: count }, (_, n) => 0x18_0000 + 2 * ((n * n * 37) % 30_011));
    const unique = [...new Set(targets)];
    const hub = hubFor([unique, unique.slice(0, 20)], new Map(unique.map((pc, n) => [pc, n + 1])));
    if (count === 5) {
      expect(hub).toBeUndefined();
      continue;
    }
    const { factor, bits } = hub!;
    const places = hub!.targets.map(({ target }) => hubHash(target, factor, bits));
    expect(new Set(places).size).toBe(unique.length);
    expect(Math.max(...places)).toBeLessThan(1 << bits);
    expect(hub!.targets.map(({ target }) => target)).toEqual(unique);
  }
});
