import { fprOffset, OFF, xmmOffset, ymmhOffset } from "@mimus/target-x86";
import { ENV } from "@mimus/tcg";
import type { BackEnd } from "@mimus/tcg";
import { FlatX86 } from "../../vectors/adapters/x86-machine.ts";
import { CASE } from "./native.ts";

const RAM = 0x100000;
const CODE = RAM + 0x1000;
const DATA = RAM + 0x8000;
/** RDI. */
const POINTER = 7;
/** Exceptions by signal: SIGILL, SIGBUS, SIGFPE, SIGSEGV. */
export const EXCEPTIONS: Readonly<Record<number, readonly number[]>> = { 4: [6], 7: [17], 8: [19], 11: [13, 14] };

/** An emulated CPU that runs what run.c runs. */
export class Emulated {
  readonly #machine: FlatX86;

  constructor(backend: BackEnd) {
    this.#machine = new FlatX86(64, { backend, hotThreshold: 1 });
    this.#machine.ram.addRam(RAM, 0x10000);
    this.#machine.setMode("user64", [[RAM, 0x10000]]);
  }

  /** Puts an instruction into memory. */
  setCode(code: Uint8Array): void {
    this.#machine.ram.poke(CODE, code);
  }

  /** Runs the instruction on a case; `state` becomes the result, with the exception's vector instead of the signal. */
  run(state: Uint8Array): void {
    const machine = this.#machine;
    const { cpu, vcpu, ram } = machine;
    const { u8 } = cpu.engine;
    const { env } = cpu;
    const view = new DataView(state.buffer, state.byteOffset, state.length);
    for (let n = 0; n < 8; n++) {
      u8.set(state.subarray(32 * n, 32 * n + 16), env + xmmOffset(n));
      u8.set(state.subarray(32 * n + 16, 32 * n + 32), env + ymmhOffset(n));
      u8.set(state.subarray(CASE.mm + 8 * n, CASE.mm + 8 * n + 8), env + fprOffset(n));
      cpu.setLo(fprOffset(n) + 8, 0xffff);
    }
    for (let n = 0; n < 4; n++) machine.setRegister(n, view.getBigUint64(CASE.gpr + 8 * n, true));
    machine.setRegister(POINTER, BigInt(DATA));
    machine.setStatus(0);
    cpu.setLo(OFF.mxcsr, view.getUint32(CASE.mxcsr, true));
    machine.setFlags(view.getUint32(CASE.flags, true) | 0x200);
    ram.poke(DATA, state.subarray(CASE.memory));
    machine.setPc(BigInt(CODE));
    cpu.exception = -1;
    cpu.setLo(ENV.halted, 0);
    vcpu.step();
    for (let n = 0; n < 8; n++) {
      state.set(u8.subarray(env + xmmOffset(n), env + xmmOffset(n) + 16), 32 * n);
      state.set(u8.subarray(env + ymmhOffset(n), env + ymmhOffset(n) + 16), 32 * n + 16);
      state.set(u8.subarray(env + fprOffset(n), env + fprOffset(n) + 8), CASE.mm + 8 * n);
    }
    for (let n = 0; n < 4; n++) view.setBigUint64(CASE.gpr + 8 * n, machine.getRegister(n), true);
    view.setUint32(CASE.mxcsr, cpu.lo(OFF.mxcsr), true);
    view.setUint32(CASE.flags, cpu.eflags, true);
    view.setUint32(CASE.signal, cpu.exception + 1, true);
    state.set(ram.view(DATA, CASE.memoryBytes), CASE.memory);
  }
}
