import { expect, it } from "vitest";
import { z } from "zod";
import { nearest } from "./nearest.ts";
import { QomObject } from "./object.ts";
import { Registry } from "./registry.ts";
import { Tree } from "./tree.ts";
import { createUserObject, defineObject } from "./user-object.ts";

const registry = new Registry().use({
  name: "t",
  types: [
    { name: "thing", kind: "object", interfaces: ["holder"], props: z.strictObject({ n: z.int().max(9).default(1) }) },
    { name: "shape", kind: "object", abstract: true },
    defineObject({
      name: "secret",
      summary: "hidden text",
      props: z.strictObject({ data: z.string() }),
      create: ({ data }, id, context) => `${id}:${data}:${String(context)}`,
    }),
  ],
});
const thing = (): QomObject => new QomObject(registry.require("thing"), { n: 1 });

it("resolves absolute and partial paths, through links", () => {
  const tree = new Tree(registry);
  const a = tree.container("/machine/a").addChild("d0", thing());
  const b = tree.container("/machine/b").addChild("d0", thing());
  a.addLink("peer", "holder", b);
  expect(a.path).toBe("/machine/a/d0");
  expect(tree.resolve("/")).toBe(tree.root);
  expect(tree.resolve("a/d0")).toBe(a);
  expect(tree.resolve("/machine/a/d0/peer")).toBe(b);
  expect(() => tree.resolve("d0")).toThrow("'d0' may be /machine/a/d0 or /machine/b/d0; write the whole path");
  expect(() => tree.resolve("/machine/c")).toThrow("there is no 'c' in /machine");
  expect(() => tree.resolve("nope")).toThrow(/no path in the tree ends with/);
  b.unparent();
  expect(tree.resolve("d0")).toBe(a);
});

it("keeps one owner and one name for each", () => {
  const tree = new Tree(registry);
  const a = tree.root.addChild("a", thing());
  expect(() => tree.root.addChild("a", thing())).toThrow(/already has 'a'/);
  expect(() => a.addChild("x", a)).toThrow();
  expect(() => tree.root.addChild("a/b", thing())).toThrow(/cannot be a name/);
  expect(tree.root.addChild("d[*]", thing()).path).toBe("/d[0]");
  expect(tree.root.addChild("d[*]", thing()).path).toBe("/d[1]");
  expect(() => new QomObject(registry.require("shape"))).toThrow(/abstract/);
});

it("gets, sets and lists properties", () => {
  const tree = new Tree(registry);
  const a = tree.root.addChild("a", thing());
  const heard: unknown[] = [];
  a.on("property", (...what) => heard.push(what));
  a.setProperty("n", "7");
  expect(a.getProperty("n")).toBe(7);
  expect(heard).toEqual([["n", 7]]);
  expect(() => a.setProperty("n", 10)).toThrow(/\/a: property 'n' is 10/);
  expect(() => a.getProperty("m")).toThrow("/a (thing) has no property 'm'");
  a.addProperty("temperature", { type: "int", get: () => 20 });
  expect(a.getProperty("temperature")).toBe(20);
  expect(() => a.setProperty("temperature", 1)).toThrow(/cannot be set/);
  expect(() => a.addLink("l", "holder", new QomObject(registry.require("container")))).toThrow(/takes a holder/);
  a.addChild("kid", thing());
  expect(a.getProperty("kid")).toBe("/a/kid");
  expect(a.listProperties()).toContainEqual({ name: "kid", type: "child<thing>" });
  expect(a.listProperties()).toContainEqual({ name: "l", type: "link<holder>" });
});

it("creates objects as -object does", () => {
  const tree = new Tree(registry);
  const s = createUserObject(registry, tree, "secret", "s0", { data: "x" }, "ctx");
  expect(s.path).toBe("/objects/s0");
  expect(s.impl).toBe("s0:x:ctx");
  expect(() => createUserObject(registry, tree, "secret", "s0", { data: "x" })).toThrow(/already an object 's0'/);
  expect(() => createUserObject(registry, tree, "secret", "s1", {})).toThrow(/secret 's1' needs property 'data'/);
  expect(() => createUserObject(registry, tree, "secrte", "s1", {})).toThrow(/did you mean 'secret'/);
  expect(() => createUserObject(registry, tree, "shape", "s1", {})).toThrow(/cannot be created/);
});

it("finds near names", () => {
  expect(nearest("virtio-blk-pci", ["virtio-blk-pic", "virtio-net-pci", "e1000"])[0]).toBe("virtio-blk-pic");
  expect(nearest("blk", ["virtio-blk-device", "blkdebug"])).toEqual(["blkdebug"]);
  expect(nearest("zzz", ["a", "b"])).toEqual([]);
});
