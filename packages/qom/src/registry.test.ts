import { expect, it } from "vitest";
import { definePlugin, indexPlugins, inspectPlugins, type Plugin } from "./plugin.ts";
import { Registry } from "./registry.ts";
import type { TypeSpec } from "./type.ts";

const device: TypeSpec = { name: "device", kind: "device", abstract: true, class: { bus: "none", speed: 1 } };
const bus = definePlugin({
  name: "bus",
  types: [
    {
      name: "pci-device",
      kind: "device",
      parent: "device",
      interfaces: ["plug"],
      bases: [device],
      class: { bus: "pci" },
    },
  ],
});
const nic = definePlugin({
  name: "nic",
  uses: [bus],
  types: [{ name: "e1000", kind: "device", parent: "pci-device", class: { speed: 9 } }],
});

it("inherits class data and interfaces, and loads what a plugin uses", () => {
  const r = new Registry().use(nic).use(nic).use(bus);
  const e1000 = r.require("e1000", "device");
  expect(e1000.ancestors).toEqual(["pci-device", "device", "object"]);
  expect(e1000.class).toEqual({ bus: "pci", speed: 9 });
  expect(r.isA("e1000", "plug")).toBe(true);
  expect(r.isA("nobody", "plug")).toBe(false);
  expect(r.list({ implements: "plug" }).map((t) => t.name)).toEqual(["e1000", "pci-device"]);
  expect(r.list({ kind: "device", concrete: true }).map((t) => t.name)).toEqual(["e1000", "pci-device"]);
});

it("names both plugins that define one name, and types that cannot be", () => {
  const r = new Registry().use(nic);
  expect(() => r.use({ name: "nic2", types: [{ name: "e1000", kind: "device" }] })).toThrow(/both nic and nic2/);
  expect(() => r.register({ name: "a b", kind: "x" })).toThrow(/cannot be a type name/);
  r.register({ name: "loop", kind: "x", parent: "pool" });
  r.register({ name: "pool", kind: "x", parent: "loop" });
  expect(() => r.get("loop")).toThrow(/inherits from itself/);
  r.register({ name: "orphan", kind: "x", parent: "nobody" });
  expect(() => r.get("orphan")).toThrow(/inherits from 'nobody', which is not registered/);
});

const json: Record<string, unknown> = {
  "nic/package.json": { version: "1.2.3", mimus: { api: 1, provides: { device: ["e1000"] } } },
  "bus/package.json": { mimus: { api: 1, provides: { device: ["pci-device"] } } },
  "clash/package.json": { mimus: { api: 1, provides: { device: ["e1000"] } } },
  "future/package.json": { mimus: { api: 2, provides: {} } },
  "broken/package.json": { mimus: { api: "x" } },
  "zod/package.json": {},
};
const readJson = async (specifier: string): Promise<unknown> => {
  const found = json[specifier];
  if (found === undefined) throw new Error("not exported");
  return found;
};

it("indexes the manifests of direct dependencies", async () => {
  const project = { dependencies: { nic: "1", zod: "4" }, devDependencies: { bus: "1", gone: "1" } };
  const index = await indexPlugins(project, readJson);
  expect([...index]).toEqual([
    ["device:pci-device", { package: "bus" }],
    ["device:e1000", { package: "nic" }],
  ]);
  await expect(indexPlugins({ dependencies: { nic: "", clash: "" } }, readJson)).rejects.toThrow(
    "both clash and nic provide device 'e1000'; remove one of the two packages",
  );
  const reports = await inspectPlugins({ dependencies: { future: "", broken: "", gone: "" } }, readJson);
  expect(reports.map((r) => r.skipped)).toEqual([
    expect.stringMatching(/broken\/package.json is wrong at 'api'/),
    expect.stringMatching(/API 2, this program speaks 1/),
    expect.stringMatching(/cannot be read/),
  ]);
});

it("imports a package when one of its types is first named", async () => {
  const loaded: string[] = [];
  const r = new Registry();
  r.setIndex(await indexPlugins({ dependencies: { nic: "", bus: "" } }, readJson), async (name) => {
    loaded.push(name);
    return name === "nic" ? definePlugin({ ...nic, uses: [] }) : bus;
  });
  r.setHints(new Map([["device:lsi", "@mimus/dev-scsi"]]));
  expect(r.known("device").map((k) => `${k.name} ${k.package}`)).toEqual(["e1000 nic", "pci-device bus"]);
  expect(() => r.require("e1000", "device")).toThrow(/provided by nic, which is not loaded/);
  expect((await r.ensure("e1000", "device")).parent?.name).toBe("pci-device");
  expect(loaded).toEqual(["nic", "bus"]);
  await r.ensure("e1000");
  expect(loaded.length).toBe(2);
  await expect(r.ensure("e100", "device")).rejects.toThrow("there is no device 'e100'; did you mean 'e1000'?");
  await expect(r.ensure("lsi", "device")).rejects.toThrow(/npm install @mimus\/dev-scsi/);
  await expect(r.ensure("e1000", "machine")).rejects.toThrow("'e1000' is a device, not a machine");
});

it("tells of plugins that do not keep their promise", async () => {
  const r = new Registry();
  r.setIndex(
    new Map([
      ["device:x", { package: "liar" }],
      ["device:y", { package: "junk" }],
      ["device:z", { package: "thrower" }],
    ]),
    async (name) => {
      if (name === "thrower") throw new Error("boom");
      return (name === "liar" ? { name, types: [] } : {}) as never;
    },
  );
  await expect(r.ensure("x")).rejects.toThrow(/liar promises type 'x'/);
  await expect(r.ensure("y")).rejects.toThrow(/junk does not export a plugin/);
  await expect(r.ensure("z")).rejects.toThrow("cannot load plugin thrower: boom");
});

it("resolves aliases, and offers neither them nor internal types as names", async () => {
  const disk = (name: string, more: object): Plugin["types"][number] => ({ name, kind: "device", ...more });
  const plugin = definePlugin({
    name: "disks",
    types: [disk("disk-base", { abstract: true }), disk("disk-pci", { parent: "disk-base", class: { alias: "disk" } })],
  });
  const manifest = {
    api: 1,
    provides: { device: ["disk-pci"] },
    internal: { device: ["disk-base"] },
    aliases: { device: { disk: "disk-pci" } },
  };
  const r = new Registry();
  const read = async (): Promise<unknown> => ({ name: "disks", mimus: manifest });
  r.setIndex(await indexPlugins({ dependencies: { disks: "" } }, read), async () => plugin);
  const known = [{ name: "disk-pci", kind: "device", package: "disks", alias: "disk" }];
  expect(r.known("device")).toEqual(known);
  expect((await r.ensure("disk", "device")).name).toBe("disk-pci");
  expect(r.known("device")).toMatchObject(known);
  expect(r.get("disk-base")?.abstract).toBe(true);
});
