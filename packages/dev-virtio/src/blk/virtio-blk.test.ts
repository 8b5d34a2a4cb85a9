import { STATUS } from "@mimus/bus-virtio";
import { describe, expect, it } from "vitest";
import { memoryDrive, rig, settle, WAYS } from "../../tests/rig.ts";
import type { Rig } from "../../tests/rig.ts";
import { F } from "./chip.ts";

const FEATURES = [F.SEG_MAX, F.BLK_SIZE, F.FLUSH, F.CONFIG_WCE, F.DISCARD, F.WRITE_ZEROES];

function header(type: number, sector: number): Uint8Array {
  const v = new DataView(new ArrayBuffer(16));
  v.setUint32(0, type, true);
  v.setUint32(8, sector >>> 0, true);
  v.setUint32(12, Math.floor(sector / 2 ** 32), true);
  return new Uint8Array(v.buffer);
}
function range(sector: number, count: number, flags = 0): Uint8Array {
  const v = new DataView(new ArrayBuffer(16));
  v.setUint32(0, sector, true);
  v.setUint32(8, count, true);
  v.setUint32(12, flags, true);
  return new Uint8Array(v.buffer);
}
const filled = (n: number, v: number): Uint8Array => new Uint8Array(n).fill(v);

/** One request from beginning to end: status byte and data. */
async function request(
  r: Rig,
  out: Uint8Array[],
  room: number[] = [],
  opts = {},
): Promise<{ status: number; data: Uint8Array }> {
  const q = r.driver.queues[0]!;
  const b = q.add(out, [...room, 1], opts);
  r.driver.kick(0);
  await settle();
  const used = q.take();
  expect(used?.id).toBe(b.id);
  const all = q.contents(b);
  return { status: all.at(-1)!, data: all.subarray(0, -1) };
}

async function setup(
  way: { legacy: boolean; packed: boolean },
  content: Uint8Array | number = 1 << 20,
  props = {},
  options = {},
  ramSize: number | undefined = undefined,
) {
  const media = await memoryDrive(content, options);
  const r = rig(
    "virtio-blk-device",
    { drive: "d0", serial: "SER1", ...props },
    { legacy: way.legacy, backends: { drive: { d0: media.drive } }, ...(ramSize === undefined ? {} : { ramSize }) },
  );
  expect(r.driver.start(1, 64, { packed: way.packed, features: FEATURES })).toBe(true);
  return { ...media, r };
}

describe.each(WAYS)("virtio-blk, $name", (way) => {
  it("reads, writes, flushes and names itself", async () => {
    const { r, disk, file } = await setup(way);
    expect(await request(r, [header(1, 2), filled(512, 7), filled(1024, 8)])).toMatchObject({ status: 0 });
    expect([disk.content()[1024], disk.content()[1536], disk.content()[2559], disk.content()[2560]]).toEqual([
      7, 8, 8, 0,
    ]);
    const got = await request(r, [header(0, 1)], [512, 700, 324]);
    expect([got.status, got.data[0], got.data[512], got.data[1535]]).toEqual([0, 0, 7, 8]);
    expect((await request(r, [header(4, 0)])).status).toBe(0);
    expect(file.calls.at(-1)?.op).toBe("flush");
    const id = await request(r, [header(8, 0)], [20]);
    expect(String.fromCharCode(...id.data).replace(/\0+$/, "")).toBe("SER1");
    expect(r.irq()).toBe(true);
  });

  it("takes a header in pieces and indirect chains", async () => {
    const { r, disk } = await setup(way);
    const h = header(1, 0);
    const pieces = [h.subarray(0, 5), h.subarray(5, 16), filled(500, 1), filled(12, 2)];
    expect((await request(r, pieces, [], { indirect: true })).status).toBe(0);
    expect([disk.content()[499], disk.content()[500]]).toEqual([1, 2]);
  });

  it("discards and writes zeroes", async () => {
    const { r, disk, file } = await setup(way, filled(1 << 20, 9), {}, { discard: "unmap" });
    expect((await request(r, [header(13, 0), range(1, 2, 1)])).status).toBe(0);
    expect([disk.content()[511], disk.content()[512], disk.content()[1535], disk.content()[1536]]).toEqual([
      9, 0, 0, 9,
    ]);
    expect((await request(r, [header(11, 0), range(8, 8)])).status).toBe(0);
    expect(file.calls.at(-1)).toMatchObject({ op: "punch", at: 4096, length: 4096 });
    expect((await request(r, [header(11, 0), range(8, 8, 1)])).status).toBe(2); // unmap flag on discard
    expect((await request(r, [header(13, 0), range(0, 1), range(1, 1)])).status).toBe(2); // two ranges
    expect((await request(r, [header(13, 0), range(2047, 2)])).status).toBe(1);
    expect((await request(r, [header(13, 0), range(0, 0x400000)])).status).toBe(1);
  });

  it("answers errors for what does not fit, and unsupported for what it does not know", async () => {
    const { r } = await setup(way);
    for (const [type, sector, out, room] of [
      [0, 2048, [], [512]],
      [0, 2047, [], [1024]],
      [0, 0, [], [100]],
      [0, 2 ** 62, [], [512]],
      [1, 2048, [filled(512, 1)], []],
      [1, 0, [filled(511, 1)], []],
    ] as const)
      expect((await request(r, [header(type, sector), ...out], [...room])).status).toBe(1);
    for (const type of [2, 3, 14, 99]) expect((await request(r, [header(type, 0)])).status).toBe(2);
  });

  it("breaks when there is no room for a status or a header", async () => {
    for (const attack of [
      (r: Rig) => r.driver.queues[0]!.add([header(0, 0)], []),
      (r: Rig) => r.driver.queues[0]!.add([filled(15, 0)], [1]),
    ]) {
      const { r } = await setup(way);
      attack(r);
      r.driver.kick(0);
      await settle();
      expect(r.driver.queues[0]!.take()).toBeUndefined();
      if (!way.legacy) expect(r.driver.status & STATUS.DEVICE_NEEDS_RESET).not.toBe(0);
      r.driver.start(1, 64, { packed: way.packed, features: FEATURES });
      expect((await request(r, [header(4, 0)])).status).toBe(0);
    }
  });

  it("runs many requests at once and interrupts once", async () => {
    const { r, disk } = await setup(way);
    const q = r.driver.queues[0]!;
    const n = way.packed ? 20 : 20;
    const buffers = Array.from({ length: n }, (_, i) => q.add([header(1, i), filled(512, i + 1)], [1]));
    r.driver.kick(0);
    expect(r.irq()).toBe(false);
    await settle();
    expect(r.irq()).toBe(true);
    const ids = new Set<number>();
    for (let u = q.take(); u; u = q.take()) ids.add(u.id);
    expect(ids.size).toBe(n);
    for (let i = 0; i < n; i++) expect(disk.content()[i * 512]).toBe(i + 1);
    expect(buffers).toHaveLength(n);
  });

  it("has answered what takes no waiting when the notification returns, with one interrupt", async () => {
    const { r, file, drive } = await setup(way, filled(1 << 20, 5), {}, {}, 8 << 20);
    file.quick = true;
    const q = r.driver.queues[0]!;
    const buffers = [1, 2, 3].map((sector) => q.add([header(0, sector)], [512, 512, 1]));
    r.driver.kick(0);
    expect(r.irq()).toBe(true);
    for (const buffer of buffers) {
      expect(q.take()?.id).toBe(buffer.id);
      expect(q.contents(buffer)).toEqual(Uint8Array.of(...filled(1024, 5), 0));
    }
    expect([drive.stats.readOps, drive.stats.readBytes, drive.inFlight]).toEqual([3, 3072, 0]);
    // Beyond a bound they wait, so that the vCPU goes on.
    const large = Array.from({ length: 5 }, () => q.add([header(0, 0)], [1 << 20, 1]));
    r.driver.kick(0);
    const bytes = (1 << 20) + 1;
    expect(large.map(() => q.take()?.written)).toEqual([bytes, bytes, bytes, bytes, undefined]);
    await settle();
    expect(q.take()?.id).toBe(large[4]!.id);
    // What fails fails as ever.
    file.quick = false;
    file.fail({ at: 0, ops: ["read"] });
    expect((await request(r, [header(0, 0)], [512])).status).toBe(1);
  });

  it("reports a host error, and forgets requests of before a reset", async () => {
    const { r, file } = await setup(way);
    file.fail({ at: 0, ops: ["write"] });
    expect((await request(r, [header(1, 0), filled(512, 1)])).status).toBe(1);
    expect((await request(r, [header(1, 0), filled(512, 1)])).status).toBe(0);
    r.driver.queues[0]!.add([header(1, 0), filled(512, 1)], [1]);
    r.driver.kick(0);
    r.driver.start(1, 64, { packed: way.packed, features: FEATURES });
    await settle();
    expect(r.driver.queues[0]!.take()).toBeUndefined();
    expect((await request(r, [header(4, 0)])).status).toBe(0);
  });
});

describe("virtio-blk", () => {
  it("shows size, geometry, topology and limits", async () => {
    const { r } = await setup(WAYS[1]!, 1 << 30, { physical_block_size: 4096 });
    const c = (at: number, size: 1 | 2 | 4): number => r.bench.machine.system.read(r.driver.base + 0x100 + at, size);
    expect([c(0, 4), c(4, 4), c(12, 4), c(16, 2), c(18, 1), c(19, 1), c(20, 4), c(24, 1)]).toEqual([
      2 ** 21,
      0,
      254,
      2080,
      16,
      63,
      512,
      3,
    ]);
    expect([c(32, 1), c(34, 2), c(36, 4), c(40, 4), c(44, 4), c(48, 4), c(56, 1)]).toEqual([
      1, 1, 0x3fffff, 1, 1, 0x3fffff, 1,
    ]);
    expect(r.driver.offered()[0]).toBe(
      (1 << 2) |
        (1 << 4) |
        (1 << 6) |
        (1 << 9) |
        (1 << 10) |
        (1 << 11) |
        (1 << 13) |
        (1 << 14) |
        (1 << 24) |
        (1 << 27) |
        (1 << 28) |
        (1 << 29),
    );
  });

  it("flushes each write when the driver turned the cache off, or cannot flush", async () => {
    const { r, file } = await setup(WAYS[1]!);
    r.bench.machine.system.write(r.driver.base + 0x120, 1, 0);
    await request(r, [header(1, 0), filled(512, 1)]);
    expect(file.calls.at(-1)?.op).toBe("flush");
    r.driver.start(1, 64, {});
    await request(r, [header(1, 0), filled(512, 1)]);
    expect(file.calls.at(-1)?.op).toBe("flush");
  });

  it("is read-only on a read-only drive", async () => {
    const { r } = await setup(WAYS[1]!, 1 << 20, {}, { readonly: "on" });
    expect(r.driver.offered()[0] & (1 << F.RO)).not.toBe(0);
    r.driver.start(1, 64, { features: FEATURES });
    expect((await request(r, [header(1, 0), filled(512, 1)])).status).toBe(1);
  });

  it("stops on a full disk and goes on when there is room", async () => {
    const { r, file, drive } = await setup(WAYS[1]!);
    const events: string[] = [];
    drive.onIoError = (e) => events.push(e.action);
    file.fail({ at: 0, ops: ["write"], code: "ENOSPC" });
    const q = r.driver.queues[0]!;
    q.add([header(1, 0), filled(512, 1)], [1]);
    r.driver.kick(0);
    await settle();
    expect([q.take(), events]).toEqual([undefined, ["stop"]]);
    drive.retry();
    await settle();
    expect(q.take()?.written).toBe(1);
  });

  it("tells the driver of a new size", async () => {
    const { r, drive } = await setup(WAYS[1]!);
    await drive.resize(2 << 20);
    expect(r.driver.interrupt & 2).toBe(2);
    expect(r.bench.machine.system.read(r.driver.base + 0x100, 4)).toBe(4096);
  });

  it("says what is wrong with its properties", async () => {
    const media = await memoryDrive(1 << 20);
    const make = (props: Record<string, unknown>): unknown =>
      rig("virtio-blk-device", props, { backends: { drive: { d0: media.drive } } });
    expect(() => make({})).toThrow(/'drive' is not set/);
    expect(() => make({ drive: "d1" })).toThrow(/no drive 'd1'.*d0/);
    expect(() => make({ drive: "d0", "queue-size": 100 })).toThrow(/power of two/);
    expect(() => make({ drive: "d0", logical_block_size: 1000 })).toThrow(/power of two/);
    expect(() => make({ drive: "d0", frob: 1 })).toThrow(/frob/);
    make({ drive: "d0" });
    expect(() => make({ drive: "d0" })).toThrow(/already used/);
  });
});
