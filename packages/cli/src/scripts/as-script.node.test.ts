import { runInThisContext } from "node:vm";

import { describe, expect, it } from "vitest";

import { asScript } from "./as-script.ts";

/** Runs a module's text as a script. @returns what it exports, and what it asked for */
function run(module: string, packages: Readonly<Record<string, object>> = {}): { exports: object; asked: string[] } {
  const asked: string[] = [];
  const body = runInThisContext(asScript(module)) as (...args: unknown[]) => void;
  const exports = {};
  const find = (name: string): object => {
    asked.push(name);
    return packages[name] ?? {};
  };
  body(
    exports,
    find,
    (name: string) => Promise.resolve(find(name)),
    () => "file:///here.js",
  );
  return { exports, asked };
}

describe("a module as a script", () => {
  it("gets what it imports by name, by another name, as default, and for its effect", () => {
    const { exports, asked } = run(
      [
        'import first, {\n  a,\n  b as c\n} from "one";',
        'import second from "./two.js";',
        'import "three";',
        "var sum = [first, a, c, second];",
        "export {\n  sum,\n  sum as default\n};",
      ].join("\n"),
      { one: { default: 1, a: 2, b: 3 }, "./two.js": { default: 4 } },
    );
    expect(exports).toEqual({ sum: [1, 2, 3, 4], default: [1, 2, 3, 4] });
    expect(asked).toEqual(["one", "./two.js", "three"]);
  });

  it("reads statements without blanks", () => {
    const { exports } = run('import{a as b}from"one";var c=b+1;export{c as d,b};', { one: { a: 1 } });
    expect(exports).toEqual({ d: 2, b: 1 });
  });

  it("has all that it imports before its first line runs", () => {
    const { exports } = run(
      'var early = later();\nimport { a } from "one";\nfunction later() { return a; }\nexport { early };',
      {
        one: { a: 7 },
      },
    );
    expect(exports).toEqual({ early: 7 });
  });

  it("imports later through what it is given; methods of that name stay", async () => {
    const { exports } = run(
      "class Loader { #import(x) { return x; } twice() { return this.#import(2); } }\n" +
        'var loaded = import("./later.js");\nvar two = new Loader().twice();\nexport { loaded, two };',
      { "./later.js": { late: true } },
    );
    expect(await (exports as { loaded: Promise<object> }).loaded).toEqual({ late: true });
    expect(exports).toMatchObject({ two: 2 });
  });

  it("knows where it is, is strict, and keeps its lines and its text", () => {
    const module =
      'import {\n  a\n} from "one";\n// η\nvar text = "→é";\nvar [, line] = /:(\\d+):\\d+\\)?$/m.exec(new Error().stack);\nvar url = import.meta.url;\nvar strict = (function () { return this === undefined; })();\nexport { text, line, url, strict };';
    expect(run(module).exports).toMatchObject({ text: "→é", url: "file:///here.js", strict: true });
    expect(asScript(module)).toMatch(/^[\0-\x7f]*$/);
    expect(
      asScript(module)
        .split("\n")
        .findIndex((line) => line.startsWith("var [, line]")),
    ).toBe(5);
  });
});
