import { INPUT_ROUTER, InputRouter } from "@mimus/display";
import { describe, expect, it } from "vitest";
import { rig, WAYS } from "../../tests/rig.ts";
import type { Rig } from "../../tests/rig.ts";

function setup(type: string, legacy = false) {
  const router = new InputRouter();
  const r = rig(type, {}, { legacy, backends: { [INPUT_ROUTER.kind]: { [INPUT_ROUTER.id]: router } } });
  return { router, r };
}
function ask(r: Rig, select: number, subsel: number): Uint8Array {
  const s = r.bench.machine.system;
  const base = r.driver.base + 0x100;
  s.write(base, 1, select);
  s.write(base + 1, 1, subsel);
  const size = s.read(base + 2, 1);
  return Uint8Array.from({ length: size }, (_, i) => s.read(base + 8 + i, 1));
}
const has = (bits: Uint8Array, code: number): boolean => ((bits[code >> 3] ?? 0) & (1 << (code & 7))) !== 0;

describe("virtio-input", () => {
  it("describes itself", () => {
    const { r } = setup("virtio-keyboard-device");
    expect(String.fromCharCode(...ask(r, 1, 0))).toBe("QEMU Virtio Keyboard");
    expect([...ask(r, 3, 0)]).toEqual([6, 0, 0x27, 6, 1, 0, 1, 0]);
    const keys = ask(r, 0x11, 1);
    expect([has(keys, 28), has(keys, 194), has(keys, 0x110)]).toEqual([true, true, false]);
    expect([ask(r, 0x11, 3).length, ask(r, 0x11, 99).length, ask(r, 77, 0).length]).toEqual([0, 0, 0]);
    const t = setup("virtio-tablet-device").r;
    expect(new DataView(ask(t, 0x12, 1).buffer).getUint32(4, true)).toBe(32767);
    expect([has(ask(t, 0x11, 3), 1), has(ask(t, 0x11, 2), 8)]).toEqual([true, true]);
  });

  it.each(WAYS)("delivers events in groups, $name", (way) => {
    const { router, r } = setup("virtio-mouse-device", way.legacy);
    r.driver.start(2, 64, { packed: way.packed });
    const q = r.driver.queues[0]!;
    const rooms = Array.from({ length: 3 }, () => q.add([], [8]));
    r.driver.kick(0);
    router.move("x", -3);
    router.button("left", true);
    router.button("wheel-down", true);
    expect(q.take()).toBeUndefined();
    router.sync();
    const seen = rooms.map((b) => {
      q.take();
      const v = new DataView(q.contents(b).buffer);
      return [v.getUint16(0, true), v.getUint16(2, true), v.getInt32(4, true)];
    });
    expect(seen).toEqual([
      [2, 0, -3],
      [1, 0x110, 1],
      [2, 8, -1],
    ]);
    const last = q.add([], [8]);
    r.driver.kick(0);
    expect(q.take()?.written).toBe(8);
    expect([...q.contents(last)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    r.driver.queues[1]!.add([new Uint8Array(8)]);
    r.driver.kick(1);
    expect(r.driver.queues[1]!.take()).toBeDefined();
  });

  it("drops whole groups that nobody reads", () => {
    const { router, r } = setup("virtio-keyboard-device");
    r.driver.start(2, 64, {});
    for (let i = 0; i < 5000; i++) {
      router.key("a", i % 2 === 0);
      router.sync();
    }
    const q = r.driver.queues[0]!;
    let n = 0;
    for (let i = 0; i < 600; i++) {
      q.add([], [8]);
      r.driver.kick(0);
      if (q.take()) n++;
    }
    expect(n).toBe(512);
  });
});
