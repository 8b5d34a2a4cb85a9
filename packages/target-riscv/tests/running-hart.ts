/** A hart on 1 MiB of RAM at 0x80000000 that runs assembly source, for tests of instructions. */
import { TcgMachine, type BackEnd, type Vcpu } from "@mimus/tcg";
import { FlatMemory } from "@mimus/testkit";
import { assemble } from "../src/asm/index.ts";
import { Hart } from "../src/hart.ts";
import { hartConfig, MODELS } from "../src/models.ts";
import { commonProps, extensionProps } from "../src/props.ts";
import { FLAGS, FS, fOffset, MSTATUS_FS, OFF, xOffset, type Xlen } from "../src/state.ts";
import { createTarget } from "../src/target.ts";

export const RAM = 0x8000_0000;
/** Traps go here in M-mode; a WFI stands there. */
export const HANDLER = RAM + 0xf000;
/** A page for data. */
export const DATA = RAM + 0x8000;
const SIZE = 1 << 20;

/** The exception that ended a run. */
export interface Trap {
  readonly cause: number;
  readonly epc: bigint;
  readonly tval: bigint;
}

export interface RunOptions {
  readonly xlen?: Xlen;
  readonly backend?: BackEnd;
  /** CPU properties, for instance `{ c: false }`. */
  readonly props?: Record<string, unknown>;
  readonly priv?: 0 | 1 | 3;
  readonly fs?: number;
}

export class RunningHart {
  readonly hart: Hart;
  readonly vcpu: Vcpu;
  readonly ram: DataView;
  readonly xlen: Xlen;

  constructor({ xlen = 64, backend = "interp", props = {}, priv = 3, fs = FS.INITIAL }: RunOptions = {}) {
    this.xlen = xlen;
    const memory = new FlatMemory(SIZE + (8 << 20));
    const ram = memory.addRam(RAM, SIZE);
    this.ram = new DataView(ram.buffer, ram.byteOffset, SIZE);
    const model = MODELS.find((m) => m.name === `rv${xlen}`);
    if (!model) throw new Error(`no model rv${xlen}`);
    const config = {
      ...hartConfig(model, commonProps.extend(extensionProps.shape).parse(props), 0),
      inlineTraps: true,
    };
    const machine = new TcgMachine({
      memory: memory.memory,
      alloc: memory.alloc,
      target: createTarget(config),
      physical: memory,
      options: { backend, tbSize: 1 << 20 },
    });
    let hart: Hart | undefined;
    this.vcpu = machine.createCpu((env, engine) => (hart = new Hart(engine, env, 0, config)));
    if (!hart) throw new Error("no hart");
    this.hart = hart;
    this.hart.set(OFF.mtvec, HANDLER | 0, 0);
    this.ram.setUint32(HANDLER - RAM, 0x10500073, true);
    this.hart.csrs.write(0x3b0, (1n << 54n) - 1n);
    this.hart.csrs.write(0x3a0, 0x1fn);
    this.hart.setLo(OFF.mstatus, (this.hart.lo(OFF.mstatus) & ~MSTATUS_FS) | (fs << 13));
    this.hart.setPriv(priv);
    this.hart.stateReplaced();
  }

  /** Assembles to the start of RAM and runs until a trap. @throws when there is none within the budget. */
  run(source: string, budget = 10_000): Trap {
    const { bytes } = assemble(source, { xlen: this.xlen, origin: BigInt(RAM), symbols: { DATA: BigInt(DATA) } });
    bytes.forEach((b, i) => this.ram.setUint8(i, b));
    return this.runAt(RAM, budget);
  }
  runAt(pc: number, budget = 10_000): Trap {
    this.hart.set(OFF.pc, pc | 0, 0);
    const reason = this.vcpu.run(budget);
    const at = BigInt.asUintN(32, this.hart.bits64(OFF.pc));
    if (at < BigInt(HANDLER) || at > BigInt(HANDLER + 4)) throw new Error(`no trap: ${reason} at ${at.toString(16)}`);
    return { cause: Number(this.csr(0x342)), epc: this.csr(0x341), tval: this.csr(0x343) };
  }

  csr(number: number): bigint {
    return this.hart.csrs.read(number);
  }
  x(n: number): bigint {
    return BigInt.asUintN(this.xlen, this.hart.bits64(xOffset(n)));
  }
  setX(n: number, value: bigint): void {
    this.hart.set(xOffset(n), Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }
  f(n: number): bigint {
    return BigInt.asUintN(64, this.hart.bits64(fOffset(n)));
  }
  setF(n: number, value: bigint): void {
    this.hart.set(fOffset(n), Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }
  /** mstatus.FS, and what the translation flags say of it. */
  get fs(): [number, number] {
    return [(this.hart.lo(OFF.mstatus) >> 13) & 3, (this.hart.lo(20) >> FLAGS.fsShift) & 3];
  }
}
