import { expect, it } from "vitest";
import { plainText, prettyJson } from "./json.ts";

const IMAGE = {
  filename: "a",
  "dirty-flag": false,
  snapshots: [],
  data: { corrupt: false, compat: "1.1" },
  "virtual-size": 1,
};

it("prints members in the order that people know", () => {
  expect(prettyJson(IMAGE)).toBe(
    [
      "{",
      '    "snapshots": [',
      "    ],",
      '    "virtual-size": 1,',
      '    "filename": "a",',
      '    "data": {',
      '        "compat": "1.1",',
      '        "corrupt": false',
      "    },",
      '    "dirty-flag": false',
      "}",
    ].join("\n"),
  );
});

it("prints the same for people", () => {
  expect(plainText({ "refcount-bits": 16, bitmaps: [{ name: "b", flags: ["auto"] }] }, 1)).toBe(
    "    bitmaps:\n        [0]:\n            flags:\n                [0]: auto\n            name: b\n    refcount bits: 16\n",
  );
});

it("writes what a terminal obeys as numbers", () => {
  expect(prettyJson("a\u001b\u007f\u009b\u00e9")).toBe('"a\\u001b\\u007f\\u009b\u00e9"');
});
