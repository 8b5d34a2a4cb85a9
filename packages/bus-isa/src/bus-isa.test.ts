import { testDevice, testManifest } from "@mimus/testkit";
import { Bench } from "@mimus/testkit";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import plugin, { IsaBus, isabusBridge } from "./index.ts";

testManifest(packageJson, plugin);
testDevice(isabusBridge);

function bus(): IsaBus {
  return new Bench({ plugins: [plugin] }).device("isabus-bridge").impl as IsaBus;
}

it("holds a line high while any of its inputs is", () => {
  const isa = bus();
  const seen: boolean[] = [];
  isa.connect(5, (level) => seen.push(level));
  const [a, b] = [isa.irq(5), isa.irq(5)];
  a(true);
  b(true);
  a(false);
  expect([seen, isa.level(5)]).toEqual([[true], true]);
  b(false);
  expect(seen).toEqual([true, false]);
  expect(() => isa.irq(16)).toThrow(/0\.\.15/);
});

it("has at most one DMA controller of each kind", () => {
  const isa = bus();
  expect(isa.dmaChannel(2)).toBeUndefined();
  const controller = { channel: (n: number) => ({ n, attach() {}, setRequest() {} }) };
  isa.addDmaController(false, controller);
  expect(isa.dmaChannel(2)).toMatchObject({ n: 2 });
  expect([isa.dmaChannel(6), isa.dmaChannel(8), isa.dmaChannel(-1)]).toEqual([undefined, undefined, undefined]);
  expect(() => isa.addDmaController(false, controller)).toThrow(/already/);
});
