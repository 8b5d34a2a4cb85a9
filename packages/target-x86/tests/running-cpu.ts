/** A CPU on flat memory without page tables and devices, for tests of instructions: exceptions are recorded, not delivered. */
import { ENV, TcgMachine, type Access, type BackEnd, type TcgOptions, type Translation, type Vcpu } from "@mimus/tcg";
import { FlatMemory } from "@mimus/testkit";
import type { X86Config } from "../src/config.ts";
import { X86Cpu } from "../src/cpu.ts";
import { OFF, regOffset, SEG, SEG_FIELD, segOffset } from "../src/state.ts";
import { createTarget } from "../src/target.ts";

/** Memory at `base`; elsewhere is nothing: #PF. */
export interface RunOptions {
  readonly mode: 16 | 32 | 64;
  readonly word?: 32 | 64;
  readonly cpl?: 0 | 3;
  readonly base?: number;
  readonly size?: number;
  readonly backend?: BackEnd;
  readonly options?: Partial<TcgOptions>;
  readonly features?: ReadonlySet<string>;
  /** Memory that threads share: LOCK and fences are the host's. */
  readonly shared?: boolean;
}

/** Every feature: rows are not refused. */
const ALL: ReadonlySet<string> = new (class extends Set<string> {
  override has(): boolean {
    return true;
  }
})();

class RecordingCpu extends X86Cpu {
  base0 = 0;
  end = 0;
  /** Vector of the exception that ended the run, -1 none; its error code; CR2. */
  vector = -1;
  code = -1;
  faultAddress = 0n;

  override translate(lo: number, hi: number, access: Access, _mmu: number, _size: number, out: Translation): boolean {
    const address = lo >>> 0;
    if (hi === 0 && address >= this.base0 && address < this.end) {
      out.physical = address;
      out.prot = 7;
      out.pageBits = 12;
      return true;
    }
    const canonical = hi >> 15 === 0 || hi >> 15 === -1;
    this.faultAddress = (BigInt(hi >>> 0) << 32n) | BigInt(address);
    if (canonical) this.raise(14, access === 1 ? 6 : access === 2 ? 20 : 4);
    else this.raise(13, 0);
    return false;
  }
  override deliver(exception: number): void {
    this.vector = exception;
    this.code = this.lo(OFF.errorCode);
    this.setLo(ENV.halted, 1);
  }
}

/** See {@link RunOptions}. */
export class RunningCpu {
  readonly cpu: RecordingCpu;
  readonly vcpu: Vcpu;
  readonly machine: TcgMachine;
  readonly ram: Uint8Array;
  readonly base: number;
  readonly #memory: FlatMemory;

  constructor({
    mode,
    word = mode === 64 ? 64 : 32,
    cpl = 0,
    base = 0,
    size = 1 << 20,
    backend = "interp",
    options = {},
    features = ALL,
    shared = false,
  }: RunOptions) {
    this.#memory = new FlatMemory(size + (24 << 20), { shared });
    this.base = base;
    this.ram = this.#memory.addRam(base, size);
    const config: X86Config = {
      word,
      features,
      apicId: 0,
      bootstrap: true,
      physBits: 40,
      intel: false,
      topology: { threads: 1, cores: 1, alone: true },
      microcode: [0, 0],
      cpuid: () => [0, 0, 0, 0],
    };
    const machine = new TcgMachine({
      memory: this.#memory.memory,
      alloc: this.#memory.alloc,
      target: createTarget(config),
      physical: this.#memory,
      options: { backend, exact: true, tbSize: 4 << 20, ...options },
    });
    let cpu: RecordingCpu | undefined;
    this.machine = machine;
    this.vcpu = machine.createCpu((env, engine) => (cpu = new RecordingCpu(engine, env, 0, config)));
    this.cpu = cpu!;
    this.cpu.base0 = base;
    this.cpu.end = base + size;
    this.#enter(mode, cpl);
  }

  /** Flat segments of a mode; real mode: 16-bit segments at 0. */
  #enter(mode: 16 | 32 | 64, cpl: 0 | 3): void {
    const { cpu } = this;
    cpu.setLo(OFF.cpl, cpl);
    for (let n = 0; n < 6; n++) {
      const at = segOffset(n);
      const code = n === SEG.cs;
      const big = mode === 64 ? (code ? 0xa00000 : 0xc00000) : mode === 32 ? 0xc00000 : 0;
      cpu.setLo(at + SEG_FIELD.selector, mode === 16 ? 0 : 8 + n * 8 + cpl);
      cpu.setLo(at + SEG_FIELD.limit, mode === 16 ? 0xffff : -1);
      cpu.setLo(at + SEG_FIELD.attr, 0x8000 | 0x1000 | (cpl << 13) | (code ? 0xb00 : 0x300) | big);
      cpu.set(at + SEG_FIELD.base, 0, 0);
    }
    if (mode !== 16) cpu.setLo(OFF.cr0, 1);
    if (mode === 64) cpu.setLo(OFF.efer, 0x500);
    cpu.setLo(OFF.cr4, 0x600);
    cpu.updateFlags();
  }

  poke(address: number, bytes: ArrayLike<number>): void {
    this.#memory.poke(address, bytes);
  }
  reg(n: number): bigint {
    return this.cpu.reg(n);
  }
  setReg(n: number, v: bigint): void {
    this.cpu.set(regOffset(n), Number(BigInt.asIntN(32, v)), Number(BigInt.asIntN(32, v >> 32n)));
  }
  get pc(): bigint {
    return this.cpu.bits64(OFF.pc);
  }
  set pc(v: bigint) {
    this.cpu.set(OFF.pc, Number(BigInt.asIntN(32, v)), Number(BigInt.asIntN(32, v >> 32n)));
  }
  /** Runs `budget` instructions, or to an exception. @returns its vector, -1 none */
  run(budget: number): number {
    const { cpu } = this;
    cpu.vector = -1;
    cpu.setLo(ENV.halted, 0);
    this.vcpu.run(budget);
    return cpu.vector;
  }
}
