import { describe, expect, it } from "vitest";
import {
  bind,
  bits,
  Decoder,
  DecodeTreeError,
  type Entry,
  defineTable,
  formatInsn,
  parseInsn,
  sbits,
  type Translators,
} from "./index.ts";

const reg = bits([4, 4]).as("reg");
const toy = defineTable(16, {
  mov: ["0001 0000 .... ....", { rd: reg, rs: bits([0, 4]).as("reg") }, "rd, rs"],
  ld_w: [
    "001. .... .... ....",
    { rd: reg, order: bits([12, 1]).as("order"), imm: sbits(0, [8, 4], [0, 4]) },
    "+order rd, imm('sp')",
  ],
  add: [
    "010. ...0 .... ....",
    { rd: reg, rs: bits([0, 4]).as("reg"), round: bits([9, 4]).as("round") },
    "rd, rs[, round]",
  ],
});
const kinds = {
  reg: { print: (n: number) => `r${n}`, parse: (t: string) => (/^r\d+$/.test(t) ? Number(t.slice(1)) : undefined) },
  imm: { print: String, parse: (t: string) => (/^-?\d+$/.test(t) ? Number(t) : undefined) },
  order: { print: (n: number) => (n ? ".aq" : ""), parse: (t: string) => (t === ".aq" ? 1 : t === "" ? 0 : undefined) },
  round: { print: (n: number) => (n === 7 ? "" : `m${n}`), parse: (t: string) => (t === "" ? 7 : Number(t.slice(1))) },
};

describe("operand text", () => {
  it.each([
    ["mov", "", "r3, r4", "mov r3, r4"],
    ["ld_w", "", "r3, -2(sp)", "ld.w r3, -2(sp)"],
    ["ld_w", ".aq", "r3,100 ( sp )", "ld.w.aq r3, 100(sp)"],
    ["add", "", "r1, r2", "add r1, r2"],
    ["add", "", "r1, r2, m5", "add r1, r2, m5"],
  ])("%s%s %s", (name, suffix, source, text) => {
    const entry = toy.entries.find((e) => e.name === name) as Entry;
    const word = parseInsn(entry, suffix, source, kinds, undefined);
    expect(formatInsn(entry, word, kinds, undefined)).toBe(text);
  });
  it.each([
    ["mov", "r3", `"," expected`],
    ["mov", "r3, x", `"x" is not possible as operand rs`],
    ["mov", "r3, r4, r5", `not possible`],
    ["ld_w", "r3, 100", '"(" expected'],
    ["ld_w", "r3, 200(sp)", "operand imm is 200; possible: -128 to 127"],
  ])("refuses %s %s", (name, source, message) => {
    const entry = toy.entries.find((e) => e.name === name) as Entry;
    expect(() => parseInsn(entry, "", source, kinds, undefined)).toThrow(message);
  });
});

describe("translators", () => {
  const translators: Translators<string[], typeof toy.insns> = {
    mov: (log, { rd, rs }) => void log.push(`${rd}=${rs}`),
    ld_w: (log, { rd, imm }) => void log.push(`${rd}=[${imm}]`),
    add: (log, { rd, rs }) => void log.push(`${rd}+=${rs}`),
  };
  it("get the operands of the instruction that matches", () => {
    const decoder = new Decoder([bind(toy, translators)]);
    const log: string[] = [];
    expect(decoder.run(log, 0x1034)).toBe(true);
    expect(decoder.run(log, 0x2f3e)).toBe(true);
    expect(decoder.run(log, 0xffff)).toBe(false);
    expect(log).toEqual(["3=4", "3=[-2]"]);
  });
  it("must be complete and name existing operands", () => {
    // @ts-expect-error: add is missing
    const incomplete: Translators<string[], typeof toy.insns> = { mov: () => {}, ld_w: () => {} };
    // @ts-expect-error: mov has no imm
    const wrong: Translators<string[], typeof toy.insns>["mov"] = (log, { imm }) => void log.push(String(imm));
    expect(wrong).toBeDefined();
    expect(() => bind(toy, incomplete)).toThrow(DecodeTreeError);
  });
  it("of two tables must not match the same word", () => {
    const other = defineTable(16, { nop: ["0001 0000 0000 0000", {}] });
    expect(() => new Decoder([bind(toy, translators), bind(other, { nop: () => {} })])).toThrow(
      "matches the same words as nop",
    );
  });
});
