import { RingBufChar } from "@mimus/chardev";
import { describe, expect, it } from "vitest";
import { rig, WAYS } from "../../tests/rig.ts";
import type { Rig } from "../../tests/rig.ts";

const text = (s: string): Uint8Array => Uint8Array.from(s, (c) => c.charCodeAt(0));
const read = (b: Uint8Array): string => String.fromCharCode(...b);

function message(id: number, event: number, value: number): Uint8Array {
  const v = new DataView(new ArrayBuffer(8));
  v.setUint32(0, id, true);
  v.setUint16(4, event, true);
  v.setUint16(6, value, true);
  return new Uint8Array(v.buffer);
}

/** A driver that has the control channel open; answers what the device says on it. */
function multiport(r: Rig, way: { packed: boolean }) {
  r.driver.start(6, 32, { packed: way.packed, features: [1] });
  const control = r.driver.queues[2]!;
  const rooms = Array.from({ length: 16 }, () => control.add([], [40]));
  r.driver.kick(2);
  const said: string[] = [];
  const hear = (): string[] => {
    for (let u = control.take(); u; u = control.take()) {
      const b = control.contents(rooms.find((x) => x.id === u.id)!).subarray(0, u.written);
      const v = new DataView(b.buffer, b.byteOffset);
      said.push(
        [v.getUint32(0, true), v.getUint16(4, true), v.getUint16(6, true), read(b.subarray(8))].join(" ").trim(),
      );
    }
    return said.splice(0);
  };
  const say = (id: number, event: number, value: number): string[] => {
    r.driver.queues[3]!.add([message(id, event, value)]);
    r.driver.kick(3);
    return hear();
  };
  return { say, hear };
}

describe.each(WAYS)("virtio-serial, $name", (way) => {
  it("is a plain console without the control channel", () => {
    const chardev = new RingBufChar("c0");
    const r = rig("virtio-serial-device", {}, { legacy: way.legacy, backends: { chardev: { c0: chardev } } });
    r.bench.device("virtconsole", { chardev: "c0" });
    chardev.feed(text("early "));
    r.driver.start(2, 32, { packed: way.packed });
    const [rx, tx] = r.driver.queues;
    tx!.add([text("hello "), text("world")]);
    r.driver.kick(1);
    expect(read(chardev.take())).toBe("hello world");
    expect(tx!.take()).toBeDefined();
    const a = rx!.add([], [4]);
    const b = rx!.add([], [64]);
    r.driver.kick(0);
    chardev.feed(text("late"));
    expect([rx!.take(), rx!.take()]).toEqual([
      { id: a.id, written: 4 },
      { id: b.id, written: 2 },
    ]);
    expect(read(rx!.contents(a)) + read(rx!.contents(b).subarray(0, 2))).toBe("early ");
    const c = rx!.add([], [64]);
    r.driver.kick(0);
    expect(read(rx!.contents(c).subarray(0, rx!.take()!.written))).toBe("late");
  });

  it("announces its ports and opens them", () => {
    const chardev = new RingBufChar("c0");
    const r = rig("virtio-serial-device", {}, { legacy: way.legacy, backends: { chardev: { c0: chardev } } });
    r.bench.device("virtconsole");
    const port = r.bench.device("virtserialport", { chardev: "c0", name: "org.test.0" });
    expect((port.impl as { nr: number }).nr).toBe(1);
    const { say } = multiport(r, way);
    expect(say(0xffffffff, 0, 1)).toEqual(["0 1 1", "1 1 1"]);
    expect(say(0, 3, 1)).toEqual(["0 4 1"]);
    expect(say(1, 3, 1)).toEqual(["1 7 1 org.test.0", "1 6 1"]);
    chardev.feed(text("ping"));
    const rx = r.driver.queues[4]!;
    const b = rx.add([], [64]);
    r.driver.kick(4);
    expect(rx.take()).toBeUndefined(); // not open yet
    say(1, 6, 1);
    expect(read(rx.contents(b).subarray(0, rx.take()!.written))).toBe("ping");
    r.driver.queues[5]!.add([text("pong")]);
    r.driver.kick(5);
    expect(read(chardev.take())).toBe("pong");
    expect(say(99, 3, 1)).toEqual([]);
  });
});

describe("virtio-serial", () => {
  it("waits for a chardev that takes no more", () => {
    let room = 3;
    let got = "";
    const chardev = new RingBufChar("c0");
    chardev.write = (b) => {
      const n = Math.min(room, b.length);
      got += read(b.subarray(0, n));
      room -= n;
      return n;
    };
    const r = rig("virtio-serial-device", {}, { backends: { chardev: { c0: chardev } } });
    const port = r.bench.device("virtconsole", { chardev: "c0" });
    r.driver.start(2, 32, {});
    const tx = r.driver.queues[1]!;
    tx.add([text("abcdef")]);
    tx.add([text("gh")]);
    r.driver.kick(1);
    expect([got, tx.take()]).toEqual(["abc", undefined]);
    room = 100;
    (port.impl as { writable(): void }).writable();
    expect([got, tx.take() !== undefined, tx.take() !== undefined]).toEqual(["abcdefgh", true, true]);
  });

  it("writes the emergency register to the console", () => {
    const chardev = new RingBufChar("c0");
    const r = rig("virtio-serial-device", {}, { backends: { chardev: { c0: chardev } } });
    r.bench.device("virtconsole", { chardev: "c0" });
    r.bench.machine.system.write(r.driver.base + 0x108, 4, 0x41);
    expect(read(chardev.take())).toBe("A");
  });

  it("gives numbers, and refuses taken ones", () => {
    const r = rig("virtio-serial-device", { max_ports: 3 });
    expect(() => r.bench.device("virtserialport", { nr: 0 })).toThrow(/consoles/);
    r.bench.device("virtserialport", { nr: 2 });
    expect(() => r.bench.device("virtserialport", { nr: 2 })).toThrow(/already in use/);
    expect(() => r.bench.device("virtserialport", { nr: 3 })).toThrow(/max_ports=3/);
    r.bench.device("virtconsole");
    r.bench.device("virtconsole");
    expect(() => r.bench.device("virtconsole")).toThrow(/no port number/);
  });
});
