import { describe, expect, it } from "vitest";
import { parseArguments, type OptionSpec } from "./arguments.ts";
import { asksHelp, keyValues, split } from "./key-values.ts";

const SPECS: readonly OptionSpec[] = [
  { short: "f", long: "format", argument: "F", help: "" },
  { short: "p", help: "" },
  { short: "q", long: "quiet", help: "" },
  { long: "output", argument: "O", help: "" },
  { long: "object", argument: "O", help: "" },
];
const parse = (text: string): readonly [unknown, unknown] => {
  const args = parseArguments(text.split(" "), SPECS);
  return [args.given, args.operands];
};

describe("arguments", () => {
  it.each([
    ["a -f raw b", [["format", "raw"]], ["a", "b"]],
    [
      "-fraw -pq",
      [
        ["format", "raw"],
        ["p", ""],
        ["quiet", ""],
      ],
      [],
    ],
    [
      "--format=raw --out json",
      [
        ["format", "raw"],
        ["output", "json"],
      ],
      [],
    ],
    ["-p -- -q", [["p", ""]], ["-q"]],
    ["- x", [], ["-", "x"]],
    [
      "-pf x",
      [
        ["p", ""],
        ["format", "x"],
      ],
      [],
    ],
  ])("%s", (text, given, operands) => expect(parse(text)).toEqual([given, operands]));

  it.each([
    ["-x", "unrecognized option '-x'"],
    ["--o x", "unrecognized option '--o'"],
    ["--quiet=1", "unrecognized option '--quiet=1'"],
    ["-f", "missing argument for option '-f'"],
    ["--format", "missing argument for option '--format'"],
  ])("%s: %s", (text, message) => expect(() => parse(text)).toThrow(message));
});

describe("key=value lists", () => {
  it("keeps doubled commas and makes words into switches", () => {
    expect(split("a,,b,c")).toEqual(["a,b", "c"]);
    expect(keyValues("secret,id=s,data=a,,b,noauto,ro", "type")).toEqual({
      type: "secret",
      id: "s",
      data: "a,b",
      auto: "off",
      ro: "on",
    });
    expect(() => keyValues("=x")).toThrow("Invalid parameter '=x'");
  });
  it("sees who asks for help", () => {
    expect(["help", "?", "a=1,help", "helpful", "a=help"].map(asksHelp)).toEqual([true, true, true, false, false]);
  });
});
