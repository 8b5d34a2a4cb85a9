/** What the reset program passes on. Addresses are physical. */
export interface ResetVector {
  readonly xlen: 32 | 64;
  /** Where the first stage starts. */
  readonly start: number;
  /** The device tree, passed in a1. */
  readonly fdt: number;
  /** The next stage for OpenSBI's dynamic firmware; 0 when there is none. */
  readonly next: number;
}

/** Bytes of code and the two addresses behind it; the fw_dynamic structure follows. */
const INFO_AT = 40;
const INFO_MAGIC = 0x4942534f; // "OSBI"
const INFO_VERSION = 2;
const MODE_S = 1;

/**
 * The program at the reset vector: a0 = hart id, a1 = device tree, a2 = fw_dynamic information, then a jump to the first stage.
 * Source: RISC-V Unprivileged ISA 20191213 (encodings); OpenSBI, docs/firmware/fw_dynamic.md (the structure).
 */
export function resetRom({ xlen, start, fdt, next }: ResetVector): Uint8Array {
  const wide = xlen === 64;
  const load = wide ? 3 : 2; // funct3 of LD and LW
  const T0 = 5;
  const code = [
    0x17 | (T0 << 7), //                     auipc t0, 0
    itype(0x13, 0, 12, T0, INFO_AT), //      addi  a2, t0, INFO_AT
    itype(0x73, 2, 10, 0, 0xf14), //         csrr  a0, mhartid
    itype(0x03, load, 11, T0, 32), //        l{w|d} a1, 32(t0)
    itype(0x03, load, T0, T0, 24), //        l{w|d} t0, 24(t0)
    itype(0x67, 0, 0, T0, 0), //             jr    t0
  ];
  const words = [...code, ...halves(start), ...halves(fdt)];
  for (const value of [INFO_MAGIC, INFO_VERSION, next, MODE_S, 0, 0]) {
    if (wide) words.push(...halves(value));
    else words.push(value >>> 0);
  }
  const view = new DataView(new ArrayBuffer(words.length * 4));
  for (const [i, word] of words.entries()) view.setUint32(4 * i, word, true);
  return new Uint8Array(view.buffer);
}

function itype(opcode: number, funct3: number, rd: number, rs1: number, imm: number): number {
  return (opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | (imm << 20)) >>> 0;
}

function halves(value: number): [number, number] {
  return [value >>> 0, Math.floor(value / 2 ** 32)];
}
