import { describe, expect, it } from "vitest";

import { allCalls } from "./table.ts";
import { BE32, DATA, RV64, testProcess, type TestProcess } from "./test-kernel.ts";

/** Numbers that programs with bad intentions pass. */
const NASTY: readonly bigint[] = [
  0n, 1n, -1n, 2n, 3n, 4n, 5n, 8n, 0x7fn, 4096n, 65536n, BigInt(DATA), BigInt(DATA + 65535), BigInt(DATA + 8), 1n << 20n,
  1n << 22n, (1n << 31n) - 1n, 1n << 31n, (1n << 32n) - 1n, 1n << 32n, 1n << 47n, (1n << 53n) + 1n, (1n << 63n) - 1n, 1n << 63n,
  -100n, -4096n, 0o100n, 0o1102n, 0x40000000n,
]; // prettier-ignore

/** A small generator of numbers, so that a failure can be repeated. Source: Marsaglia, Xorshift RNGs, 2003. */
function random(seed: number): (below: number) => number {
  let x = seed | 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** Ends the program, or waits for what never comes. */
const LEFT_OUT = new Set(["exit", "exit_group", "rt_sigsuspend"]);

async function attack(p: TestProcess, name: string, pick: (below: number) => number): Promise<void> {
  const args = Array.from({ length: 6 }, () => NASTY[pick(NASTY.length)]!);
  const result = p.call(name, ...args);
  const value = typeof result === "number" ? result : await Promise.race([result, Promise.resolve().then(() => 0)]);
  expect(Number.isInteger(value), `${name}(${args.join(", ")}) = ${value}`).toBe(true);
  const internal = p.unimp.filter((line) => line.includes("internal error"));
  expect(internal, `${name}(${args.join(", ")})`).toEqual([]);
}

describe("a hostile program", () => {
  for (const abi of [RV64, BE32])
    it(`is answered with numbers, whatever it passes (${abi.machine})`, { timeout: 60_000 }, async () => {
      const pick = random(0x5eed);
      for (const { name } of allCalls) {
        if (LEFT_OUT.has(name)) continue;
        const p = testProcess(abi);
        p.files.addFile("/tmp/f", "contents");
        await p.call("openat", -100, "f", 2);
        await p.call("pipe2", DATA + 512, 0o4000);
        await p.call("epoll_create1", 0);
        for (let i = 0; i < 60; i++) await attack(p, name, pick);
        p.calls.close();
      }
    });

  it("survives all calls in one life", { timeout: 60_000 }, async () => {
    const pick = random(0xbad);
    const p = testProcess();
    const names = allCalls.map(({ name }) => name).filter((name) => !LEFT_OUT.has(name));
    for (let i = 0; i < 20_000; i++) await attack(p, names[pick(names.length)]!, pick);
    p.calls.close();
  });

  it("gets no more descriptors than its limit", () => {
    const p = testProcess();
    let last = 0;
    for (let i = 0; i < 2000; i++) last = p.call("eventfd2", 0, 0) as number;
    expect(last).toBe(-24);
    expect(p.call("pipe2", DATA, 0)).toBe(-24);
  });

  it("gets no more memory by pipes, files without names or texts of /proc", async () => {
    const p = testProcess();
    p.process.limits[7] = [65536, 65536];
    const chunk = 65536;
    let total = 0;
    for (let i = 0; i < 2000; i++) {
      expect(await p.call("pipe2", DATA, 0o4000)).toBe(0);
      total += Math.max(await p.call("write", p.memory.u32(DATA + 4), DATA, chunk), 0);
    }
    expect(total).toBeLessThan(80 << 20);
    let last = 0;
    for (let i = 0; i < 5000 && last >= 0; i++) last = await p.call("openat", -100, "/proc/self/environ", 0);
    expect(last).toBe(-12);
  });

  it("gets no more memory than the quota of its files", () => {
    const p = testProcess();
    const fd = p.call("openat", -100, "big", 0o102, 0o600) as number;
    let total = 0;
    for (let done = 1; done > 0; total += Math.max(done, 0)) done = p.call("write", fd, DATA, 65536) as number;
    expect(total).toBeLessThanOrEqual(1 << 22);
    expect(p.call("write", fd, DATA, 1)).toBe(-28);
    expect(p.call("unlinkat", -100, "big", 0)).toBe(0);
    expect(p.call("close", fd)).toBe(0);
    expect(p.files.used).toBeLessThan(10_000);
  });
});
