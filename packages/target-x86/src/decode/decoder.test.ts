import { describe, expect, it } from "vitest";
import { OPERAND, type Encoding, type Insn } from "../insn.ts";
import { SEG } from "../state.ts";
import { createInsn } from "./create-insn.ts";
import { Decoder, type Decoded, type DecoderOptions } from "./decoder.ts";
import { ALL_ROWS } from "./index.ts";
import { TRAITS } from "./notation.ts";

const all = new Decoder();

function decode(
  mode: 16 | 32 | 64,
  hex: string,
  decoder: Decoder = all,
): { result: Decoded; insn: Insn; read: number } {
  const bytes = Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (byte) => Number.parseInt(byte, 16));
  const insn = createInsn();
  let read = 0;
  const result = decoder.decode(
    (at) => {
      read = Math.max(read, at + 1);
      return bytes[at] ?? -1;
    },
    mode,
    insn,
  );
  return { result, insn, read };
}

describe("validity", () => {
  it.each<[16 | 32 | 64, string, Decoded]>([
    [64, "06", "invalid"],
    [32, "06", "ok"],
    [64, "82c001", "invalid"],
    [32, "f00100", "ok"],
    [32, "f001c0", "invalid"],
    [32, "f08b00", "invalid"],
    [32, "f03900", "invalid"],
    [32, "8ec8", "invalid"],
    [32, "8cf8", "invalid"],
    [32, "0f20c8", "invalid"],
    [64, "440f20c0", "ok"],
    [32, "8dc0", "invalid"],
    [32, "c4c0", "fetch"],
    [32, "c400", "ok"],
    [64, "c4000000", "invalid"],
    [64, "66c5f858c1", "invalid"],
    [64, "40c5f858c1", "invalid"],
    [64, "c5f858c1", "ok"],
    [64, "c5f977", "invalid"],
    [64, "c4e27b90c0", "invalid"],
    [64, "0f0b", "ok"],
    [64, "0f04", "invalid"],
    [32, "b8000000", "fetch"],
    [32, "", "fetch"],
  ])("%i-bit %s: %s", (mode, hex, result) => {
    expect(decode(mode, hex).result).toBe(result);
  });

  it("ends at 15 bytes, and reads none beyond them", () => {
    expect(decode(32, `${"26".repeat(13)}01ce`)).toMatchObject({ result: "ok", read: 15 });
    expect(decode(32, `${"26".repeat(14)}01ce`)).toMatchObject({ result: "long", read: 15 });
    expect(decode(32, "26".repeat(40))).toMatchObject({ result: "long", read: 15 });
  });

  it("says which byte it lacks", () => {
    const { result, insn } = decode(32, "c7841234");
    expect(result).toBe("fetch");
    expect(insn.length).toBe(4);
  });
});

describe("features", () => {
  const with_ = (...features: string[]): Decoder => new Decoder(ALL_ROWS, { features: new Set(features) });

  it("TZCNT is BSF and ENDBR64 a NOP where they are not known", () => {
    expect(decode(32, "f30fbcc1", with_("bmi1")).insn).toMatchObject({ encoding: { name: "tzcnt" }, rep: 0 });
    expect(decode(32, "f30fbcc1", with_()).insn).toMatchObject({ encoding: { name: "bsf" }, rep: 0xf3 });
  });
  it("others are invalid", () => {
    expect(decode(32, "0f44c1", with_()).result).toBe("invalid");
    expect(decode(32, "0f44c1", with_("cmov")).result).toBe("ok");
    expect(decode(64, "9f", with_()).result).toBe("invalid");
    expect(decode(32, "9f", with_()).result).toBe("ok");
  });
});

describe("sizes", () => {
  it.each<[16 | 32 | 64, string, number, number]>([
    [16, "01c8", 2, 2],
    [16, "6601c8", 4, 2],
    [32, "01c8", 4, 4],
    [32, "6601c8", 2, 4],
    [64, "01c8", 4, 8],
    [64, "4801c8", 8, 8],
    [64, "664801c8", 8, 8],
    [64, "6701c8", 4, 4],
    [64, "50", 8, 8],
    [64, "6650", 2, 8],
    [64, "e800000000", 8, 8],
    [64, "66e800000000", 8, 8],
    [64, "486601c8", 2, 8],
  ])("%i-bit %s: operands of %i bytes, addresses of %i", (mode, hex, opSize, adSize) => {
    expect(decode(mode, hex).insn).toMatchObject({ opSize, adSize });
  });

  it("near branches obey 66 in 64-bit mode where the processor does", () => {
    const options: DecoderOptions = { near16: true };
    const { insn } = decode(64, "66e80100", new Decoder(ALL_ROWS, options));
    expect(insn).toMatchObject({ opSize: 2, length: 4, immLo: 1 });
  });

  it("32-bit immediates of 64-bit operands are sign-extended", () => {
    const { insn } = decode(64, "4805000000a1");
    expect(insn).toMatchObject({ immLo: 0xa1000000 | 0, immHi: -1 });
    expect(insn.operands[1]).toMatchObject({ kind: OPERAND.imm, size: 8 });
  });
});

describe("memory operands", () => {
  it.each<[16 | 32 | 64, string, Partial<Insn["mem"]>]>([
    [32, "8b4424fc", { seg: SEG.ss, base: 4, index: -1, disp: -4, dispHi: -1 }],
    [32, "8b04cd00000080", { seg: SEG.ds, base: -1, index: 1, scale: 3, disp: -0x80000000 }],
    [32, "368b00", { seg: SEG.ss, base: 0 }],
    [64, "368b00", { seg: SEG.ds, base: 0 }],
    [64, "648b00", { seg: SEG.fs, base: 0 }],
    [64, "64268b00", { seg: SEG.fs, base: 0 }],
    [64, "8b0578563412", { base: -2, disp: 0x12345678 }],
    [64, "428b0420", { base: 0, index: 12 }],
    [64, "8b4500", { seg: SEG.ss, base: 5 }],
    [64, "418b4500", { seg: SEG.ds, base: 13 }],
    [16, "8b42ff", { seg: SEG.ss, base: 5, index: 6, disp: -1 }],
    [16, "8b06ff00", { seg: SEG.ds, base: -1, disp: 0xff }],
    [64, "a18877665544332211", { base: -1, disp: 0x55667788, dispHi: 0x11223344 }],
    [64, "c4e26d90448804", { base: 0, index: 1, scale: 2, disp: 4 }],
    [32, "a4", { seg: SEG.ds, base: 6 }],
    [32, "2ea4", { seg: SEG.cs, base: 6 }],
    [32, "aa", { seg: SEG.es, base: 7 }],
  ])("%i-bit %s", (mode, hex, mem) => {
    const { result, insn } = decode(mode, hex);
    expect(result).toBe("ok");
    expect(insn.mem).toMatchObject(mem);
  });
});

describe("registers", () => {
  it("AH to BH without REX, SPL to DIL with it", () => {
    expect(decode(64, "88e0").insn.operands[1]).toMatchObject({ n: 0, high: true, size: 1 });
    expect(decode(64, "4088e0").insn.operands[1]).toMatchObject({ n: 4, high: false, size: 1 });
  });
  it("exchanging R8 with RAX is no NOP", () => {
    expect(decode(64, "4190").insn.encoding.name).toBe("xchg");
    expect(decode(64, "4890").insn.encoding.name).toBe("nop");
    expect(decode(64, "f390").insn.encoding.name).toBe("pause");
  });
  it("outside 64-bit mode VEX names eight", () => {
    const { insn } = decode(32, "c4e15058c1");
    expect(insn.operands.slice(0, 3).map(({ n }) => n)).toEqual([0, 5, 1]);
  });
});

describe("rows", () => {
  const one = (row: Encoding): Decoder => new Decoder([row]);
  it("that are not in the notation are refused, by name", () => {
    expect(() => one({ name: "x", enc: "90 /9", operands: "" })).toThrow(/x "90 \/9" \(\): "\/9" is not understood/);
    expect(() => one({ name: "x", enc: "90 /r", operands: "Ek" })).toThrow(/operand "Ek": no such type/);
    expect(() => one({ name: "x", enc: "90 iw", operands: "Ib" })).toThrow(/the encoding has iw, operands need ib/);
    expect(() => one({ name: "x", enc: "90", operands: "Eb" })).toThrow(/an operand is in ModRM/);
    expect(() => one({ name: "x", enc: "90", operands: "", flags: "odd" })).toThrow(/flag "odd"/);
  });
  it("that mean the same encoding are refused", () => {
    const rows = [
      { name: "a", enc: "90 /r", operands: "Eb,Gb" },
      { name: "b", enc: "90 /r", operands: "Gb,Eb" },
    ];
    expect(() => new Decoder(rows)).toThrow(/a "90 \/r" .* is b "90 \/r" too/);
  });
  it("with VEX are of protected mode", () => {
    expect(decode(32, "c5f858c1").insn.traits & TRAITS.prot).not.toBe(0);
    expect(decode(32, "0f58c1").insn.traits & TRAITS.prot).toBe(0);
  });
});
