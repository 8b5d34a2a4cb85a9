import { describe, expect, it } from "vitest";
import { rig, WAYS } from "../../tests/rig.ts";
import type { VirtioBalloon } from "./chip.ts";

describe.each(WAYS)("virtio-balloon, $name", (way) => {
  it("asks for pages and hears how many it has", () => {
    const r = rig("virtio-balloon-device", {}, { legacy: way.legacy });
    const chip = r.device.impl as VirtioBalloon;
    r.driver.start(3, 128, { packed: way.packed, features: [1] });
    const heard: number[] = [];
    chip.onActual = (bytes) => heard.push(bytes);
    chip.setGuestSize(0x10_0000 - 16 * 4096);
    const s = r.bench.machine.system;
    expect([s.read(r.driver.base + 0x100, 4), r.driver.interrupt & 2]).toEqual([16, 2]);
    r.driver.queues[0]!.add([new Uint8Array(64).fill(255)]);
    r.driver.kick(0);
    expect(r.driver.queues[0]!.take()).toBeDefined();
    s.write(r.driver.base + 0x104, 4, 16);
    expect([heard, chip.guestSize]).toEqual([[0x10_0000 - 65536], 0x10_0000 - 65536]);
  });

  it("polls statistics", () => {
    const r = rig("virtio-balloon-device", {}, { legacy: way.legacy });
    const chip = r.device.impl as VirtioBalloon;
    r.driver.start(3, 128, { packed: way.packed, features: [1] });
    const stat = (tag: number, value: number): number[] => [tag, 0, value & 255, value >> 8, 0, 0, 1, 0, 0, 0];
    const q = r.driver.queues[2]!;
    q.add([Uint8Array.from([...stat(4, 700), ...stat(5, 900), ...stat(99, 1), 7])]);
    r.driver.kick(2);
    expect(q.take()).toBeUndefined();
    expect(chip.guestStats().stats).toMatchObject({
      "stat-free-memory": 700 + 2 ** 32,
      "stat-total-memory": 900 + 2 ** 32,
      "stat-swap-in": -1,
    });
    chip.setPolling(2);
    r.bench.advance(2.1e9);
    expect(q.take()).toBeDefined();
    r.bench.advance(10e9);
    expect(q.take()).toBeUndefined();
  });
});
