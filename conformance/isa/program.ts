/**
 * The test program: it runs each case of a batch, between loading all registers from the case's record and storing
 * them back into it, then writes the records to standard output and exits. The same image runs under qemu-user and on
 * our hart, at the same addresses.
 */
import { assemble } from "@mimus/target-riscv";
import type { Case, Encoding } from "./cases.ts";

/** Address of the image, and what lies where in it. */
export const IMAGE = 0x10000000;
const STUBS = 0x1000;
export const RECORDS = 0x100000;
/** Most bytes of stubs: their jumps reach the driver. */
const STUB_SPACE = RECORDS - STUBS - 64;

/** A record, offsets in bytes: pointer to the stub (x0's slot), x1..x31, f0..f31, fcsr, branch taken, window. */
export const RECORD = { size: 704, x: 0, f: 256, fcsr: 512, taken: 520, window: 576, windowSize: 64 } as const;

/** An image and the part of it that the program changes. */
export interface Program {
  readonly image: Uint8Array<ArrayBuffer>;
  readonly records: { readonly offset: number; readonly length: number };
  readonly entry: number;
}

/** Where an encoding's code and its jump target lie in the image. */
interface Stub {
  readonly entry: number;
  readonly target: number;
}

const each = (from: number, to: number, skip: number, line: (n: number) => string): string =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i)
    .filter((n) => n !== skip)
    .map(line)
    .join("\n");

function driver(
  xlen: 32 | 64,
  base: number,
  cases: number,
): { bytes: Uint8Array; symbols: ReadonlyMap<string, bigint> } {
  const l = xlen === 64 ? "ld" : "lw";
  const s = xlen === 64 ? "sd" : "sw";
  const b = `x${base}`;
  const source = `
start:
    li ${b}, ${IMAGE + RECORDS}
    j load
ret1:
    ${s} x1, 8(${b})
    li x1, 1
    j save
ret0:
    ${s} x1, 8(${b})
    li x1, 0
save:
    ${s} x1, ${RECORD.taken}(${b})
    csrr x1, fcsr
    ${s} x1, ${RECORD.fcsr}(${b})
    ${each(2, 31, base, (n) => `${s} x${n}, ${RECORD.x + 8 * n}(${b})`)}
    ${each(0, 31, -1, (n) => `fsd f${n}, ${RECORD.f + 8 * n}(${b})`)}
    addi ${b}, ${b}, ${RECORD.size}
load:
    ${l} x1, ${RECORD.fcsr}(${b})
    csrw fcsr, x1
    ${each(0, 31, -1, (n) => `fld f${n}, ${RECORD.f + 8 * n}(${b})`)}
    ${each(2, 31, base, (n) => `${l} x${n}, ${RECORD.x + 8 * n}(${b})`)}
    ${l} x1, 0(${b})
    jr x1
finish:
    li s0, ${IMAGE + RECORDS}
    li s1, ${IMAGE + RECORDS + cases * RECORD.size}
1:  li a0, 1
    mv a1, s0
    sub a2, s1, s0
    li a7, 64
    ecall
    blez a0, 2f
    add s0, s0, a0
    bltu s0, s1, 1b
2:  li a0, 0
    li a7, 93
    ecall
`;
  return assemble(source, { xlen, origin: BigInt(IMAGE) });
}

/** Encode `jal x0, offset`. */
function jump(offset: number): number {
  const bit = (n: number, length: number): number => (offset >> n) & ((1 << length) - 1);
  return ((bit(20, 1) << 31) | (bit(1, 10) << 21) | (bit(11, 1) << 20) | (bit(12, 8) << 12) | 0x6f) >>> 0;
}

/** Build the image of a batch. `base` is the register that no case names. */
export function buildProgram(xlen: 32 | 64, base: number, cases: readonly Case[]): Program {
  const { bytes, symbols } = driver(xlen, base, cases.length);
  const at = (name: string): number => Number(symbols.get(name)) - IMAGE;
  const image = new Uint8Array(RECORDS + (cases.length + 1) * RECORD.size);
  const view = new DataView(image.buffer);
  image.set(bytes);
  let next = STUBS;
  const pointer = (record: number, to: number): void => view.setUint32(record, IMAGE + to, true);
  /** Write an encoding's stub: [j ret1] ; load x1 ; code ; j ret0 ; [j ret1]. */
  const writeStub = ({ code, target }: Encoding): Stub => {
    const put = (word: number, bytes: 2 | 4 = 4): void => {
      if (bytes === 2) view.setUint16(next, word, true);
      else view.setUint32(next, word, true);
      next += bytes;
    };
    const behind = next;
    if (target === "behind") put(jump(at("ret1") - next));
    const entry = next;
    put(loadX1(xlen, base));
    for (const insn of code) put(insn.word, insn.bytes);
    put(jump(at("ret0") - next));
    const ahead = next;
    if (target === "ahead") put(jump(at("ret1") - next));
    return { entry, target: target === "ahead" ? ahead : behind };
  };
  const stubs: Map<Encoding, Stub> = new Map();
  cases.forEach((c, i) => {
    const { encoding } = c;
    const record = RECORDS + i * RECORD.size;
    c.registers.forEach(([lo, hi], n) => {
      if (n === 0) return;
      view.setInt32(record + 8 * n, lo, true);
      if (n >= 32 || xlen === 64) view.setInt32(record + 8 * n + 4, hi, true);
    });
    view.setUint32(record + RECORD.fcsr, c.fcsr, true);
    c.window.forEach((word, n) => view.setUint32(record + RECORD.window + 4 * n, word, true));
    const stub = stubs.get(encoding) ?? writeStub(encoding);
    stubs.set(encoding, stub);
    pointer(record, stub.entry);
    const { targetRegister: t } = encoding;
    if (t) setX(view, record, t.n, BigInt(IMAGE + stub.target - t.offset), xlen);
    for (const { n, offset } of c.addresses)
      setX(view, record, n, BigInt(IMAGE + record + RECORD.window + offset), xlen);
  });
  const end = RECORDS + cases.length * RECORD.size;
  pointer(end, at("finish"));
  if (next > STUBS + STUB_SPACE) throw new Error(`stubs take ${next - STUBS} bytes`);
  return { image, records: { offset: RECORDS, length: cases.length * RECORD.size }, entry: IMAGE };
}

function setX(view: DataView, record: number, n: number, value: bigint, xlen: 32 | 64): void {
  view.setUint32(record + 8 * n, Number(BigInt.asUintN(32, value)), true);
  if (xlen === 64) view.setInt32(record + 8 * n + 4, Number(BigInt.asIntN(32, value >> 32n)), true);
}

/** `ld x1, 8(base)` or `lw`. */
function loadX1(xlen: 32 | 64, base: number): number {
  return ((8 << 20) | (base << 15) | ((xlen === 64 ? 3 : 2) << 12) | (1 << 7) | 0x03) >>> 0;
}
