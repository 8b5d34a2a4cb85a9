import { OFF } from "@mimus/target-x86";
import { ENV } from "@mimus/tcg";
import type { BackEnd } from "@mimus/tcg";
import type { StepCase } from "../case.ts";
import type { StepMachine } from "../compare.ts";
import { FlatX86, INTERRUPTS_ON } from "./x86-machine.ts";

const REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
  "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"]; // prettier-ignore
/** TF, IF, RF: not recorded. */
const HIDDEN = ~0x10300n;
/** Iterations of a repeated string instruction. */
const REPEATS = 250;
/** Instructions to a HLT at most. */
const LIMIT = 100_000;
/** INTO: the kernel that recorded the cases shows #OF as #GP. */
const SHOWN: Readonly<Record<number, number>> = { 4: 13 };
/** RCP and RSQRT may be off by 1.5 * 2^-12 of the value; transcendental functions by a unit of the last place of the oracle's. */
const RECIPROCAL = 1.5 / 4096;

/** Instructions single-stepped in user mode, 64-bit or 32-bit, with paging and flat segments. */
export class X86NativeSteps implements StepMachine {
  readonly #machine: FlatX86;
  readonly #wide: boolean;
  readonly #whole: boolean;
  #mapped = "";
  #exception = -1;

  constructor(wide: boolean, backend: BackEnd) {
    this.#wide = wide;
    this.#whole = backend === "region" || backend === "auto";
    this.#machine = new FlatX86(wide ? 64 : 32, { backend, hotThreshold: 1 });
  }

  run(test: StepCase): { skipped: string } | { exception?: number } {
    const { cpu, vcpu, ram } = this.#machine;
    this.#map(test);
    for (const { address, bytes } of test.memory) ram.poke(address, bytes);
    for (const [name, value] of test.registers) if (!name.startsWith("st")) this.#set(name, value);
    for (const [name, value] of test.registers) if (/^st\d/.test(name)) this.#machine.setSt(Number(name[2]), value);
    cpu.updateFlags();
    cpu.exception = -1;
    cpu.setLo(ENV.halted, 0);
    if (this.#whole && endsInHalt(test)) return this.#runToHalt(test);
    const start = cpu.lo(OFF.pc);
    let left = REPEATS;
    // A repeated instruction is as many steps as it has iterations; one that jumps to itself (EB FE) is one
    const again = (): boolean =>
      cpu.exception < 0 && cpu.lo(OFF.pc) === start && !test.text.startsWith("eb") && --left > 0;
    do vcpu.step();
    while (again());
    if (left === 0) return { skipped: "does not end" };
    this.#exception = cpu.exception;
    return cpu.exception < 0 ? {} : { exception: SHOWN[cpu.exception] ?? cpu.exception };
  }

  /** Runs on to the HLT behind the instruction, so that both are one block: it raises #GP in user mode. */
  #runToHalt(test: StepCase): { skipped: string } | { exception?: number } {
    const { cpu, vcpu } = this.#machine;
    vcpu.run(LIMIT);
    if (cpu.exception < 0) return { skipped: "does not end" };
    const halted = cpu.exception === 13 && cpu.errorCode === 0 && test.expected.exception === undefined;
    if (halted && this.#machine.pc === test.expected.registers.get("rip")) cpu.exception = -1;
    this.#exception = cpu.exception;
    return cpu.exception < 0 ? {} : { exception: SHOWN[cpu.exception] ?? cpu.exception };
  }

  /** Maps the memory of the cases: it is the same for all of a file. */
  #map(test: StepCase): void {
    const [first] = test.memory;
    if (!first || this.#mapped !== "") return;
    this.#mapped = `${first.address}`;
    const length = Math.ceil(first.bytes.length / 0x10000) * 0x10000;
    this.#machine.ram.addRam(first.address, length);
    this.#machine.setMode(this.#wide ? "user64" : "user32", [[first.address, length]]);
  }

  #set(name: string, value: bigint): void {
    const machine = this.#machine;
    const n = REGISTERS.indexOf(name);
    if (n >= 0) machine.setRegister(n, value);
    else if (name.startsWith("ymm")) machine.setYmm(Number(name.slice(3)), value);
    else if (name === "rip") machine.setPc(value);
    else if (name === "rflags") machine.setFlags(Number(value) | INTERRUPTS_ON);
    else if (name === "fsw") machine.setStatus(Number(value));
    else if (name === "ftw") machine.setTags(Number(value));
    else if (name === "fcw") machine.cpu.setLo(OFF.fpuCw, Number(value));
    else if (name === "mxcsr") machine.cpu.setLo(OFF.mxcsr, Number(value));
    else throw new RangeError(`no register "${name}"`);
  }

  register(name: string): bigint | undefined {
    const machine = this.#machine;
    const n = REGISTERS.indexOf(name);
    if (n >= 0) return machine.getRegister(n);
    if (name.startsWith("ymm")) return machine.getYmm(Number(name.slice(3)));
    if (name.startsWith("st")) return machine.getSt(Number(name.slice(2)));
    switch (name) {
      case "rip":
        return machine.pc + BigInt(this.#exception >= 0 ? machine.cpu.softLength : 0);
      case "rflags":
        return BigInt(machine.cpu.eflags >>> 0) & HIDDEN;
      case "fsw":
        return BigInt(machine.status);
      case "ftw":
        return BigInt(machine.tags);
      case "fcw":
        return BigInt(machine.cpu.lo(OFF.fpuCw) & 0xffff);
      case "mxcsr":
        return BigInt(machine.cpu.lo(OFF.mxcsr) & 0xffff);
      default:
        return undefined;
    }
  }

  memory(address: number, length: number): Uint8Array {
    return this.#machine.ram.view(address, length);
  }

  near(name: string, got: bigint, wanted: bigint): boolean {
    if (name.startsWith("st")) return Math.abs(Number(ordinal(got) - ordinal(wanted))) <= 2;
    if (!name.startsWith("ymm")) return false;
    for (let lane = 0n; lane < 256n; lane += 32n) if (!close(single(got >> lane), single(wanted >> lane))) return false;
    return true;
  }
}

/** Whether the case ends before a HLT, or in an exception. */
function endsInHalt({ memory, expected, text }: StepCase): boolean {
  if (expected.exception !== undefined) return true;
  const rip = Number(expected.registers.get("rip") ?? 0n);
  if (text.startsWith("eb")) return false;
  let byte = -1;
  for (const { address, bytes } of [...memory, ...expected.memory])
    if (rip >= address && rip < address + bytes.length) byte = bytes[rip - address] ?? -1;
  return byte === 0xf4;
}

/** 80-bit floats of one sign in order, as integers. */
function ordinal(value: bigint): bigint {
  const magnitude = value & ((1n << 79n) - 1n);
  return value >> 79n === 0n ? magnitude : -magnitude;
}

const buffer = new DataView(new ArrayBuffer(4));
function single(bits: bigint): number {
  buffer.setUint32(0, Number(bits & 0xffff_ffffn));
  return buffer.getFloat32(0);
}

function close(got: number, wanted: number): boolean {
  if (Object.is(got, wanted) || got === wanted || (Number.isNaN(got) && Number.isNaN(wanted))) return true;
  return Math.abs(got - wanted) <= Math.abs(wanted) * RECIPROCAL;
}
