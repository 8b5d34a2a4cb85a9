import { testManifest } from "@mimus/testkit";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { buildFdt, type FdtInput } from "./fdt.ts";
import type { FdtNode } from "./fdt/index.ts";
import plugin from "./index.ts";
import { highPcie } from "./memmap.ts";

testManifest(packageJson, plugin);

const hart = { isa: "rv64imafdc", mmu: "riscv,sv48" };
const input: FdtInput = {
  xlen: 64,
  ramSize: 2 ** 28,
  harts: [hart, hart],
  aclint: false,
  rngSeed: new Uint8Array(32),
  pmuCounters: 16,
  bootargs: "console=ttyS0",
};

function cells(node: FdtNode | undefined, name: string): number[] {
  const bytes = node?.properties.get(name) ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i));
}

it("wires every hart to the PLIC and the CLINT", () => {
  const tree = buildFdt(input);
  const intc = (n: number): number => cells(tree.at(`cpus/cpu@${n}/interrupt-controller`), "phandle")[0] as number;
  expect(cells(tree.at("soc/plic"), "interrupts-extended")).toEqual([intc(0), 11, intc(0), 9, intc(1), 11, intc(1), 9]);
  expect(cells(tree.at("soc/clint"), "interrupts-extended")).toEqual([intc(0), 3, intc(0), 7, intc(1), 3, intc(1), 7]);
  expect(cells(tree.at("soc/serial"), "interrupt-parent")).toEqual(cells(tree.at("soc/plic"), "phandle"));
});

it("replaces the CLINT by ACLINT devices", () => {
  const soc = buildFdt({ ...input, aclint: true }).at("soc");
  expect(soc?.find("clint")).toBeUndefined();
  expect(["mswi", "mtimer", "sswi"].map((n) => soc?.find(n)?.name)).toEqual([
    "mswi@2000000",
    "mtimer@2004000",
    "sswi@2f00000",
  ]);
});

it("says what the board was given", () => {
  const tree = buildFdt({ ...input, initrd: { base: 0x88200000, size: 0x1000 }, compatible: "x,y" });
  expect(cells(tree.at("chosen"), "linux,initrd-start")).toEqual([0x88200000]);
  expect(cells(tree.at("chosen"), "linux,initrd-end")).toEqual([0x88201000]);
  expect(cells(tree.at("memory"), "reg")).toEqual([0, 0x80000000, 0, 0x10000000]);
  expect(String.fromCharCode(...(tree.properties.get("compatible") ?? []))).toBe("x,y\0");
  expect(buildFdt({ ...input, pmuCounters: 0 }).find("pmu")).toBeUndefined();
});

it("puts the second PCI window above the RAM", () => {
  expect(highPcie(64, 2 ** 28).base).toBe(0x4_0000_0000);
  expect(highPcie(64, 2 ** 34).base).toBe(0x8_0000_0000);
  expect(highPcie(32, 2 ** 28)).toEqual({ base: 0x3_0000_0000, size: 0x1_0000_0000 });
});
