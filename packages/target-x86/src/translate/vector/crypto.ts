/** AES, carry-less products, SHA, CRC-32C, string comparisons. Source: Intel SDM volume 2 (2023), the instructions of each name. */
import type { Value } from "@mimus/tcg";
import { FLAG, OFF, REG } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";
import { plainCall } from "./exact.ts";
import { both, first, immediate, read128, readVec, setLow, vec, writeVec } from "./registers.ts";
import { SSE_BLOCK } from "@mimus/softfloat/sse";
import type { Insn } from "../../insn.ts";

/** destination = helper(first, second) in each half. */
function call(name: string, ...numbers: number[]): Translate {
  return (t, i) => {
    const k = first(i);
    const b = readVec(t, i, k + 1);
    const a = readVec(t, i, k);
    writeVec(t, i, 0, a.map((v, h) => plainCall(t, name, { a: v, b: b[h]! }, ...numbers))); // prettier-ignore
  };
}
const aesimc: Translate = (t, i) => writeVec(t, i, 0, [plainCall(t, "sse_aes", { b: read128(t, i, 1) }, 4)]);
const keygen: Translate = (t, i) =>
  writeVec(t, i, 0, [plainCall(t, "sse_aesKeygen", { b: read128(t, i, 1) }, immediate(i))]);
const clmul: Translate = (t, i) => call("sse_clmul", immediate(i))(t, i);
const sha1rnds4: Translate = (t, i) => call("sse_sha1", immediate(i) & 3)(t, i);
const sha256rnds2: Translate = (t, i) => {
  const b = read128(t, i, 1);
  setLow(t, i, i.operands[0].n, plainCall(t, "sse_sha256", { a: vec(t, i.operands[0].n), b, c: vec(t, 0) }, 0));
};

/** CRC32. */
const crc32: Translate = (t, i) => {
  const { ir } = t;
  const { size } = i.operands[1];
  const v = t.read(1);
  const wide = size === 8 ? v : ir.extuI32(v);
  const crc = ir.call("sse_crc32", t.reg(i.operands[0].n, 4), wide, ir.const32(size));
  t.setReg(i.operands[0].n, 4, crc);
};

// ---- strings

/** The length that EAX or EDX (RAX, RDX) gives: its size, 16 at most. */
function length(t: Tx, i: Insn, n: number): Value {
  const { ir } = t;
  const wide = i.rexW && t.code === 64;
  const v = t.reg(n, wide ? 8 : 4);
  const of = (x: number): Value => t.sized(wide ? 8 : 4, x);
  const size = ir.movcond("lt", v, of(0), ir.neg(v), v);
  return t.low(ir.movcond("ltu", size, of(16), size, of(16)));
}

/** PCMPESTRI and its kin: an index to ECX, or a mask to XMM0, and flags. */
function strings(explicit: boolean, index: boolean): Translate {
  return (t, i) => {
    const { ir } = t;
    const b = read128(t, i, 1);
    const a = vec(t, i.operands[0].n);
    const minus = ir.const32(-1);
    const lengths = explicit ? [length(t, i, REG.ax), length(t, i, REG.dx)] : [minus, minus];
    ir.envSt("v128", OFF.vector + SSE_BLOCK.a, a);
    ir.envSt("v128", OFF.vector + SSE_BLOCK.b, b);
    const r = ir.call("sse_strings", ir.envAddr(OFF.vector), ir.const32(immediate(i)), lengths[0]!, lengths[1]!);
    if (index) t.setReg(REG.cx, 4, ir.shrI(r, 16));
    else setLow(t, i, 0, ir.envLd("v128", "v128", OFF.vector + SSE_BLOCK.result));
    t.setFlagBits(ir.andI(r, FLAG.cf | FLAG.zf | FLAG.sf | FLAG.of));
  };
}

export const crypto = {
  ...both({
    aesenc: call("sse_aes", 0), aesenclast: call("sse_aes", 1), aesdec: call("sse_aes", 2), aesdeclast: call("sse_aes", 3),
    aesimc, aeskeygenassist: keygen, pclmulqdq: clmul,
    pcmpestrm: strings(true, false), pcmpestri: strings(true, true), pcmpistrm: strings(false, false), pcmpistri: strings(false, true),
  }),
  sha1nexte: call("sse_sha1", 4), sha1msg1: call("sse_sha1", 5), sha1msg2: call("sse_sha1", 6), sha1rnds4,
  sha256msg1: call("sse_sha256", 1), sha256msg2: call("sse_sha256", 2), sha256rnds2, crc32,
}; // prettier-ignore
