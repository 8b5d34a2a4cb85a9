/** One vCPU on RAM and nothing else: what an instruction set needs to be tried. */
import {
  type BackEnd,
  ENV,
  type EnvField,
  type Engine,
  type Target,
  type TargetCpu,
  TcgMachine,
  type Vcpu,
} from "@mimus/tcg";
import { FlatMemory } from "./flat-memory.ts";

/** Bytes of RAM. */
export const TARGET_RAM = 65536;
/** Bytes of machine memory besides: translated code, and what an engine keeps for a vCPU. */
const ENGINE_BYTES: number = 5 << 20;

/** How a {@link TargetBench} is made. */
export interface TargetBenchOptions {
  /** Under test. */
  readonly target: Target;
  /** Makes the CPU whose state block is at `env`. */
  readonly cpu: (env: number, engine: Engine) => TargetCpu;
  /** What runs the translated code. */
  readonly backend: BackEnd;
  /** Physical address of the RAM. */
  readonly base: number;
}

/** A vCPU whose globals are read and written by name. */
export class TargetBench {
  /** Bytes at `base`. */
  readonly ram: Uint8Array;
  /** What runs. */
  readonly vcpu: Vcpu;
  /** What it runs in. */
  readonly engine: TcgMachine;
  readonly #view: DataView;
  readonly #globals: ReadonlyMap<string, EnvField>;

  constructor({ target, cpu, backend, base }: TargetBenchOptions) {
    const memory = new FlatMemory(TARGET_RAM + ENGINE_BYTES);
    this.ram = memory.addRam(base, TARGET_RAM);
    this.#view = new DataView(memory.memory.buffer);
    this.#globals = new Map(target.globals.map((g) => [g.name, g]));
    this.engine = new TcgMachine({
      memory: memory.memory,
      alloc: memory.alloc,
      target,
      physical: memory,
      options: { backend, exact: true, tbSize: 1 << 20 },
    });
    this.vcpu = this.engine.createCpu(cpu);
  }

  /** The CPU as the target made it. */
  get cpu(): TargetCpu {
    return this.vcpu.cpu;
  }

  /** A global's bits, unsigned. @throws Error for a name that the target does not have */
  get(name: string): bigint {
    const { type, offset } = this.#field(name);
    const at = this.vcpu.env + offset;
    return type === "i32" || type === "f32"
      ? BigInt(this.#view.getUint32(at, true))
      : this.#view.getBigUint64(at, true);
  }

  /** Sets a global, as bits. */
  set(name: string, value: bigint): void {
    const { type, offset } = this.#field(name);
    const at = this.vcpu.env + offset;
    if (type === "i32" || type === "f32") this.#view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
    else this.#view.setBigUint64(at, BigInt.asUintN(64, value), true);
  }

  /** All globals, by name. */
  globals(): Record<string, bigint> {
    return Object.fromEntries([...this.#globals.keys()].map((name) => [name, this.get(name)]));
  }

  /** Whether the vCPU waits for an interrupt. */
  get halted(): boolean {
    return this.#view.getInt32(this.vcpu.env + ENV.halted, true) !== 0;
  }

  #field(name: string): EnvField {
    const field = this.#globals.get(name);
    if (field === undefined) throw new Error(`the target has no global '${name}'`);
    return field;
  }
}
