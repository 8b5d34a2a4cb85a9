import { describe, expect, it } from "vitest";
import { bits, DecodeTreeError, type Entry, encode, extract, Matcher, type Table } from "./index.ts";

/** The tables beside the sources, by file name; found by Vite, so that a browser finds them too. */
const modules = import.meta.glob<{ default: () => Table }>("../tables/*.ts");
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const files = Object.keys(modules).map(nameOf).sort();
const load = async (file: string): Promise<() => Table> => (await modules[`../tables/${file}`]!()).default;

describe("tables that are accepted", () => {
  for (const file of files.filter((f) => f.startsWith("succ-")))
    it(file, async () => {
      const table = (await load(file))();
      const matcher = new Matcher([table]);
      // The matcher agrees with the definition: linear search over fixed bits and excluded values.
      const words = table.width <= 16 ? 2 ** table.width : 20_000;
      for (let i = 0; i < words; i++) {
        const word = table.width <= 16 ? i : Math.imul(i, 0x9e3779b1) >>> 0;
        const expected = table.entries.filter(
          (e) => ((word ^ e.value) & e.mask) === 0 && e.fields.every(([, f]) => !f.excluded.includes(f.extract(word))),
        );
        if (expected.length > 1 || matcher.match(word)?.name !== expected[0]?.name) expect.fail(`word ${word}`);
      }
    });
});

describe("tables that are refused, with the kind of error in the name", () => {
  for (const file of files.filter((f) => f.startsWith("err-")))
    it(file, async () => {
      const make = await load(file);
      const kind = file.replace(/^err-|\.ts$/g, "");
      expect(make).toThrow(DecodeTreeError);
      try {
        make();
      } catch (error) {
        expect((error as DecodeTreeError).kind).toBe(kind);
      }
    });
});

it("a field without slices is refused", () => {
  expect(() => bits()).toThrow("A field has at least one slice");
});

describe("encode", () => {
  it("is the inverse of extract", async () => {
    for (const file of files.filter((f) => f.startsWith("succ-"))) {
      const table = (await load(file))();
      const matcher = new Matcher([table]);
      for (let i = 0; i < 2000; i++) {
        const word = table.width === 32 ? Math.imul(i, 0x9e3779b1) >>> 0 : i % 2 ** table.width;
        const entry = matcher.match(word);
        if (!entry) continue;
        const used = entry.fields.reduce((m, [, f]) => m | f.mask, entry.mask) >>> 0;
        if (encode(entry, extract(entry, word)) !== (word & used) >>> 0) expect.fail(`${entry.name} ${word}`);
      }
    }
  });
  it("refuses values without an encoding, and says what is possible", async () => {
    const entry = (await load("succ-split-fields.ts"))().entries[0];
    expect(() => encode(entry as Entry, { imm: 3 })).toThrow(
      "branch: operand imm is 3; possible: -4096 to 4094 in steps of 2",
    );
    expect(() => encode(entry as Entry, {})).toThrow("operand imm is missing");
  });
});
