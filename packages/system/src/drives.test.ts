import { BlockBackend, BlockError, type BlockNode } from "@mimus/block";
import { Registry } from "@mimus/qom";
import { expect, test } from "vitest";

import { assemble } from "./assemble.ts";
import type { SystemHost } from "./host.ts";
import type { SystemEvent } from "./system.ts";

const host: SystemHost = {
  now: () => performance.now() * 1e6,
  wallNow: () => 0,
  yield: () => new Promise((resolve) => setTimeout(resolve, 0)),
  sleepUntil: (_deadline, arm) => new Promise((resolve) => arm(resolve)),
  random: () => {},
};

/** A disk whose writes wait until the test lets them go on. */
async function setup() {
  const waiting: ((fault?: Error) => void)[] = [];
  const node: BlockNode = {
    name: "n0",
    size: 4096,
    readOnly: false,
    sectorSize: 512,
    read: async () => {},
    write: () => new Promise((resolve, reject) => waiting.push((fault) => (fault ? reject(fault) : resolve()))),
    flush: async () => {},
    close: async () => {},
  };
  const backend = new BlockBackend("d0", node);
  const drive = {
    id: "d0",
    interface: "none",
    bus: undefined,
    unit: undefined,
    index: undefined,
    media: "disk",
  } as const;
  const system = await assemble({
    registry: new Registry(),
    host,
    target: "riscv64",
    machine: "none",
    drives: [{ ...drive, backend }],
  });
  const events: SystemEvent[] = [];
  system.onEvent((event) => events.push(event));
  const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
  return { system, backend, events, waiting, tick, write: () => backend.write(0, new Uint8Array(512)) };
}
const FULL = new BlockError("no-space", "No space left on device");

test("a full disk stops the machine, going on tries again", async () => {
  const { system, events, waiting, tick, write } = await setup();
  system.start();
  const done = write();
  waiting.shift()?.(FULL);
  await tick();
  expect(system.state).toBe("io-error");
  expect(events.at(-2)).toMatchObject({ type: "io-error", error: { device: "d0", action: "stop", noSpace: true } });
  system.start();
  await tick();
  waiting.shift()?.();
  await done;
  expect(system.state).toBe("running");
  system.shutdown();
});

test.each([true, false])("a reset waits for requests in flight (running: %s)", async (running) => {
  const { system, events, waiting, tick, write } = await setup();
  if (running) system.start();
  const done = write();
  await tick();
  system.reset();
  await tick();
  expect(events.some((e) => e.type === "reset")).toBe(false);
  waiting.shift()?.();
  await done;
  await tick();
  expect(events.some((e) => e.type === "reset")).toBe(true);
  expect(system.running).toBe(running);
  const again = write();
  await tick();
  const paused = system.pause();
  let stopped = false;
  void paused.then(() => (stopped = true));
  await tick();
  expect(stopped).toBe(false);
  waiting.shift()?.();
  await Promise.all([again, paused]);
});

test("a reset forgets requests that stopped the machine", async () => {
  const { system, events, waiting, tick, write } = await setup();
  system.start();
  const done = write();
  waiting.shift()?.(FULL);
  await expect(
    tick().then(() => {
      system.reset();
      return done;
    }),
  ).rejects.toThrow(/No space/);
  await tick();
  await tick();
  expect(events.at(-1)).toMatchObject({ type: "reset" });
  system.start();
  expect(waiting).toHaveLength(0);
});
