/** Sleep with memory kept, watchdogs that stop the guest, and guests that crash. */
import { Registry } from "@mimus/qom";
import { expect, test } from "vitest";
import { assemble } from "./assemble.ts";
import type { SystemHost } from "./host.ts";
import type { Policies, System, SystemEvent } from "./system.ts";

async function machine(policies: Policies = {}) {
  let now = 0;
  const host: SystemHost = {
    now: () => now,
    wallNow: () => 0,
    yield: () => Promise.resolve(),
    sleepUntil: (_deadline, onWake) => new Promise((resolve) => onWake(resolve)),
    random: (bytes) => void bytes.fill(0),
  };
  const system: System = await assemble({ registry: new Registry(), host, target: "none", machine: "none", policies });
  const events: string[] = [];
  system.onEvent((event: SystemEvent) => events.push(event.type === "state" ? event.state : event.type));
  for (const name of ["suspend", "reset", "wakeup"])
    system.machine.on(name, (...args: unknown[]) => events.push([`machine ${name}`, ...args].join(" ")));
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 10; n++) await Promise.resolve();
  };
  return { system, events, settle, pass: (ns: number) => (now += ns) };
}

test("a guest that sleeps wakes behind a reset; time passes meanwhile", async () => {
  const { system, events, settle, pass } = await machine();
  system.start();
  await settle();
  system.machine.requestWakeup("rtc");
  system.machine.requestSuspend();
  await settle();
  expect([system.state, system.suspended]).toEqual(["suspended", true]);
  pass(5e9);
  const { virtual } = system.machine.clocks;
  virtual.exact?.();
  expect(virtual.now()).toBe(5e9);
  system.machine.requestWakeup("rtc");
  await settle();
  expect(events).toEqual(["running", "suspended", "machine suspend", "machine reset", "machine wakeup rtc", "running"]);
  await system.pause();
});

test("a sleeping guest is stopped, goes on sleeping, and is reset", async () => {
  const { system, events, settle } = await machine();
  system.start();
  await settle();
  system.machine.requestSuspend();
  await settle();
  await system.pause();
  expect([system.state, system.suspended]).toEqual(["paused", true]);
  system.start();
  await settle();
  expect(system.state).toBe("suspended");
  system.reset();
  await settle();
  expect([system.state, system.suspended]).toEqual(["running", false]);
  expect(events.filter((e) => e.startsWith("machine"))).toEqual(["machine suspend", "machine reset"]);
  await system.pause();
});

test("a watchdog stops the guest, which goes on when told so", async () => {
  const { system, settle } = await machine();
  system.start();
  await settle();
  system.machine.requestStop("watchdog");
  await settle();
  expect(system.state).toBe("watchdog");
  system.start();
  expect(system.state).toBe("running");
  await system.pause();
});

test.each([
  ["shutdown", "shutdown", 0],
  ["pause", "guest-panicked", undefined],
  ["exit-failure", "shutdown", 1],
  ["none", "running", undefined],
] as const)("a crash with -action panic=%s", async (panic, state, code) => {
  const { system, settle } = await machine({ panic });
  let ended: number | undefined;
  void system.exit.then((exit) => (ended = exit.code));
  system.start();
  await settle();
  system.machine.requestShutdown("guest-panic", 0);
  await settle();
  expect([system.state, ended]).toEqual([state, code]);
  if (system.running) await system.pause();
});
