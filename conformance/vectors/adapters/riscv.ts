import { createTarget, EXTENSION_NAMES, FS, Hart, OFF } from "@mimus/target-riscv";
import type { Extensions, HartConfig } from "@mimus/target-riscv";
import { TcgMachine } from "@mimus/tcg";
import type { BackEnd } from "@mimus/tcg";
import { FlatMemory } from "@mimus/testkit";
import type { Adapter, StepCase, VectorFile } from "../case.ts";
import { stepRunner } from "../compare.ts";
import type { StepMachine } from "../compare.ts";

/** Where an exception leads; nothing is there. */
const TRAP = 0x40000000;
const LOW = 0xffff_ffffn;

function config(xlen: 32 | 64): HartConfig {
  const off = ["e", "svinval"];
  return {
    xlen,
    hartid: 0,
    ext: Object.fromEntries(EXTENSION_NAMES.map((name) => [name, !off.includes(name)])) as unknown as Extensions,
    paging: "none",
    pmp: false,
    debug: false,
    pmuCounters: 0,
    priv: 12,
    mvendorid: 0,
    marchid: [0, 0],
    mimpid: [0, 0],
    resetVector: [0, 0],
    cbomBlock: 64,
    cbozBlock: 64,
  };
}

/** A hart in machine mode without translation, and RAM where the cases have memory. */
class RiscvSteps implements StepMachine {
  readonly #ram = new FlatMemory(64 << 20);
  readonly #tcg: TcgMachine;
  readonly #hart: Hart;
  readonly #step: () => void;
  readonly #wide: boolean;
  #exception = false;

  constructor(xlen: 32 | 64, backend: BackEnd) {
    const hart = config(xlen);
    this.#wide = xlen === 64;
    this.#tcg = new TcgMachine({
      memory: this.#ram.memory,
      alloc: this.#ram.alloc,
      target: createTarget(hart),
      physical: this.#ram,
      options: { backend, hotThreshold: 1, tbSize: 1 << 20 },
    });
    let made: Hart | undefined;
    const vcpu = this.#tcg.createCpu((env, engine) => (made = new Hart(engine, env, 0, hart)));
    this.#hart = made as unknown as Hart;
    this.#step = () => void vcpu.step();
  }

  run(test: StepCase): { skipped: string } | { exception?: number } {
    const hart = this.#hart;
    for (const { address, bytes } of test.memory) {
      const page = address & ~0xffff;
      if (!this.#ram.has(page, 0x10000)) this.#ram.addRam(page, 0x10000);
      this.#ram.poke(address, bytes);
    }
    hart.setLo(OFF.mstatus, FS.DIRTY << 13);
    hart.set(OFF.mtvec, TRAP, 0);
    hart.set(OFF.resAddr, -1, -1);
    for (const [name, value] of test.registers) this.#set(name, value);
    hart.updateFlags();
    this.#step();
    this.#exception = hart.lo(OFF.pc) === TRAP;
    return this.#exception ? { exception: hart.lo(OFF.mcause) } : {};
  }

  #set(name: string, value: bigint): void {
    const hart = this.#hart;
    if (name === "fcsr") {
      const word = Number(value);
      hart.setLo(OFF.fpFlags, word & 31);
      hart.setLo(OFF.frm, (word >> 5) & 7);
      hart.setLo(OFF.fpRm, (word >> 5) & 7);
      return;
    }
    const offset = offsetOf(name);
    if (offset === undefined) throw new RangeError(`no register "${name}"; there are pc, x1-x31, f0-f31, fcsr`);
    hart.set(offset, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }

  register(name: string): bigint | undefined {
    const hart = this.#hart;
    if (name === "fcsr") return BigInt((hart.lo(OFF.frm) << 5) | hart.lo(OFF.fpFlags));
    const offset = name === "pc" && this.#exception ? OFF.mepc : offsetOf(name);
    if (offset === undefined) return undefined;
    const value = hart.bits64(offset);
    return this.#wide || name.startsWith("f") ? value : value & LOW;
  }

  memory(address: number, length: number): Uint8Array {
    return this.#ram.view(address, length);
  }
}

function offsetOf(name: string): number | undefined {
  if (name === "pc") return OFF.pc;
  const [, bank, digits] = /^([xf])(\d|[12]\d|3[01])$/.exec(name) ?? [];
  if (bank === undefined || (bank === "x" && digits === "0")) return undefined;
  return (bank === "x" ? 128 : 392) + 8 * Number(digits);
}

/** RISC-V instructions through the execution engine. */
export const riscv: Pick<Adapter, "open"> = {
  async open({ target }: VectorFile, { backend = "interp" } = {}) {
    return stepRunner(new RiscvSteps(target === "riscv64" ? 64 : 32, backend));
  },
};
