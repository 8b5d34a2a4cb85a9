import { Bench, testDevice, testManifest } from "@mimus/testkit";
import { BlockBackend, type BlockNode } from "@mimus/block";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { CfiBank } from "./cfi01.ts";
import plugin from "./index.ts";
import { type FlashBank, pflashCfi01 } from "./pflash-cfi01.ts";

const props = { "num-blocks": 4, "sector-length": 0x10000, width: 4, "device-width": 2, name: "flash" };
// Its memory stays with the machine: a bank is soldered to its board.
testDevice(pflashCfi01, { props, without: ["unrealize"] });
testDevice(pflashCfi01, { props: { ...props, width: 1, "device-width": 1 }, without: ["unrealize"] });
testManifest(packageJson, plugin);

const STATUS_READY = 0x0080_0080;

interface Harness {
  readonly bank: CfiBank;
  readonly array: Uint8Array;
  readonly changes: [number, number][];
  direct: boolean;
  write(offset: number, value: number): void;
  read(offset: number): number;
}

function harness(readOnly = false): Harness {
  const array = new Uint8Array(0x40000).fill(0xff);
  const h: Harness = {
    array,
    changes: [],
    direct: true,
    write: (offset, value) => h.bank.write(offset, 4, value),
    read: (offset) => h.bank.read(offset, 4),
    bank: new CfiBank(
      { size: 0x40000, blockSize: 0x10000, width: 4, deviceWidth: 2, maxDeviceWidth: 2, ids: [0x89, 0x18], readOnly },
      {
        array,
        readArray: (direct) => (h.direct = direct),
        changed: (offset, length) => h.changes.push([offset, length]),
        guestError: () => {},
      },
    ),
  };
  return h;
}

it("answers the query and identifier codes from both chips", () => {
  const h = harness();
  h.write(0x55 * 4, 0x0098_0098);
  expect([0x10, 0x11, 0x12].map((a) => h.read(4 * a))).toEqual([0x0051_0051, 0x0052_0052, 0x0059_0059]);
  expect(h.read(4 * 0x27) & 0xff).toBe(17); // each chip has 128 KiB
  expect(h.bank.read(4 * 0x10, 1)).toBe(0x51);
  expect(h.bank.read(4 * 0x10 + 2, 2)).toBe(0x51);
  h.write(0, 0x0090_0090);
  expect([h.read(0), h.read(4)]).toEqual([0x0089_0089, 0x0018_0018]);
  h.write(0, 0x00ff_00ff);
  expect(h.direct).toBe(true);
});

it("programs by clearing bits, and sets them by erasing a block", () => {
  const h = harness();
  h.write(8, 0x0040_0040);
  h.write(8, 0x1234_5678);
  expect(h.read(0)).toBe(STATUS_READY);
  h.write(8, 0x0040_0040);
  h.write(8, 0xff00_ff00);
  h.write(0, 0x00ff_00ff);
  expect(h.read(8)).toBe(0x1200_5600);
  h.write(0x10, 0x0020_0020);
  h.write(0x10, 0x00d0_00d0);
  expect(h.changes).toEqual([
    [8, 4],
    [8, 4],
    [0, 0x10000],
  ]);
  expect(h.array[8]).toBe(0xff);
});

it("writes buffers, and refuses those that are too long or leave their block", () => {
  const h = harness();
  const buffer = (offset: number, count: number, ...words: [number, number][]): void => {
    h.write(offset, 0x00e8_00e8);
    h.write(offset, (count << 16) | count);
    for (const [at, value] of words) h.write(at, value);
    h.write(offset, 0x00d0_00d0);
  };
  buffer(0x100, 1, [0x100, 0x11111111], [0x104, 0x22222222]);
  expect(h.read(0)).toBe(STATUS_READY);
  expect(new Uint32Array(h.array.buffer, 0x100, 2)).toEqual(new Uint32Array([0x11111111, 0x22222222]));
  buffer(0x200, 0, [0x8000, 0]);
  expect(h.read(0)).toBe(0x0090_0090);
  h.write(0, 0x0050_0050);
  h.write(0, 0x00e8_00e8);
  h.write(0, 0xffff_ffff);
  expect(h.read(0)).toBe(0x0090_0090);
  expect(h.array[0x8000]).toBe(0xff);
});

it("flags a broken command sequence", () => {
  const h = harness();
  h.write(0, 0x0020_0020);
  h.write(0, 0x0000_0000);
  expect(h.read(0)).toBe(0x00b0_00b0);
  h.write(0, 0x0050_0050);
  h.write(0, 0x0070_0070);
  expect(h.read(0)).toBe(STATUS_READY);
});

it("leaves read-only flash alone", () => {
  const h = harness(true);
  h.write(0, 0x0040_0040);
  h.write(0, 0);
  expect(h.read(0)).toBe(0x0092_0092);
  h.write(0, 0x0020_0020);
  h.write(0, 0x00d0_00d0);
  expect(h.changes).toEqual([]);
  expect(h.array[0]).toBe(0xff);
});

/** A drive in memory. */
function drive(size: number): { backend: BlockBackend; bytes: Uint8Array } {
  const bytes = new Uint8Array(size).fill(0x5a);
  const node: BlockNode = {
    name: "n",
    size,
    readOnly: false,
    sectorSize: 512,
    read: async (at, into) => void into.set(bytes.subarray(at, at + into.length)),
    write: async (at, from) => void bytes.set(from, at),
    flush: async () => {},
    close: async () => {},
  };
  return { backend: new BlockBackend("d", node), bytes };
}

it("reads its drive before the start and writes changes back", async () => {
  const bench = new Bench({ types: [pflashCfi01] });
  const { backend, bytes } = drive(0x40000);
  bench.machine.registerBackend("drive", "d", backend);
  const device = bench.device("cfi.pflash01", { ...props, drive: "d" }, { id: "f" });
  const flash = device.impl as FlashBank;
  await flash.prepare();
  const at = bench.base(device);
  const { system } = bench.machine;
  expect(system.read(at + 0x1234, 1)).toBe(0x5a);
  system.write(at, 4, 0x0020_0020);
  system.write(at, 4, 0x00d0_00d0);
  expect(system.read(at, 4)).toBe(STATUS_READY);
  system.write(at, 4, 0x00ff_00ff);
  expect(system.read(at, 4)).toBe(0xffffffff);
  await flash.drain();
  expect([bytes[0], bytes[0xffff], bytes[0x10000]]).toEqual([0xff, 0xff, 0x5a]);
});

it("names the sizes when the drive does not fit", async () => {
  const bench = new Bench({ types: [pflashCfi01] });
  bench.machine.registerBackend("drive", "d", drive(512).backend);
  const device = bench.device("cfi.pflash01", { ...props, drive: "d" }, { id: "f" });
  await expect((device.impl as FlashBank).prepare()).rejects.toThrow(/512 bytes.*262144/);
});
