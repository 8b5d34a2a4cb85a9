/** Random x86 instructions, from the decoder's rows and from plain random bytes. */
import type { Encoding } from "@mimus/target-x86";
import type { Random } from "../isa/random.ts";

const PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];
const IMMEDIATES: Readonly<Record<string, number>> = {
  ib: 1, iw: 2, id: 4, iz: 4, iv: 4, io: 8, cb: 1, cz: 4, cp: 6, mo: 4, is4: 1,
}; // prettier-ignore

/** One instruction by a row: mostly well-formed. */
export function randomInstruction(r: Random, row: Encoding, mode: 16 | 32 | 64): number[] {
  const tokens = row.enc.split(" ");
  const out: number[] = [];
  while (r.chance(8)) out.push(r.pick(PREFIXES));
  let rex = mode === 64 && r.chance(3) ? 0x40 | r.below(16) : 0;
  if (tokens[0]?.startsWith("VEX.")) return [...out, ...vex(r, tokens, mode)];
  const mandatory = /^(66|F2|F3)$/.exec(tokens[0] ?? "");
  if (mandatory && tokens.length > 1) out.push(Number.parseInt(mandatory[0], 16));
  if (mandatory || /^(NP|NFx)$/.test(tokens[0] ?? "")) tokens.shift();
  if (/^(REX\.W|W[01])$/.test(tokens[0] ?? "")) {
    if (tokens.shift() !== "W0" && mode === 64) rex |= 0x48;
  }
  if (rex !== 0) out.push(rex);
  return [...out, ...rest(r, tokens, mode)];
}

function vex(r: Random, tokens: string[], mode: 16 | 32 | 64): number[] {
  const parts = (tokens.shift() as string).split(".");
  const map = parts.includes("0F38") ? 2 : parts.includes("0F3A") ? 3 : 1;
  const pp = parts.includes("66") ? 1 : parts.includes("F3") ? 2 : parts.includes("F2") ? 3 : 0;
  const w = parts.includes("W1") ? 0x80 : parts.includes("W0") ? 0 : r.below(2) << 7;
  const l =
    parts.includes("256") || parts.includes("L1")
      ? 4
      : parts.includes("128") || parts.includes("LZ")
        ? 0
        : r.below(2) << 2;
  const vvvv = (r.chance(2) ? 15 : r.below(16)) << 3;
  const high = mode === 64 ? r.below(8) << 5 : 0xe0;
  return [0xc4, high | map, w | vvvv | l | pp, ...rest(r, tokens, mode)];
}

/** Opcode, ModRM, SIB, displacement, immediates. */
function rest(r: Random, tokens: readonly string[], mode: 16 | 32 | 64): number[] {
  const out: number[] = [];
  for (const token of tokens) {
    const [, byte, suffix] = /^([0-9A-F]{2})(\+r|\+cc)?$/.exec(token) ?? [];
    if (byte !== undefined)
      out.push(Number.parseInt(byte, 16) + (suffix === undefined ? 0 : r.below(suffix === "+r" ? 8 : 16)));
    else if (token.startsWith("/")) out.push(...modrm(r, token, mode));
    else for (let n = IMMEDIATES[token] ?? 0; n > 0; n--) out.push(immediate(r, token));
  }
  return out;
}

/** Branches stay near. */
function immediate(r: Random, token: string): number {
  if (token === "cz") return 0;
  return token === "cb" ? r.below(24) : r.below(256);
}

function modrm(r: Random, token: string, mode: 16 | 32 | 64): number[] {
  const [, what = "r", form = ""] = /^\/([r0-7])(?::([mra]))?/.exec(token) ?? [];
  const reg = what === "r" ? r.below(8) : Number(what);
  const mod = form === "m" ? r.below(3) : form === "r" ? 3 : r.chance(2) ? 3 : r.below(3);
  const rm = r.below(8);
  const out = [(mod << 6) | (reg << 3) | rm];
  if (mod === 3) return out;
  if (mode !== 16 && rm === 4) out.push(r.below(256));
  const bytes = mod === 1 ? 1 : mod === 2 ? (mode === 16 ? 2 : 4) : 0;
  for (let n = 0; n < bytes; n++) out.push(n === 0 ? r.below(256) : 0);
  return out;
}

/** `length` bytes of instructions; one in eight is nothing but random bytes. */
export function randomCode(r: Random, rows: readonly Encoding[], mode: 16 | 32 | 64, length: number): Uint8Array {
  const code: number[] = [];
  while (code.length < length) {
    if (r.chance(8)) for (let n = 1 + r.below(6); n > 0; n--) code.push(r.below(256));
    else code.push(...randomInstruction(r, r.pick(rows), mode));
  }
  return Uint8Array.from(code.slice(0, length));
}
