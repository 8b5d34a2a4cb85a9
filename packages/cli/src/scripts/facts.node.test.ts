import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { discoverInto } from "../discover-plugins.ts";
import { Registry } from "@mimus/qom";
import { type Facts, KeptFacts } from "./facts.ts";

let folder = "";
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "mimus-facts-"))));
afterEach(() => rmSync(folder, { recursive: true }));

/** What the next run has: all that is kept, as texts. */
const next = (facts: KeptFacts): KeptFacts => new KeptFacts(facts.newest, () => {});

describe("facts", () => {
  it("are found once, until one of their files is another", async () => {
    const [there, absent] = [join(folder, "there"), join(folder, "absent")];
    writeFileSync(there, "1");
    let found = 0;
    const ask = (facts: Facts): Promise<number> =>
      facts.of("n", async (look) => {
        look(there);
        look(absent);
        return ++found;
      });
    let changes = 0;
    let facts = new KeptFacts([], () => changes++);
    expect(await ask(facts)).toBe(1);
    expect(changes).toBe(1);
    facts = next(facts);
    expect(await ask(facts)).toBe(1);
    writeFileSync(there, "22");
    expect(await ask(next(facts))).toBe(2);
    writeFileSync(there, "1");
    facts = next(facts);
    expect(await ask(facts)).toBe(3);
    writeFileSync(absent, "");
    expect(await ask(next(facts))).toBe(4);
  });

  it("are not kept when more than files decides", async () => {
    const facts = new KeptFacts([], () => expect.unreachable());
    await facts.of("n", async (look) => look(undefined));
    expect(facts.newest).toEqual([]);
  });

  it("go with the code that found them, but for those that hold already", async () => {
    const facts = new KeptFacts([], () => {});
    for (const name of ["a", "b"]) await facts.of(name, async () => name);
    const later = next(facts);
    await later.of("a", () => expect.unreachable());
    later.distrust();
    expect(later.newest.map(([name]) => name)).toEqual(["a"]);
    expect(await later.of("b", async () => "c")).toBe("c");
  });

  it("are as many as a user goes to and fro between", async () => {
    const facts = new KeptFacts([], () => {});
    for (let n = 0; n < 20; n++) await facts.of(`${n}`, async () => n);
    expect(facts.newest.map(([name]) => name)).toEqual(["19", "18", "17", "16", "15", "14", "13", "12"]);
  });
});

describe("a project's plugins", () => {
  const manifest = (devices: readonly string[], api = 1): string =>
    JSON.stringify({ name: "p", version: "1.0.0", mimus: { api, provides: { device: devices } } });
  const put = (name: string, text: string): void => {
    mkdirSync(join(folder, "node_modules", name), { recursive: true });
    writeFileSync(join(folder, "node_modules", name, "package.json"), text);
  };
  const project = (...names: string[]): void =>
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, "*"])) }),
    );
  const devices = async (facts: Facts): Promise<string[]> =>
    (await discoverInto(new Registry(), folder, [], facts)).registry.known("device").map(({ name }) => name);

  it("are what the files say now, whatever an earlier run found", async () => {
    project("p");
    put("p", manifest(["one"]));
    let facts = new KeptFacts([], () => {});
    const seen = async (): Promise<string[]> => devices((facts = next(facts)));
    expect(await devices(facts)).toEqual(["one"]);
    expect(await seen()).toEqual(["one"]);
    put("p", manifest(["two"]));
    expect(await seen()).toEqual(["two"]);
    // A dependency that is not installed, and is later.
    project("p", "q");
    expect(await seen()).toEqual(["two"]);
    put("q", manifest(["three"]));
    expect(await seen()).toEqual(["three", "two"]);
    rmSync(join(folder, "node_modules/p"), { recursive: true });
    expect(await seen()).toEqual(["three"]);
    expect(await seen()).toEqual(["three"]);
  });

  it("are read once", async () => {
    project("p");
    put("p", manifest(["one"]));
    const facts = new KeptFacts([], () => {});
    await devices(facts);
    expect(facts.newest).toHaveLength(1);
    await devices(new KeptFacts(facts.newest, () => expect.unreachable()));
  });
});
