/**
 * The `*.ir` files here: each block is optimised; its `; check:` comments must be lines of the result in that order,
 * its `; not:` comments must not occur in it. Each block also does the same before and after, on several states.
 */
import { Optimiser, evaluate, parseAll, print, verify, type Block } from "@mimus/tcg";
import { describe, expect, test } from "vitest";
import { CONTEXT, TestState, outcome } from "./random-block.ts";

/** The files' text by path; found by Vite, so that a browser finds them too. */
const files = import.meta.glob<string>("./*.ir", { query: "?raw", import: "default", eager: true });

/** The comments of one sort in the text of a block. */
function comments(text: string, sort: "check" | "not"): string[] {
  return [...text.matchAll(new RegExp(`;\\s*${sort}:\\s*(.*?)\\s*(?=;|$)`, "gm"))].map((m) => m[1]!);
}

function optimised(block: Block): Block {
  verify(block);
  return new Optimiser().run(block, (_, b) => verify(b));
}

for (const [path, content] of Object.entries(files)) {
  describe(path.slice(2), () => {
    const texts = content.split(/^(?=func )/m).filter((t) => t.startsWith("func "));
    for (const text of texts) {
      const block = parseAll(text, CONTEXT)[0]!;
      test(block.name, () => {
        const better = optimised(parseAll(text, CONTEXT)[0]!);
        const lines = print(better)
          .split("\n")
          .map((l) => l.trim());
        let at = 0;
        const checks = comments(text, "check");
        expect(checks.length).toBeGreaterThan(0);
        for (const check of checks) {
          const found = lines.indexOf(check, at);
          if (found < 0) expect.fail(`"${check}" is not in\n${lines.slice(at).join("\n")}\nof\n${print(better)}`);
          at = found + 1;
        }
        for (const not of comments(text, "not")) expect(print(better)).not.toContain(not);
        for (let seed = 0; seed < 20; seed++) {
          const [one, two] = [new TestState(seed), new TestState(seed)];
          expect(outcome(evaluate(better, two), two)).toEqual(outcome(evaluate(block, one), one));
        }
      });
    }
  });
}

test("a check that does not hold is found", () => {
  expect(comments("  a ; check: b ; not: c\n ; check: d", "check")).toEqual(["b", "d"]);
  expect(comments("  a ; check: b ; not: c\n ; check: d", "not")).toEqual(["c"]);
});
