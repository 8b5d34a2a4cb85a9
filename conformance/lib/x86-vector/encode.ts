import type { Encoding } from "@mimus/target-x86";

/** Where the operand that ModRM.rm names is. */
export type Form = "register" | "memory";

/** Registers in the encodings: ModRM.reg, ModRM.rm, VEX.vvvv, bits 7:4 of the immediate. */
const REG = 1;
const RM = 2;
const VVVV = 3;
const IS4 = 4;
/** RDI: memory operands are at (%rdi), or (%rdi,%ymm2) for gathers. */
const RDI = 7;

/** The forms that a row has. */
export function formsOf({ enc, operands }: Encoding): Form[] {
  if (!/\/[r\d]/.test(enc)) return ["register"];
  const letters = operands.split(",").map((o) => o[0]);
  if (/:m/.test(enc) || letters.includes("M")) return /\//.test(operands) ? ["register", "memory"] : ["memory"];
  if (/:r/.test(enc) || letters.some((c) => c === "U" || c === "N")) return ["register"];
  return ["register", "memory"];
}

/** Bytes of an instruction of the row, for each vector length that it may have; 64-bit mode. */
export function encode(row: Encoding, form: Form, immediate: () => number, wide: boolean): number[][] {
  const tokens = row.enc.split(" ");
  const vex = tokens[0]!.startsWith("VEX.") ? tokens.shift()!.split(".").slice(1) : undefined;
  let prefix = -1;
  let rexW = false;
  const opcode: number[] = [];
  let digit: number | undefined;
  let modrm = false;
  const tail: number[] = [];
  for (const token of tokens) {
    if (token === "NP" || token === "NFx") continue;
    if (/^(66|F3|F2)$/.test(token) && opcode.length === 0 && vex === undefined && prefix < 0)
      prefix = parseInt(token, 16);
    else if (token === "REX.W" || token === "W1") rexW = true;
    else if (token === "W0") rexW = false;
    else if (/^[0-9A-F]{2}$/.test(token)) opcode.push(parseInt(token, 16));
    else if (token.startsWith("/")) {
      modrm = true;
      const d = /^\/(\d)/.exec(token);
      if (d !== null) digit = Number(d[1]);
    } else if (token === "ib") tail.push(immediate() & 0xff);
    else if (token === "is4") tail.push(IS4 << 4);
    else throw new RangeError(`cannot encode "${row.enc}"`);
  }
  const rest: number[] = [];
  if (modrm) {
    const reg = (digit ?? REG) << 3;
    if (form === "register") rest.push(0xc0 | reg | RM);
    else if (row.flags?.includes("vsib")) rest.push(reg | 4, (RM << 3) | RDI);
    else rest.push(reg | RDI);
  }
  rest.push(...tail);
  if (vex === undefined) {
    const w = rexW || (wide && /(^|,)[EGR]y/.test(row.operands)) ? [0x48] : [];
    return [[...(prefix < 0 ? [] : [prefix]), ...w, ...opcode, ...rest]];
  }
  const pp = vex.includes("66") ? 1 : vex.includes("F3") ? 2 : vex.includes("F2") ? 3 : 0;
  const map = vex.includes("0F38") ? 2 : vex.includes("0F3A") ? 3 : 1;
  const w = vex.includes("W1") || (!vex.includes("W0") && wide && /(^|,)[EGR]y/.test(row.operands)) ? 0x80 : 0;
  const uses = row.operands.split(",").some((o) => o.startsWith("H") || o.startsWith("B"));
  const vvvv = ((uses ? ~VVVV : 15) & 15) << 3;
  const lengths = vex.includes("256") || vex.includes("L1") ? [4] : vex.includes("L?") ? [0, 4] : [0];
  return lengths.map((l) => [0xc4, 0xe0 | map, w | vvvv | l | pp, ...opcode, ...rest]);
}
