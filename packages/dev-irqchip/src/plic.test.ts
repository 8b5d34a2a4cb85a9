import { Bench, testDevice, testManifest } from "@mimus/testkit";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import plugin from "./index.ts";
import { Plic } from "./plic.ts";
import { plicContexts, sifivePlic } from "./sifive-plic.ts";

const props = { "hart-config": "MS,MS", "num-sources": 96 };
testDevice(sifivePlic, { props });
testDevice(sifivePlic, { props: { "hart-config": "M", "num-sources": 40, "num-priorities": 5 } });
testManifest(packageJson, plugin);

const ENABLE = 0x2000;
const CONTEXT = 0x20_0000;

interface Harness {
  readonly plic: Plic;
  readonly out: boolean[];
  readonly errors: string[];
  enable(context: number, ...sources: number[]): void;
  claim(context: number): number;
  complete(context: number, source: number): void;
}

function harness(): Harness {
  const out: boolean[] = [];
  const errors: string[] = [];
  const plic = new Plic(
    {
      sources: 96,
      contexts: 4,
      priorities: 7,
      priorityBase: 4,
      pendingBase: 0x1000,
      enableBase: ENABLE,
      enableStride: 0x80,
      contextBase: CONTEXT,
      contextStride: 0x1000,
    },
    (context, level) => (out[context] = level),
    (message) => errors.push(message),
  );
  plic.reset();
  return {
    plic,
    out,
    errors,
    enable(context, ...sources) {
      for (const s of sources) {
        plic.write(4 * s, 4, 1);
        const at = ENABLE + 0x80 * context + 4 * (s >> 5);
        plic.write(at, 4, plic.read(at, 4) | (1 << (s & 31)));
      }
    },
    claim: (context) => plic.read(CONTEXT + 0x1000 * context + 4, 4),
    complete: (context, source) => plic.write(CONTEXT + 0x1000 * context + 4, 4, source),
  };
}

it("interrupts the contexts that enabled a source, and only those", () => {
  const h = harness();
  h.enable(1, 10);
  h.plic.input(10, true);
  expect(h.out).toEqual([false, true, false, false]);
  expect(h.claim(0)).toBe(0);
  expect(h.claim(1)).toBe(10);
  expect(h.out[1]).toBe(false);
});

it("takes the highest priority, then the lowest id", () => {
  const h = harness();
  h.enable(0, 5, 40, 41, 70);
  h.plic.write(4 * 41, 4, 3);
  h.plic.write(4 * 40, 4, 3);
  for (const s of [5, 70, 41, 40]) h.plic.input(s, true);
  expect([h.claim(0), h.claim(0), h.claim(0), h.claim(0), h.claim(0)]).toEqual([40, 41, 5, 70, 0]);
});

it("comes again after completion while the level is held, and not before", () => {
  const h = harness();
  h.enable(0, 10);
  h.plic.input(10, true);
  expect(h.claim(0)).toBe(10);
  expect(h.claim(0)).toBe(0);
  h.complete(0, 10);
  expect(h.out[0]).toBe(true);
  expect(h.claim(0)).toBe(10);
  h.plic.input(10, false);
  h.complete(0, 10);
  expect(h.out[0]).toBe(false);
});

it("remembers a request that was taken back", () => {
  const h = harness();
  h.enable(0, 10);
  h.plic.input(10, true);
  h.plic.input(10, false);
  expect(h.claim(0)).toBe(10);
});

it("ignores a completion by a context that did not enable the source", () => {
  const h = harness();
  h.enable(0, 10);
  h.plic.input(10, true);
  h.claim(0);
  h.complete(1, 10);
  expect(h.claim(0)).toBe(0);
  h.complete(0, 10);
  expect(h.claim(0)).toBe(10);
});

it("masks by threshold, but lets a claim through", () => {
  const h = harness();
  h.enable(0, 10);
  h.plic.write(CONTEXT, 4, 1);
  h.plic.input(10, true);
  expect(h.out[0]).toBe(false);
  expect(h.claim(0)).toBe(10);
});

it("never interrupts with priority 0, and source 0 does not exist", () => {
  const h = harness();
  h.enable(0, 10);
  h.plic.write(40, 4, 0);
  h.plic.input(10, true);
  h.plic.input(0, true);
  h.plic.write(ENABLE, 4, 0xffffffff);
  expect(h.out[0]).toBe(false);
  expect(h.plic.read(ENABLE, 4)).toBe(0xfffffffe);
  expect(h.claim(0)).toBe(0);
});

it("keeps what registers can hold", () => {
  const h = harness();
  h.plic.write(4 * 95, 4, 0xffffffff);
  h.plic.write(CONTEXT + 0x3000, 4, 0xfa);
  expect([h.plic.read(4 * 95, 4), h.plic.read(CONTEXT + 0x3000, 4)]).toEqual([7, 2]);
  h.plic.write(4 * 96, 4, 1);
  h.plic.write(0x1000, 4, 1);
  h.plic.read(0x1fffffc, 4);
  h.complete(0, 96);
  expect(h.errors).toHaveLength(4);
});

it("reads hart configurations", () => {
  expect(plicContexts("M,MS")).toEqual([
    { hart: 0, mode: "M" },
    { hart: 1, mode: "M" },
    { hart: 1, mode: "S" },
  ]);
  const bench = new Bench({ types: [sifivePlic] });
  expect(() => bench.device("riscv.sifive.plic", { ...props, "hart-config": "X" })).toThrow(/hart-config/);
});
