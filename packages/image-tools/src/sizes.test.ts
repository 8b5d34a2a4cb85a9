import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf, human, parseBytes } from "./sizes.ts";

describe("sizes", () => {
  it.each([
    ["0", 0],
    ["512", 512],
    ["1k", 1024],
    ["1.5G", 1.5 * 2 ** 30],
    ["0x200", 512],
    ["2b", 2],
    ["8E", undefined],
    ["1Z", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["", undefined],
    ["x", undefined],
  ])("'%s' is %s bytes", (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each([
    [0, "0 B"],
    [1000, "0.977 KiB"],
    [1024, "1 KiB"],
    [405504, "396 KiB"],
    [1079296, "1.03 MiB"],
    [67108864, "64 MiB"],
    [2 ** 40, "1 TiB"],
  ])("%d bytes read '%s'", (bytes, text) => expect(human(bytes)).toBe(text));

  it("reads every whole number back", () => {
    fc.assert(fc.property(fc.nat(), (n) => parseBytes(String(n)) === n && bytesOf("size", `${n}`) === n));
  });

  it("names the value and the bounds", () => {
    expect(() => bytesOf("bs", "0", 1, 100)).toThrow("Invalid bs specified. Must be between 1 and 100.");
    expect(() => bytesOf("bs", "x")).toThrow(/^Invalid bs specified\. You may use k/);
  });
});
