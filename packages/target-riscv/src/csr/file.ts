/** The CSRs of one hart, and the six instructions that access them. Source: Unprivileged 20191213, chapter 9. */
import type { Hart } from "../hart.ts";
import { OFF } from "../state.ts";
import type { Csr } from "./row.ts";
import { CSRS } from "./table.ts";

/** The registers this hart has. */
export class CsrFile {
  readonly #hart: Hart;
  readonly #byNumber: (Csr | undefined)[] = Array.from({ length: 4096 }, () => undefined);
  /** Result of the last {@link access} or {@link read}, low half first. */
  readonly value: Int32Array = new Int32Array(2);
  readonly #old: Int32Array = new Int32Array(2);

  constructor(hart: Hart) {
    this.#hart = hart;
    for (const csr of CSRS) if (csr.on?.(hart.config) ?? true) this.#byNumber[csr.number] = csr;
  }

  /** The register with a number, when this hart has it. */
  get(number: number): Csr | undefined {
    return this.#byNumber[number];
  }

  /** Every register of this hart, by number. */
  *list(): Iterable<Csr> {
    for (const csr of this.#byNumber) if (csr) yield csr;
  }

  /**
   * Executes CSRRW, CSRRS, CSRRC or an immediate form of them; the operand is rs1 or the zero-extended immediate.
   * The old value is left in {@link value}.
   * @returns false when it raised illegal-instruction.
   */
  access(insn: number, lo: number, hi: number): boolean {
    const number = insn >>> 20;
    const hart = this.#hart;
    const csr = this.#byNumber[number];
    const operation = (insn >> 12) & 3; // 1 write, 2 set, 3 clear
    // CSRRS and CSRRC with x0 or immediate 0 do not write at all.
    const writes = operation === 1 || (insn & 0xf8000) !== 0;
    if (
      csr === undefined ||
      hart.lo(OFF.priv) < ((number >> 8) & 3) ||
      (writes && number >> 10 === 3) ||
      (csr.access !== undefined && !csr.access(hart))
    ) {
      hart.illegal(insn);
      return false;
    }
    const { value } = this;
    // A count is of the instructions before this one.
    hart.counters.unretired = 1;
    csr.read(hart, value);
    hart.counters.unretired = 0;
    if (!writes || csr.write === undefined) return true;
    if (operation !== 1) {
      const old = csr.readForUpdate ? this.#old : value;
      if (csr.readForUpdate) csr.readForUpdate(hart, old);
      lo = operation === 2 ? old[0]! | lo : old[0]! & ~lo;
      hi = operation === 2 ? old[1]! | hi : old[1]! & ~hi;
    }
    csr.write(hart, lo, hart.rv64 ? hi : 0);
    return true;
  }

  /** Reads without any check, for debuggers and tests. Zero when there is no such register. */
  read(number: number): bigint {
    const csr = this.#byNumber[number];
    if (!csr) return 0n;
    csr.read(this.#hart, this.value);
    const lo = BigInt(this.value[0]! >>> 0);
    return this.#hart.rv64 ? lo | (BigInt(this.value[1]! >>> 0) << 32n) : lo;
  }

  /** Writes with the register's own legalisation but no check, for debuggers and tests. */
  write(number: number, value: bigint): void {
    const lo = Number(BigInt.asIntN(32, value));
    const hi = this.#hart.rv64 ? Number(BigInt.asIntN(32, value >> 32n)) : 0;
    this.#byNumber[number]?.write?.(this.#hart, lo, hi);
  }
}
