import { ClockSet, Timer } from "@mimus/machine-core";
import { expect, it } from "vitest";
import type { SystemHost } from "./host.ts";
import { Mailbox } from "./mailbox.ts";
import { RunLoop, type LoopOptions, type RunnableCpu } from "./run-loop.ts";

/** A host whose time passes only when guest code runs or the loop sleeps. */
class FakeHost implements SystemHost {
  time = 0;
  yields = 0;
  readonly sleeps: number[] = [];
  wakes: (() => void)[] = [];
  onSleep: (() => void) | undefined;
  now(): number {
    return this.time;
  }
  wallNow(): number {
    return this.time;
  }
  async yield(): Promise<void> {
    this.yields++;
  }
  async sleepUntil(deadline: number, arm: (wake: () => void) => void): Promise<void> {
    this.sleeps.push(deadline);
    let woken = false;
    arm(() => (woken = true));
    this.onSleep?.();
    if (!woken && deadline < Infinity) this.time = Math.max(this.time, deadline);
    else if (!woken) throw new Error("asleep for ever");
  }
  random(): void {}
}

/** A CPU that takes a nanosecond for each instruction. */
class FakeCpu implements RunnableCpu {
  executed = 0;
  runnable = true;
  turns: number[] = [];
  kicked = false;
  onRun: ((cpu: FakeCpu) => void) | undefined;
  readonly #host: FakeHost;
  constructor(host: FakeHost) {
    this.#host = host;
  }
  run(budget: number): "budget" | "kick" {
    this.kicked = false;
    this.turns.push(budget);
    this.onRun?.(this);
    const ran = this.kicked ? 1 : budget;
    this.executed += ran;
    this.#host.time += ran;
    return this.kicked ? "kick" : "budget";
  }
  kick(): void {
    this.kicked = true;
  }
}

function setup(
  cpuCount: number,
  options: LoopOptions = {},
): {
  host: FakeHost;
  cpus: FakeCpu[];
  clocks: ClockSet;
  mailbox: Mailbox;
  loop: RunLoop;
} {
  const host = new FakeHost();
  const cpus = Array.from({ length: cpuCount }, () => new FakeCpu(host));
  const clocks = new ClockSet(() => host.time);
  const mailbox = new Mailbox();
  return { host, cpus, clocks, mailbox, loop: new RunLoop(cpus, clocks, host, mailbox, options) };
}

it("fires timers between slices and sleeps while nobody runs", async () => {
  const { host, cpus, clocks, loop } = setup(1);
  const [cpu] = cpus as [FakeCpu];
  cpu.runnable = false;
  const timer = new Timer(clocks.virtual, () => loop.stop());
  timer.arm(5_000_000);
  expect(await loop.run()).toBe("stopped");
  expect(host.sleeps).toEqual([5_000_000]);
  expect(cpu.turns).toEqual([]);
});

it("is woken by a post", async () => {
  const { host, cpus, mailbox, loop } = setup(1);
  (cpus[0] as FakeCpu).runnable = false;
  let seen = false;
  host.onSleep = () =>
    mailbox.post(() => {
      seen = true;
      loop.stop();
    });
  await loop.run();
  expect(seen).toBe(true);
});

it("takes turns, and ends a turn for a post", () => {
  const { cpus, mailbox, loop } = setup(2);
  const [a, b] = cpus as [FakeCpu, FakeCpu];
  loop.step();
  expect([a.turns.length, b.turns.length]).toEqual([1, 1]);
  let delivered = 0;
  a.onRun = () => mailbox.post(() => delivered++);
  loop.step();
  expect(a.kicked).toBe(true);
  expect([a.turns.length, b.turns.length, delivered]).toEqual([2, 1, 0]);
  a.onRun = undefined;
  loop.step();
  expect([a.turns.length, b.turns.length, delivered]).toEqual([3, 2, 1]);
});

it("ends a turn when a deadline comes nearer, or another vCPU is interrupted", () => {
  const { cpus, clocks, loop } = setup(2);
  const [a] = cpus as [FakeCpu, FakeCpu];
  const timer = new Timer(clocks.virtual, () => {});
  a.onRun = () => timer.arm(clocks.virtual.now() + 1);
  loop.step();
  expect(a.kicked).toBe(true);
  a.onRun = () => loop.interrupted(1);
  loop.step();
  expect(a.kicked).toBe(true);
  a.onRun = () => loop.interrupted(0);
  loop.step();
  expect(a.kicked).toBe(false);
});

it("ends a turn when guest code looks at a clock after its end", () => {
  const { host, cpus, clocks, loop } = setup(1);
  const [a] = cpus as [FakeCpu];
  const timer = new Timer(clocks.virtual, () => {});
  timer.arm(clocks.virtual.now() + 500_000);
  const seen: boolean[] = [];
  a.onRun = () => {
    for (let n = 0; n < 3; n++) {
      host.time += 300_000; // devices take their time
      clocks.virtual.exact?.();
      clocks.virtual.now();
      seen.push(a.kicked);
    }
  };
  loop.step();
  expect(seen).toEqual([false, true, true]);
});

it("ends a turn that translations made long, once something ran", () => {
  const { host, cpus, loop } = setup(1, { yieldEveryNs: 1e6 });
  const [a] = cpus as [FakeCpu];
  const seen: boolean[] = [];
  a.onRun = () => {
    for (let n = 0; n < 4; n++) {
      host.time += 400_000; // a block is translated
      loop.translated();
      seen.push(a.kicked);
      if (n > 0) a.executed += 100;
    }
  };
  loop.step();
  expect(seen).toEqual([false, false, true, true]);
  // Nothing ran so far: a translation that takes longer than the turn is not given up.
  a.onRun = () => {
    host.time += 5e6;
    loop.translated();
    seen.push(a.kicked);
  };
  loop.step();
  expect(seen.at(-1)).toBe(false);
});

it("lets no translation end a turn whose length is counted in instructions", () => {
  const { host, cpus, loop } = setup(1, { icount: { nsPerInsn: 8, skipIdle: true } });
  const [a] = cpus as [FakeCpu];
  a.onRun = () => {
    a.executed += 100;
    host.time += 1e9;
    loop.translated();
  };
  loop.step();
  expect(a.kicked).toBe(false);
});

it("gives the host its turn every few milliseconds", async () => {
  const { host, cpus, clocks, loop } = setup(1, { yieldEveryNs: 1e6 });
  const timer = new Timer(clocks.virtual, () => loop.stop());
  timer.arm(20e6);
  await loop.run();
  expect(host.yields).toBeGreaterThanOrEqual(3);
  expect((cpus[0] as FakeCpu).executed).toBeGreaterThanOrEqual(20e6 - 1);
});

it("derives guest time from instructions, the same on every run", async () => {
  const once = async (): Promise<number[]> => {
    const { host, cpus, clocks, loop } = setup(1, { icount: { nsPerInsn: 8, skipIdle: true } });
    const [cpu] = cpus as [FakeCpu];
    const seen: number[] = [];
    let rounds = 0;
    const timer = new Timer(clocks.virtual, () => {
      seen.push(clocks.virtual.now(), cpu.executed);
      cpu.runnable = !cpu.runnable;
      host.time += Math.random() * 1e6;
      if (++rounds === 10) loop.stop();
      else timer.arm(clocks.virtual.now() + 10_000);
    });
    timer.arm(10_000);
    await loop.run();
    expect(host.sleeps).toEqual([]);
    return seen;
  };
  expect(await once()).toEqual(await once());
});

it("waits out a deadline that is all but reached, and fires before guest code runs", () => {
  const { host, cpus, clocks, loop } = setup(1);
  let looks = 0;
  host.now = () => (host.time += looks++ < 100 ? 50 : 0);
  const [cpu] = cpus as [FakeCpu];
  const turns: number[] = [];
  new Timer(clocks.virtual, () => turns.push(cpu.turns.length)).arm(clocks.virtual.now() + 600);
  loop.step(10);
  expect([turns, cpu.turns.length]).toEqual([[0], 1]);
  new Timer(clocks.virtual, () => turns.push(cpu.turns.length)).arm(clocks.virtual.now() + 100_000);
  loop.step(10);
  expect([turns, cpu.turns.length]).toEqual([[0], 2]);
});

it("does not hang on a host whose clock stands still", () => {
  const { cpus, clocks, loop } = setup(1);
  new Timer(clocks.virtual, () => {}).arm(clocks.virtual.now() + 600);
  loop.step(10);
  expect((cpus[0] as FakeCpu).turns.length).toBe(1);
});
