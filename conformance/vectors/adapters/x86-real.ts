import { LOCK_ANYWHERE, OFF, regOffset, SEG_FIELD, segOffset } from "@mimus/target-x86";
import { ENV } from "@mimus/tcg";
import type { BackEnd } from "@mimus/tcg";
import type { StepCase } from "../case.ts";
import type { StepMachine } from "../compare.ts";
import { FlatX86, flatConfig } from "./x86-machine.ts";

const REGISTERS = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
const SEGMENTS = ["es", "cs", "ss", "ds"];
/** 1 MiB and what FFFF:FFFF reaches. */
const MEMORY = 0x11_0000;
/** Instructions of a case at most: a repeated one has 65,535 iterations. */
const LIMIT = 200_000;
/** Bits 12 to 15 of the flags are 0 in real mode on a 286. */
const FLAGS_286 = 0x0fff;

/** Code of the 80286 in real mode, run to a HLT; exceptions go through the vectors in memory. */
export class X86RealRuns implements StepMachine {
  readonly #machine: FlatX86;

  constructor(backend: BackEnd) {
    const config = { ...flatConfig(32), features: new Set([LOCK_ANYWHERE]) };
    this.#machine = new FlatX86(32, { backend, hotThreshold: 1 }, config);
    this.#machine.ram.addRam(0, MEMORY);
    this.#machine.cpu.delivers = true;
  }

  run(test: StepCase): { skipped: string } | { exception?: number } {
    const { cpu, vcpu, ram } = this.#machine;
    this.#machine.setMode("real");
    for (const { address, bytes } of test.memory) ram.poke(address, bytes);
    for (const [name, value] of test.registers) this.#set(name, Number(value));
    cpu.set(OFF.pc, cpu.lo(segOffset(1) + SEG_FIELD.base) + Number(test.registers.get("ip") ?? 0n), 0);
    cpu.updateFlags();
    cpu.exception = -1;
    vcpu.run(LIMIT);
    return cpu.lo(ENV.halted) === 0 ? { skipped: "does not end" } : {};
  }

  #set(name: string, value: number): void {
    const { cpu } = this.#machine;
    const n = REGISTERS.indexOf(name);
    const segment = SEGMENTS.indexOf(name);
    if (n >= 0) cpu.set(regOffset(n), value, 0);
    else if (segment >= 0) {
      cpu.setLo(segOffset(segment) + SEG_FIELD.selector, value);
      cpu.set(segOffset(segment) + SEG_FIELD.base, value << 4, 0);
    } else if (name === "flags") cpu.eflags = value & FLAGS_286;
    else if (name !== "ip") throw new RangeError(`no register "${name}"`);
  }

  register(name: string): bigint | undefined {
    const { cpu } = this.#machine;
    const n = REGISTERS.indexOf(name);
    if (n >= 0) return BigInt(cpu.lo(regOffset(n)) & 0xffff);
    const segment = SEGMENTS.indexOf(name);
    if (segment >= 0) return BigInt(cpu.lo(segOffset(segment) + SEG_FIELD.selector) & 0xffff);
    if (name === "flags") return BigInt(cpu.eflags & 0xffff);
    return name === "ip" ? BigInt((cpu.lo(OFF.pc) - cpu.lo(segOffset(1) + SEG_FIELD.base)) & 0xffff) : undefined;
  }

  memory(address: number, length: number): Uint8Array {
    return this.#machine.ram.view(address, length);
  }
}
