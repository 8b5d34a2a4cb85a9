import { Bench, BENCH_RAM, testDevice, testManifest } from "@mimus/testkit";
import type { Device } from "@mimus/machine-core";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { FW_CFG, FwCfg } from "./fw-cfg.ts";
import { fwCfgMem } from "./fw-cfg-mem.ts";
import plugin from "./index.ts";
import { sifiveTest } from "./sifive-test.ts";
import { unimplementedDevice } from "./unimplemented.ts";

testDevice(fwCfgMem);
testDevice(fwCfgMem, { props: { dma_enabled: "off", data_width: 1 } });
testDevice(sifiveTest);
testDevice(unimplementedDevice, { props: { name: "spi", size: "4K" } });
testManifest(packageJson, plugin);

const READ = 2;
const SKIP = 4;
const SELECT = 8;
const WRITE = 16;

function config(): {
  bench: Bench;
  cfg: FwCfg;
  device: Device;
  dma(control: number, length: number, to: number, at?: number): number;
} {
  const bench = new Bench({ types: [fwCfgMem] });
  const device = bench.device("fw_cfg_mem", {}, { id: "cfg" });
  const cfg = device.impl as FwCfg;
  const dma = (control: number, length: number, to: number, at = BENCH_RAM + 0x1000): number => {
    const block = new DataView(new ArrayBuffer(16));
    for (const [i, word] of [control, length, Math.floor(to / 2 ** 32), to >>> 0].entries())
      block.setUint32(4 * i, word);
    bench.machine.system.writeBytes(at, new Uint8Array(block.buffer));
    cfg.dma.write(0, 4, Math.floor(at / 2 ** 32));
    cfg.dma.write(4, 4, at >>> 0);
    const result = new Uint8Array(4);
    bench.machine.system.readBytes(at, result);
    return new DataView(result.buffer).getUint32(0);
  };
  return { bench, cfg, device, dma };
}

const select = (key: number): number => (key << 16) | SELECT;
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

it("reads items by selector, first byte most significant, zeros beyond the end", () => {
  const { cfg } = config();
  cfg.control.write(0, 2, FW_CFG.SIGNATURE);
  expect(cfg.data.read(0, 4)).toBe(0x51454d55);
  expect(cfg.data.read(0, 4)).toBe(0);
  cfg.control.write(0, 2, FW_CFG.ID);
  expect([cfg.data.read(0, 1), cfg.data.read(0, 1)]).toEqual([3, 0]);
  cfg.control.write(0, 2, 0x3fff);
  expect(cfg.data.read(0, 4)).toBe(0);
});

it("lists files sorted by name", () => {
  const { cfg } = config();
  for (const name of ["opt/b", "etc/a"]) cfg.addFile({ name, bytes: Uint8Array.from(name, (c) => c.charCodeAt(0)) });
  cfg.control.write(0, 2, FW_CFG.FILE_DIR);
  expect(cfg.data.read(0, 4)).toBe(2);
  expect([cfg.data.read(0, 4), cfg.data.read(0, 2), cfg.data.read(0, 2)]).toEqual([5, FW_CFG.FILE_FIRST, 0]);
  const name = Uint8Array.from({ length: 56 }, () => cfg.data.read(0, 1));
  expect(text(name).replace(/\0+$/, "")).toBe("etc/a");
  cfg.control.write(0, 2, FW_CFG.FILE_FIRST + 1);
  expect(cfg.data.read(0, 1)).toBe("o".charCodeAt(0));
});

it("refuses files that do not fit", () => {
  const { cfg } = config();
  expect(() => cfg.addFile({ name: "x".repeat(56), bytes: new Uint8Array(0) })).toThrow(/1 to 55/);
  for (let i = 0; i < 32; i++) cfg.addFile({ name: `f${i}`, bytes: new Uint8Array(1) });
  expect(() => cfg.addFile({ name: "more", bytes: new Uint8Array(1) })).toThrow(/x-file-slots/);
});

it("reads, skips and selects through DMA", () => {
  const { bench, cfg, dma } = config();
  cfg.addFile({ name: "etc/f", bytes: Uint8Array.from({ length: 300 }, (_, i) => i) });
  const into = new Uint8Array(4);
  expect(dma(select(FW_CFG.FILE_FIRST) | SKIP, 10, 0)).toBe(0);
  expect(dma(READ, 4, BENCH_RAM)).toBe(0);
  bench.machine.system.readBytes(BENCH_RAM, into);
  expect([...into]).toEqual([10, 11, 12, 13]);
  expect(dma(READ, 4, BENCH_RAM)).toBe(0);
  bench.machine.system.readBytes(BENCH_RAM, into);
  expect([...into]).toEqual([14, 15, 16, 17]);
});

it("gives items that are made when they are read", () => {
  const { bench, cfg, dma } = config();
  const numbers = {
    length: 300,
    copyTo: (from: number, into: Uint8Array) => into.forEach((_, i) => (into[i] = from + i)),
  };
  cfg.add(FW_CFG.KERNEL_DATA, numbers);
  cfg.control.write(0, 2, FW_CFG.KERNEL_DATA);
  expect([cfg.data.read(0, 4), cfg.data.read(0, 1)]).toEqual([0x00010203, 4]);
  const into = new Uint8Array(4);
  expect(dma(select(FW_CFG.KERNEL_DATA) | SKIP, 298, 0)).toBe(0);
  expect(dma(READ, 4, BENCH_RAM)).toBe(0);
  bench.machine.system.readBytes(BENCH_RAM, into);
  expect([...into]).toEqual([298 & 255, 299 & 255, 0, 0]);
  expect(cfg.data.read(0, 2)).toBe(0);
});

it("writes only what may be written", () => {
  const { bench, cfg, dma } = config();
  const seen: [number, number][] = [];
  const bytes = new Uint8Array(8);
  cfg.addFile({ name: "a", bytes, written: (offset, length) => seen.push([offset, length]) });
  cfg.addFile({ name: "b", bytes: new Uint8Array(8) });
  bench.machine.system.writeBytes(BENCH_RAM, new Uint8Array([1, 2, 3, 4]));
  expect(dma(select(FW_CFG.FILE_FIRST) | WRITE, 4, BENCH_RAM)).toBe(0);
  expect([[...bytes], seen]).toEqual([[1, 2, 3, 4, 0, 0, 0, 0], [[0, 4]]]);
  expect(dma(WRITE, 5, BENCH_RAM)).toBe(1);
  expect(dma(select(FW_CFG.FILE_FIRST + 1) | WRITE, 4, BENCH_RAM)).toBe(1);
  expect(dma(select(FW_CFG.SIGNATURE) | WRITE, 4, BENCH_RAM)).toBe(1);
});

it("refuses lengths and addresses that lead nowhere, at once", () => {
  const { dma } = config();
  const start = performance.now();
  expect(dma(select(0) | READ, 0xffffffff, BENCH_RAM)).toBe(1);
  expect(dma(READ, 0x4000, BENCH_RAM + 0xff000)).toBe(1);
  expect(dma(READ, 16, 2 ** 52)).toBe(1);
  expect(dma(WRITE, 0xffffffff, BENCH_RAM)).toBe(1);
  expect(dma(select(0) | SKIP, 0xffffffff, 0)).toBe(0);
  expect(dma(READ, 4, BENCH_RAM)).toBe(0);
  // One byte of 4 GiB after the other takes far longer, on any machine.
  expect(performance.now() - start).toBeLessThan(5000);
});

it("does not enter itself through DMA", () => {
  const { bench, device, dma } = config();
  expect(dma(select(FW_CFG.FILE_DIR) | READ, 8, bench.base(device, 2))).toBe(0);
  expect(bench.log.filter((r) => r.level === "guest-error").length).toBeGreaterThanOrEqual(0);
});

it("ends and resets the machine", () => {
  const bench = new Bench({ types: [sifiveTest] });
  const device = bench.device("riscv.sifive.test", {}, { id: "t" });
  const asked: unknown[] = [];
  bench.machine.on("shutdown-request", (...args: unknown[]) => asked.push(args));
  bench.machine.on("reset-request", (...args: unknown[]) => asked.push(args));
  const at = bench.base(device);
  const { system } = bench.machine;
  for (const value of [0x5555, 0x00133333, 0x7777, 0x1234]) system.write(at, 4, value);
  system.write(at, 2, 0x5555);
  system.write(at + 4, 4, 0x5555);
  expect(asked).toEqual([["guest-shutdown", 0], ["guest-panic", 0x13], ["guest"], ["guest-shutdown", 0]]);
});
