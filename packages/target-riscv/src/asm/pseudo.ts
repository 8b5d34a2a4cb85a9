/** Pseudo-instructions. Source: RISC-V Assembly Programmer's Manual, "A listing of standard RISC-V pseudoinstructions". */

/** What expansions depend on. */
export interface PseudoContext {
  readonly pc: bigint;
  readonly xlen: 32 | 64;
  /** Value of an expression; a symbol not yet known counts as `pc` while sizes are found. */
  evaluate(text: string): bigint | undefined;
}

/** Real instructions, as mnemonic and operand text; undefined when the operands do not fit. */
type Expand = (operands: readonly string[], ctx: PseudoContext) => readonly (readonly [string, string])[] | undefined;

/** `$1`, `$2` ... stand for operands. */
const rewrite =
  (count: number, mnemonic: string, template: string): Expand =>
  (operands) =>
    operands.length === count
      ? [[mnemonic, template.replaceAll(/\$(\d)/g, (_, n: string) => operands[Number(n) - 1] ?? "")]]
      : undefined;

/** Load a constant: the shortest of addi, lui+addi, and shifting in twelve bits at a time. */
function loadConstant(rd: string, value: bigint, xlen: 32 | 64): [string, string][] {
  const v = BigInt.asIntN(xlen, value);
  if (v >= -2048n && v < 2048n) return [["addi", `${rd}, zero, ${v}`]];
  const low = BigInt.asIntN(12, v);
  const lowPart: [string, string][] = low === 0n ? [] : [["addi", `${rd}, ${rd}, ${low}`]];
  if (v >= -(1n << 31n) && v < 1n << 31n) {
    const upper = BigInt.asUintN(20, (v - low) >> 12n);
    // The sum wraps at 32 bits, so RV64 needs the word form.
    const add: [string, string][] = low === 0n ? [] : [[xlen === 64 ? "addiw" : "addi", `${rd}, ${rd}, ${low}`]];
    return [["lui", `${rd}, ${upper}`], ...add];
  }
  let rest = (v - low) >> 12n;
  let shift = 12;
  while ((rest & 1n) === 0n) {
    rest >>= 1n;
    shift++;
  }
  return [...loadConstant(rd, rest, xlen), ["slli", `${rd}, ${rd}, ${shift}`], ...lowPart];
}

/** auipc with the upper part, and an instruction that adds the lower: offsets up to 2 GiB. */
const pcRelative =
  (
    count: number,
    upper: number | string,
    second: (operands: readonly string[], low: bigint) => [string, string],
  ): Expand =>
  (operands, ctx) => {
    if (operands.length !== count) return undefined;
    const target = ctx.evaluate(operands[count - 1] ?? "");
    if (target === undefined) return undefined;
    const offset = BigInt.asIntN(ctx.xlen, target - ctx.pc);
    const low = BigInt.asIntN(12, offset);
    const high = (offset - low) >> 12n;
    if (BigInt.asIntN(20, high) !== high && ctx.xlen === 64) return undefined;
    const register = typeof upper === "number" ? operands[upper] : upper;
    return [["auipc", `${register}, ${BigInt.asUintN(20, high)}`], second(operands, low)];
  };

const address = pcRelative(2, 0, ([rd], low) => ["addi", `${rd}, ${rd}, ${low}`]);
const swapped = (mnemonic: string): Expand => rewrite(3, mnemonic, "$2, $1, $3");
const csrRead = (name: string): Expand => rewrite(1, "csrrs", `$1, ${name}, zero`);

/** `csr, rs`, or `rd, csr, rs` for the exchange. */
const csrExchange =
  (csr: string): Expand =>
  (o) =>
    o.length === 1
      ? [["csrrw", `zero, ${csr}, ${o[0]}`]]
      : o.length === 2
        ? [["csrrw", `${o[0]}, ${csr}, ${o[1]}`]]
        : undefined;

const either =
  (...options: Expand[]): Expand =>
  (operands, ctx) => {
    for (const option of options) {
      const found = option(operands, ctx);
      if (found) return found;
    }
    return undefined;
  };

const PSEUDO: Readonly<Record<string, Expand>> = {
  nop: rewrite(0, "addi", "zero, zero, 0"),
  li: ([rd, value], ctx) => {
    const v = ctx.evaluate(value ?? "");
    return rd === undefined || v === undefined ? undefined : loadConstant(rd, v, ctx.xlen);
  },
  la: address,
  lla: address,
  mv: rewrite(2, "addi", "$1, $2, 0"),
  not: rewrite(2, "xori", "$1, $2, -1"),
  neg: rewrite(2, "sub", "$1, zero, $2"),
  negw: rewrite(2, "subw", "$1, zero, $2"),
  "sext.w": rewrite(2, "addiw", "$1, $2, 0"),
  "zext.b": rewrite(2, "andi", "$1, $2, 255"),
  seqz: rewrite(2, "sltiu", "$1, $2, 1"),
  snez: rewrite(2, "sltu", "$1, zero, $2"),
  sltz: rewrite(2, "slt", "$1, $2, zero"),
  sgtz: rewrite(2, "slt", "$1, zero, $2"),
  sgt: swapped("slt"),
  sgtu: swapped("sltu"),
  beqz: rewrite(2, "beq", "$1, zero, $2"),
  bnez: rewrite(2, "bne", "$1, zero, $2"),
  blez: rewrite(2, "bge", "zero, $1, $2"),
  bgez: rewrite(2, "bge", "$1, zero, $2"),
  bltz: rewrite(2, "blt", "$1, zero, $2"),
  bgtz: rewrite(2, "blt", "zero, $1, $2"),
  bgt: swapped("blt"),
  ble: swapped("bge"),
  bgtu: swapped("bltu"),
  bleu: swapped("bgeu"),
  j: rewrite(1, "jal", "zero, $1"),
  jal: rewrite(1, "jal", "ra, $1"),
  jr: (o) => (o.length === 1 ? [["jalr", o[0]?.includes("(") ? `zero, ${o[0]}` : `zero, 0(${o[0]})`]] : undefined),
  jalr: either(
    (o) => (o.length === 1 ? [["jalr", o[0]?.includes("(") ? `ra, ${o[0]}` : `ra, 0(${o[0]})`]] : undefined),
    (o) => (o.length === 2 && !o[1]?.includes("(") ? [["jalr", `${o[0]}, 0(${o[1]})`]] : undefined),
    rewrite(3, "jalr", "$1, $3($2)"),
  ),
  ret: rewrite(0, "jalr", "zero, 0(ra)"),
  call: pcRelative(1, "ra", (_, low) => ["jalr", `ra, ${low}(ra)`]),
  tail: pcRelative(1, "t1", (_, low) => ["jalr", `zero, ${low}(t1)`]),
  fence: rewrite(0, "fence", "iorw, iorw"),
  pause: rewrite(0, "fence", "w, 0"),
  "sfence.vma": either(rewrite(0, "sfence.vma", "zero, zero"), rewrite(1, "sfence.vma", "$1, zero")),
  csrr: rewrite(2, "csrrs", "$1, $2, zero"),
  csrw: rewrite(2, "csrrw", "zero, $1, $2"),
  csrs: rewrite(2, "csrrs", "zero, $1, $2"),
  csrc: rewrite(2, "csrrc", "zero, $1, $2"),
  csrwi: rewrite(2, "csrrwi", "zero, $1, $2"),
  csrsi: rewrite(2, "csrrsi", "zero, $1, $2"),
  csrci: rewrite(2, "csrrci", "zero, $1, $2"),
  rdcycle: csrRead("cycle"),
  rdtime: csrRead("time"),
  rdinstret: csrRead("instret"),
  frcsr: csrRead("fcsr"),
  frrm: csrRead("frm"),
  frflags: csrRead("fflags"),
  fscsr: csrExchange("fcsr"),
  fsrm: csrExchange("frm"),
  fsflags: csrExchange("fflags"),
  "fmv.s": rewrite(2, "fsgnj.s", "$1, $2, $2"),
  "fneg.s": rewrite(2, "fsgnjn.s", "$1, $2, $2"),
  "fabs.s": rewrite(2, "fsgnjx.s", "$1, $2, $2"),
  "fmv.d": rewrite(2, "fsgnj.d", "$1, $2, $2"),
  "fneg.d": rewrite(2, "fsgnjn.d", "$1, $2, $2"),
  "fabs.d": rewrite(2, "fsgnjx.d", "$1, $2, $2"),
};

/** Is there a pseudo-instruction of this name? */
export function isPseudo(mnemonic: string): boolean {
  return Object.hasOwn(PSEUDO, mnemonic);
}

/** Expand a mnemonic with these operands; undefined when it is no pseudo-instruction (in this form). */
export function expandPseudo(
  mnemonic: string,
  operands: readonly string[],
  ctx: PseudoContext,
): readonly (readonly [string, string])[] | undefined {
  return isPseudo(mnemonic) ? PSEUDO[mnemonic]?.(operands, ctx) : undefined;
}
