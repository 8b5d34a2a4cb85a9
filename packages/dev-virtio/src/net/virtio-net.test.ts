import { TestNet } from "@mimus/net";
import { describe, expect, it } from "vitest";
import { rig, WAYS } from "../../tests/rig.ts";
import type { Rig } from "../../tests/rig.ts";
import { F } from "./chip.ts";

const ALL = [F.MAC, F.MRG_RXBUF, F.STATUS, F.CTRL_VQ, F.CTRL_RX, F.CTRL_VLAN, F.CTRL_MAC_ADDR];
const MINE = [0x52, 0x54, 0, 0x12, 0x34, 0x56];

function frame(size: number, to: readonly number[] = MINE, fill = 1): Uint8Array {
  const f = new Uint8Array(size).fill(fill);
  f.set(to);
  f.set([8, 0], 12);
  return f;
}

function setup(way: { legacy: boolean; packed: boolean }, features: readonly number[] = ALL, props = {}) {
  const net = new TestNet("n0");
  const r = rig(
    "virtio-net-device",
    { netdev: "n0", ...props },
    { legacy: way.legacy, backends: { netdev: { n0: net } } },
  );
  r.driver.start(3, 256, { packed: way.packed, features });
  const [rx, tx, ctrl] = r.driver.queues;
  return { net, r, rx: rx!, tx: tx!, ctrl: ctrl! };
}

function command(
  s: { r: Rig; ctrl: Rig["driver"]["queues"][0] },
  cls: number,
  cmd: number,
  data: readonly number[],
): number {
  const b = s.ctrl.add(
    [Uint8Array.of(cls, cmd), Uint8Array.from(data)].filter((b) => b.length > 0),
    [1],
  );
  s.r.driver.kick(2);
  s.ctrl.take();
  return s.ctrl.contents(b)[0]!;
}

describe.each(WAYS)("virtio-net, $name", (way) => {
  it("sends", () => {
    const { net, r, tx } = setup(way);
    tx.add([new Uint8Array(12), frame(60)]);
    tx.add([Uint8Array.from([...new Uint8Array(12), ...frame(1514)])], [], { indirect: true });
    r.driver.kick(1);
    expect(net.frames).toEqual([frame(60), frame(1514)]);
    expect([tx.take() !== undefined, tx.take() !== undefined]).toEqual([true, true]);
  });

  it("receives into one buffer, or several when they are mergeable", () => {
    const { net, r, rx } = setup(way);
    const a = rx.add([], [1526]);
    const more = [rx.add([], [512]), rx.add([], [5]), rx.add([], [2048])];
    r.driver.kick(0);
    net.feed(frame(60));
    net.feed(frame(1000));
    expect(rx.take()).toEqual({ id: a.id, written: 72 });
    expect([...rx.contents(a).subarray(10, 18)]).toEqual([1, 0, ...MINE]);
    expect([rx.take()?.written, rx.take()?.written, rx.take()?.written]).toEqual([512, 5, 495]);
    expect([...rx.contents(more[0]!).subarray(10, 12)]).toEqual([3, 0]);
    expect(r.irq()).toBe(true);
  });

  it("holds frames until there are buffers, and never half of one", () => {
    const { net, r, rx } = setup(way);
    net.feed(frame(60));
    rx.add([], [40]);
    r.driver.kick(0);
    expect(rx.take()).toBeUndefined();
    rx.add([], [40]);
    r.driver.kick(0);
    expect([rx.take()?.written, rx.take()?.written]).toEqual([40, 32]);
  });

  it("drops a frame that no buffer can hold when they are not mergeable", () => {
    const { net, r, rx } = setup(way, [F.MAC]);
    rx.add([], [20]);
    const b = rx.add([], [1600]);
    r.driver.kick(0);
    net.feed(frame(100));
    net.feed(frame(200));
    expect([rx.take()?.written, rx.take()]).toEqual([0, { id: b.id, written: (way.legacy ? 10 : 12) + 200 }]);
  });

  it("survives frames without a header and giants", () => {
    const { net, r, tx } = setup(way);
    tx.add([new Uint8Array(12), new Uint8Array(70000)]);
    r.driver.kick(1);
    expect([net.frames.length, tx.take() !== undefined]).toEqual([0, true]);
    tx.add([new Uint8Array(3)]);
    r.driver.kick(1);
    expect(tx.take()).toBeUndefined();
  });
});

describe("virtio-net", () => {
  const modern = WAYS[1]!;
  it("waits for a back end that takes no more", () => {
    const { net, r, tx } = setup(modern);
    net.room = 1;
    for (let i = 0; i < 3; i++) tx.add([new Uint8Array(12), frame(60, MINE, i)]);
    r.driver.kick(1);
    expect(net.frames).toHaveLength(1);
    net.release(10);
    expect(net.frames.map((f) => f[20])).toEqual([0, 1, 2]);
  });

  it("filters by address, mode and VLAN", () => {
    const s = setup(modern);
    const { net, r, rx } = s;
    for (let i = 0; i < 32; i++) rx.add([], [200]);
    r.driver.kick(0);
    const other = [2, 0, 0, 0, 0, 9];
    const multi = [1, 0, 0x5e, 0, 0, 1];
    const got = (): number => {
      let n = 0;
      for (const to of [MINE, other, multi, [255, 255, 255, 255, 255, 255]]) net.feed(frame(60, to));
      while (rx.take()) n++;
      return n;
    };
    expect(got()).toBe(4);
    expect(command(s, 0, 0, [0])).toBe(0); // promiscuous off
    expect(got()).toBe(2);
    expect(command(s, 0, 1, [1])).toBe(0);
    expect(got()).toBe(3);
    expect(command(s, 0, 1, [0])).toBe(0);
    expect(command(s, 1, 0, [1, 0, 0, 0, ...other, 1, 0, 0, 0, ...multi])).toBe(0);
    expect(got()).toBe(4);
    expect(command(s, 1, 1, other)).toBe(0);
    expect(got()).toBe(3);
    const tagged = frame(60, other);
    tagged.set([0x81, 0, 0, 5], 12);
    net.feed(tagged);
    expect(rx.take()).toBeUndefined();
    expect(command(s, 2, 0, [5, 0])).toBe(0);
    net.feed(tagged);
    expect(rx.take()).toBeDefined();
    for (const bad of [
      [0, 9, 1],
      [0, 0],
      [1, 0, 255, 255, 255, 255],
      [1, 1, 1],
      [2, 0, 255, 255],
      [9, 9],
    ] as const)
      expect(command(s, bad[0]!, bad[1]!, bad.slice(2))).toBe(1);
  });

  it("shows address, link and MTU, and tells changes", () => {
    const { net, r } = setup(modern, ALL, { host_mtu: 1400, mac: "02:00:00:00:00:07" });
    const c = (at: number, size: 1 | 2): number => r.bench.machine.system.read(r.driver.base + 0x100 + at, size);
    expect([c(0, 1), c(5, 1), c(6, 2), c(10, 2)]).toEqual([2, 7, 1, 1400]);
    net.setLink(false);
    expect([c(6, 2), r.driver.interrupt & 2]).toEqual([0, 2]);
  });

  it("gives each card an address of its own, and refuses bad ones", () => {
    const { bench } = rig("virtio-net-device", {});
    bench.device("virtio-mmio");
    const second = bench.device("virtio-net-device");
    expect((second.impl as { mac: string }).mac).toBe("52:54:00:12:34:57");
    bench.device("virtio-mmio");
    expect(() => bench.device("virtio-net-device", { mac: "01:00:00:00:00:00" })).toThrow(/multicast/);
    expect(() => bench.device("virtio-net-device", { mac: "x" })).toThrow(/not a MAC/);
    expect(() => bench.device("virtio-net-device", { netdev: "nope" })).toThrow(/no netdev 'nope'/);
  });
});
