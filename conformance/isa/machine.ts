/** A bare hart with RAM and nothing else, for running programs without a board. */
import { createTarget, Hart, MODELS, OFF, type Extensions, type HartConfig } from "@mimus/target-riscv";
import { ENV, TcgMachine, type BackEnd, type TcgOptions, type Vcpu } from "@mimus/tcg";
import { FlatMemory } from "@mimus/testkit";

/** Options of {@link BareMachine}. */
export interface BareOptions {
  readonly xlen: 32 | 64;
  readonly backend: BackEnd;
  readonly base: number;
  readonly size: number;
  /** More settings of the engine. */
  readonly tcg?: TcgOptions;
}

/** Every extension there is. */
function fullHart(xlen: 32 | 64): HartConfig {
  const model = MODELS.find((m) => m.name === `rv${xlen}`);
  if (!model) throw new Error(`no CPU model rv${xlen}`);
  const names = ["m", "a", "f", "d", "c", "s", "u", "zicsr", "zifencei", "zihintpause", "zba", "zbb", "zbc", "zbs"];
  const more = ["zicbom", "zicboz", "zicbop", "sstc", "svinval", "zawrs"];
  const ext = Object.fromEntries([["e", false], ...[...names, ...more].map((n) => [n, true])]) as unknown as Extensions;
  return {
    xlen,
    hartid: 0,
    ext,
    paging: xlen === 64 ? "sv57" : "sv32",
    pmp: true,
    debug: true,
    pmuCounters: 16,
    priv: 12,
    mvendorid: 0,
    marchid: [0, 0],
    mimpid: [0, 0],
    resetVector: [0x1000, 0],
    cbomBlock: 64,
    cbozBlock: 64,
  };
}

export class BareMachine {
  readonly hart: Hart;
  readonly vcpu: Vcpu;
  readonly ram: Uint8Array;
  readonly engine: TcgMachine;
  readonly #base: number;

  constructor({ xlen, backend, base, size, tcg }: BareOptions) {
    const room = 16 << 20;
    const code = 32 << 20;
    const memory = new FlatMemory(size + code + room);
    this.ram = memory.addRam(base, size);
    this.#base = base;
    const config = fullHart(xlen);
    let hart: Hart | undefined;
    this.engine = new TcgMachine({
      memory: memory.memory,
      alloc: memory.alloc,
      target: createTarget(config),
      physical: memory,
      options: { backend, tbSize: code, ...tcg },
    });
    this.vcpu = this.engine.createCpu((env, engine) => (hart = new Hart(engine, env, 0, config)));
    if (!hart) throw new Error("no hart");
    this.hart = hart;
  }

  /** Copy an image to the start of RAM and forget what was translated. */
  load(image: Uint8Array): void {
    this.ram.set(image);
    this.engine.flushCode();
  }

  /** Set the program counter and the privilege level; floating point is on, traps go to `handler` in M-mode. */
  start(pc: number, handler: number, priv = 3): void {
    const { hart } = this;
    hart.reset();
    hart.set(OFF.pc, pc | 0, 0);
    hart.set(OFF.mtvec, handler | 0, 0);
    hart.setLo(OFF.mstatus, hart.lo(OFF.mstatus) | 0x6000);
    // One PMP region that allows everything to every mode.
    hart.csrs.write(0x3b0, (1n << 54n) - 1n);
    hart.csrs.write(0x3a0, 0x1fn);
    hart.setPriv(priv);
    hart.stateReplaced();
  }

  /** Waits for an interrupt. */
  get halted(): boolean {
    return this.engine.i32[(this.hart.env + ENV.halted) >> 2] !== 0;
  }

  /** Address of the start of RAM. */
  get base(): number {
    return this.#base;
  }
}
