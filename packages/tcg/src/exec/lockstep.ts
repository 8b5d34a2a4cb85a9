/** Runs two machines side by side and compares their vCPUs: the interpreter against compiled code, for example. */
import type { Tb } from "./blocks.ts";
import { ENV } from "./contract.ts";
import type { ExitReason } from "./contract.ts";
import type { TcgMachine } from "./machine.ts";
import type { Vcpu } from "./vcpu.ts";

/** One of the two machines. Both must have the same target, options for blocks, and devices that behave the same. */
export interface LockstepSide {
  readonly name: string;
  readonly machine: TcgMachine;
  readonly vcpu: Vcpu;
}

/** A field of the vCPU that differs. Values are in hexadecimal. */
export interface FieldDifference {
  readonly name: string;
  readonly a: string;
  readonly b: string;
}

/** The first block, or stretch of instructions, after which the two differed. */
export interface Difference {
  /** Blocks that ran before it. */
  readonly block: number;
  /** Instructions that ran before it, in the first of the two. */
  readonly executed: number;
  readonly pc: bigint;
  readonly fields: readonly FieldDifference[];
  readonly reasons: readonly [ExitReason, ExitReason];
  /** The guest code of the block, or where the stretch began. */
  readonly disassembly: string;
}

const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, "0");

/** Compares after each block; with `options.traceStores` in both machines, guest stores are compared too. */
export class Lockstep {
  readonly #a: LockstepSide;
  readonly #b: LockstepSide;
  readonly #ignored: Uint8Array = new Uint8Array(ENV.temps / 4);
  /** Blocks that ran in both. */
  blocks = 0;

  /** `ignore`: byte ranges of the state block, as [offset, length], that may differ. */
  constructor(a: LockstepSide, b: LockstepSide, ignore: readonly (readonly [number, number])[] = []) {
    this.#a = a;
    this.#b = b;
    for (const [at, length] of ignore) this.#ignored.fill(1, at >>> 2, (at + length + 3) >>> 2);
  }

  /** Runs up to `blocks` blocks. @returns the first difference; undefined when there was none, or both are halted */
  run(blocks: number): Difference | undefined {
    const { vcpu: a } = this.#a;
    const { vcpu: b } = this.#b;
    for (let n = 0; n < blocks; n++) {
      const { pc, executed } = a;
      const reasons = [a.runBlock(), b.runBlock()] as const;
      const fields = this.#compare();
      if (fields.length > 0 || reasons[0] !== reasons[1] || a.executed !== b.executed) {
        if (a.executed !== b.executed) fields.push({ name: "executed", a: `${a.executed}`, b: `${b.executed}` });
        return { block: this.blocks, executed, pc, fields, reasons, disassembly: this.#listing(a.lastBlock) };
      }
      this.blocks++;
      if (reasons[0] === "halted") return undefined;
    }
    return undefined;
  }

  /**
   * Runs `insns` instructions in both, which must be made with `options.exact`, and compares at the end only: so what runs them may join
   * blocks in any way. Ends sooner where both wait for an interrupt.
   */
  advance(insns: number): Difference | undefined {
    const { vcpu: a } = this.#a;
    const { vcpu: b } = this.#b;
    const { pc, executed } = a;
    const reasons = [runAll(a, insns), runAll(b, insns)] as const;
    const fields = this.#compare();
    if (a.executed !== b.executed) fields.push({ name: "executed", a: `${a.executed}`, b: `${b.executed}` });
    if (fields.length === 0 && reasons[0] === reasons[1]) return undefined;
    return { block: this.blocks, executed, pc, fields, reasons, disassembly: this.#listing(this.#blockAt(pc)) };
  }

  #blockAt(pc: bigint): Tb | undefined {
    const lo = Number(BigInt.asIntN(32, pc));
    const hi = Number(BigInt.asIntN(32, pc >> 32n));
    return this.#a.machine.blocks.all.findLast((tb) => tb !== undefined && tb.pcLo === lo && tb.pcHi === hi);
  }

  #compare(): FieldDifference[] {
    const out: FieldDifference[] = [];
    const a = this.#a.machine.i32;
    const b = this.#b.machine.i32;
    const atA = this.#a.vcpu.env >>> 2;
    const atB = this.#b.vcpu.env >>> 2;
    for (let i = ENV.storeHash >>> 2; i < ENV.temps >>> 2; i++) {
      if (i === (ENV.storeCount >>> 2) + 2) i = ENV.target >>> 2;
      if (a[atA + i] === b[atB + i] || this.#ignored[i] === 1) continue;
      const name = this.#nameOf(i * 4);
      const last = out.at(-1);
      // The upper half of a field that is already listed.
      if (last?.name === name.replace(/:hi$/, "") && name.endsWith(":hi")) continue;
      const low = name.endsWith(":hi") ? i - 1 : i;
      const wide = name !== `env+${i * 4}`;
      const value = (v: Int32Array, base: number): string =>
        wide ? `${hex(v[base + low + 1]!)}${hex(v[base + low]!)}` : hex(v[base + i]!);
      out.push({ name: name.replace(/:hi$/, ""), a: value(a, atA), b: value(b, atB) });
    }
    return out;
  }

  /** Name of the 64-bit field at a byte offset; `:hi` marks its upper half. Fields of 32 bits have no upper half. */
  #nameOf(offset: number): string {
    if (offset < ENV.target) {
      const name = offset < ENV.storeCount ? "storeHash" : "storeCount";
      return (offset & 4) === 0 ? name : `${name}:hi`;
    }
    for (const g of this.#a.machine.target.globals) {
      if (g.type === "i32" || g.type === "f32") continue;
      if (g.offset === offset) return g.name;
      if (g.offset + 4 === offset) return `${g.name}:hi`;
    }
    const narrow = this.#a.machine.target.globals.find((g) => g.offset === offset);
    return narrow?.name ?? `env+${offset}`;
  }

  /** The guest code of a block. */
  #listing(tb: Tb | undefined): string {
    if (tb === undefined || tb.ram < 0) return "";
    const { machine } = this.#a;
    const bytes = new Uint8Array(tb.length);
    const split = 4096 - (tb.ram & 4095);
    for (let i = 0; i < tb.length; i++) bytes[i] = machine.u8[i < split ? tb.ram + i : tb.ram2 + i - split]!;
    const pc = (BigInt(tb.pcHi >>> 0) << 32n) | BigInt(tb.pcLo >>> 0);
    let text = "";
    for (let at = 0; at < bytes.length;) {
      const insn = machine.target.disassemble(pc + BigInt(at), bytes.subarray(at));
      text += `0x${(pc + BigInt(at)).toString(16)}:  ${insn.text}\n`;
      at += Math.max(insn.length, 1);
    }
    return text;
  }
}

/** Runs on through kicks. */
function runAll(vcpu: Vcpu, insns: number): ExitReason {
  const end = vcpu.executed + insns;
  for (;;) {
    const reason = vcpu.run(end - vcpu.executed);
    if (reason !== "kick" || vcpu.executed >= end) return reason === "kick" ? "budget" : reason;
  }
}
