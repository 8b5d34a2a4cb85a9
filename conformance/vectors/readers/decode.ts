// Encodings and what other decoders of x86 make of them: iced's decoder tests, Capstone's, Zydis'. Bytes, length, validity.

import { basename } from "node:path";
import type { DecodeCase, Reader, VectorFile } from "../case.ts";
import { VectorError } from "../case.ts";
import { eachLine, hexBytes, parseObject } from "./text.ts";

/**
 * Instruction sets that no CPU model here has, by iced's names of codes: AVX-512, XOP, FMA4, TBM, 3DNow!, AMX, VMX, SVM, SGX,
 * CET, MPX, key locker, TSX, VIA PadLock, and what came after AVX2.
 */
const OUTSIDE: readonly RegExp[] = [
  /^(EVEX|MVEX|XOP|D3NOW|VEX_KNC)_/,
  /^VEX_(K[a-z]+[bdqw]|Tile|Tdp|Tcmm|Sttile|Ldtile|Cmp\w*xadd|Vpdp|Vpermil2|Vpmadd52|Vsha512|Vsm[34]|Vgf2p8|Vcvtne|Vbcstne)/,
  /^VEX_Vfn?m(add|sub|addsub|subadd)(p[sd]|s[sd])_/,
  /^VEX_V(aes\w+|pclmulqdq)_ymm/,
  /^(Xstore|Xcrypt|Xsha|Montmul|Ccs|Via|Bnd|Vm|Encl|Enq|Getsec|Gf2p8|Hreset|Incssp|Rdssp|Invept|Invvpid|Invlpg[ab]|Tlbsync)/,
  /^(Loadiwkey|Aes\w+kl|Encodekey|Clgi|Stgi|Skinit|Clzero|Mcommit|Monitorx|Mwaitx|Pconfig|Ptwrite|Pvalidate|Psmash|Rdpru|Rmp)/,
  /^(Rstorssp|Saveprevssp|Setssbsy|Clrssbsy|Serialize|Tdcall|Seam|Tpause|Umonitor|Umwait|Wrmsrns|Wrss|Wruss|Xabort|Xbegin|Xend)/,
  /^(Xtest|Xresldtrk|Xsusldtrk|A(add|and|or|xor)_m|Movdir64b|Femms|Uiret|Senduipi|Clui|Stui|Testui|Rdudbg|Wrudbg|Rdmsrlist|Wrmsrlist)/,
];
/** The same by Zydis' names of extensions. */
const OUTSIDE_EXT =
  /^(AMD3DNOW|AVX512\w*|KNC\w*|XOP|FMA4|TBM|MPX|CET|RTM|SGX|VTX|SVM|AMX\w*|APX\w*|PADLOCK|GFNI|KEYLOCKER\w*)$/;
/** The same by Capstone's files. */
const OUTSIDE_FILE = /(xop|fma4|tbm|3DNow|avx512|rtm)/;
const SKIP = "outside the instruction sets that are modelled";

function bits(text: string): 16 | 32 | 64 {
  if (text === "16") return 16;
  return text === "32" ? 32 : 64;
}

function iced(content: string, line: number, mode: 16 | 32 | 64): DecodeCase | undefined {
  if (content.startsWith("#")) return undefined;
  const [encoding = "", code = "", ...rest] = content.split(", ");
  const text = encoding.replaceAll(" ", "");
  const invalid = code === "INVALID";
  const meant = invalid ? (/ ?code=(\w+)/.exec(rest.join(", "))?.[1] ?? code) : code;
  const option = / decopt=(\S+)/.exec(content)?.[1];
  const bytes = hexBytes(text);
  return {
    kind: "decode",
    line,
    class: meant.replace(/^VEX_/, "").split("_")[0] ?? meant,
    text: `${text} ${meant}`,
    mode,
    bytes,
    ...(invalid ? {} : { length: bytes.length }),
    ...(OUTSIDE.some((pattern) => pattern.test(meant)) ? { skip: SKIP } : {}),
    ...(option === undefined ? {} : { skip: `is of the decoder's option ${option.split(";")[0]}` }),
  };
}

/** iced: `DecoderTest16.txt` and its kin; the mode is in the file's name. */
export const icedDecode: Reader = {
  name: "iced decoder tests",
  sniff: (head) => head.includes("iced project and contributors"),
  read(text, file = "") {
    const [, mode] = /(16|32|64)\.txt/.exec(basename(file)) ?? [];
    if (mode === undefined)
      throw new VectorError("malformed", "the file's name should end in 16.txt, 32.txt or 64.txt");
    return decodeFile(icedDecode.name, text, (content, line) => iced(content, line, bits(mode)));
  },
};

interface CapstoneLine {
  readonly arch: string;
  readonly opt: readonly string[];
  readonly hex: string;
  readonly asm: readonly string[];
  readonly src: string;
}

function capstone(content: string, line: number): DecodeCase | undefined {
  if (!content.includes('"arch":"X86"')) return undefined;
  const { opt, hex, asm, src } = parseObject<CapstoneLine>(content, line);
  const bytes = hexBytes(hex);
  return {
    kind: "decode",
    line,
    class: asm[0]?.split(/\s/)[0] ?? "",
    text: `${hex} ${asm.join("; ")}`,
    mode: bits(opt.find((option) => /^(16|32|64)$/.test(option)) ?? "64"),
    bytes,
    ...(asm.length === 0 ? {} : { length: bytes.length }),
    ...(asm.length > 1 ? { skip: "is more than one instruction" } : {}),
    ...(OUTSIDE_FILE.test(src) ? { skip: SKIP } : {}),
  };
}

/** Capstone: lines of JSON with architecture, options, bytes and text. Lines of other architectures are passed over. */
export const capstoneDecode: Reader = {
  name: "Capstone machine code",
  sniff: (head) => /^\{"arch":"\w+","opt":\[/.test(head),
  read: (text) => decodeFile(capstoneDecode.name, text, capstone),
};

/** D5 is APX's REX2 in 64-bit mode. */
function isRex2(args: string, hex: string): boolean {
  return !/-(16|32)\b/.test(args) && /^d5/i.test(hex);
}

function zydis(content: string, line: number): DecodeCase | undefined {
  const test = parseObject<{ name: string; in: string; out: string }>(content, line);
  const hex = /([0-9a-fA-F]+)$/.exec(test.in)?.[1] ?? "";
  const [, extension = ""] = /ISA-EXT: (\S+)/.exec(test.out) ?? [];
  const [, length] = / LENGTH: +(\d+)/.exec(test.out) ?? [];
  return {
    kind: "decode",
    line,
    class: test.name.replace(/_\d+$/, ""),
    text: `${test.in} ${/MNEMONIC: (\S+)/.exec(test.out)?.[1] ?? "invalid"}`,
    mode: bits(/-(16|32)\b/.exec(test.in)?.[1] ?? "64"),
    bytes: hexBytes(hex),
    ...(length === undefined ? {} : { length: Number(length) }),
    ...(OUTSIDE_EXT.test(extension) || isRex2(test.in, hex) ? { skip: SKIP } : {}),
    ...(test.in.includes("-knc") ? { skip: "is for Knights Corner" } : {}),
  };
}

/** Zydis: lines of JSON with the arguments and the output of its tool. */
export const zydisDecode: Reader = {
  name: "Zydis cases",
  sniff: (head) => /^\{"name": ?"\w+", ?"in": ?"-/.test(head),
  read: (text) => decodeFile(zydisDecode.name, text, zydis),
};

function decodeFile(
  format: string,
  text: string,
  make: (content: string, line: number) => DecodeCase | undefined,
): VectorFile {
  function* cases(): Generator<DecodeCase> {
    for (const test of eachLine(text, 1, make)) if (test) yield test;
  }
  return { format, target: "x86-decode", options: {}, cases: { [Symbol.iterator]: cases } };
}
