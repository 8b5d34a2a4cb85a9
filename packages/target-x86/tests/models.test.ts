/** CPU models: what CPUID says, and what cannot be had. */
import { expect, test } from "vitest";
import { MODEL_ALIASES, MODEL_DATA } from "../src/models/data.ts";
import { findModel, x86Config } from "../src/models/expand.ts";
import { cpuProps } from "../src/models/props.ts";
import { cpuTypes } from "../src/object.ts";
import packageJson from "../package.json" with { type: "json" };
import { CPUID } from "./cpuid-qemu.ts";

const PLACE = { index: 0, cpus: 1 };

function make(name: string, props: Record<string, unknown> = {}, word: 32 | 64 = 64) {
  const warnings: string[] = [];
  const config = x86Config(findModel(name)!, cpuProps.parse(props), word, PLACE, (text) => void warnings.push(text));
  return { config, warnings };
}

for (const [name, rows] of Object.entries(CPUID))
  test(`CPUID of ${name}`, () => {
    const { config } = make(name);
    const shown = rows.map((row) => {
      const [leaf, subleaf] = row.split(" ").map((n) => Number.parseInt(n, 16)) as [number, number];
      const answer = config.cpuid(leaf, subleaf).map((v) => (v >>> 0).toString(16));
      return [leaf.toString(16), subleaf.toString(16), ...answer].join(" ");
    });
    expect(shown).toEqual(rows);
  });

test("caches of a core with two threads", () => {
  const place = { index: 0, cpus: 8, threads: 2, cores: 4 };
  const config = x86Config(findModel("Haswell")!, cpuProps.parse({}), 64, place, () => {});
  // Measured: qemu-system-x86_64 -cpu Haswell -smp 8,sockets=1,cores=4,threads=2.
  expect([0, 1, 2, 3].map((n) => config.cpuid(4, n)[0] >>> 0)).toEqual([0xc000121, 0xc000122, 0xc004143, 0xc01c163]);
});

test("a name without version is that of the first one", () => {
  expect(findModel("Haswell")).toBe(findModel("Haswell-v1"));
  expect(findModel("Haswell-IBRS")).toBe(findModel("Haswell-v3"));
  expect(findModel("Hasbeen")).toBeUndefined();
  for (const [alias, name] of Object.entries(MODEL_ALIASES)) expect(findModel(alias)?.name).toBe(name);
});

test("what cannot be translated is left out with QEMU's words", () => {
  expect(make("Haswell-v4").warnings).toEqual([
    "TCG doesn't support requested feature: CPUID.01H:ECX.pcid [bit 17]",
    "TCG doesn't support requested feature: CPUID.01H:ECX.x2apic [bit 21]",
    "TCG doesn't support requested feature: CPUID.01H:ECX.tsc-deadline [bit 24]",
    "TCG doesn't support requested feature: CPUID.07H:EBX.invpcid [bit 10]",
    "TCG doesn't support requested feature: CPUID.07H:EDX.spec-ctrl [bit 26]",
  ]);
  expect(make("Haswell-v4", { check: false }).warnings).toEqual([]);
  expect(() => make("Haswell-v4", { enforce: true })).toThrow("Host doesn't support requested features");
  expect(make("qemu64").warnings).toEqual([]);
  expect([make("max").warnings, make("max", {}, 32).warnings]).toEqual([[], []]);
  expect(make("max", { lm: true }, 32).warnings).toHaveLength(1);
});

test("features are properties, under all their names", () => {
  expect(make("qemu64", { sse4_2: true }).config.features.has("sse4.2")).toBe(true);
  expect(make("qemu64", { "sse4-1": "on" }).config.features.has("sse4.1")).toBe(true);
  expect(make("max", { sse3: false }).config.features.has("pni")).toBe(false);
  expect(make("qemu64", { smap: true }).config.cpuid(7, 0)[1]).toBe(1 << 20);
  expect(() => cpuProps.parse({ "sse4.7": true })).toThrow();
  expect(make("qemu64", {}, 32).warnings).toContain(
    "TCG doesn't support requested feature: CPUID.80000001H:EDX.lm [bit 29]",
  );
});

test("every model is a type for both targets, and the manifest names them", () => {
  const names = cpuTypes.map((t) => t.name);
  expect(new Set(names).size).toBe(2 * (MODEL_DATA.length + Object.keys(MODEL_ALIASES).length));
  expect(names.toSorted()).toEqual(packageJson.mimus.provides.cpu.toSorted());
});
