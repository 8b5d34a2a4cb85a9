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

const PAGE = 65536;
/** Bytes of RAM. */
export const TARGET_RAM = 65536;

declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

/** How a {@link TargetBench} is made. */
export interface TargetBenchOptions {
  readonly target: Target;
  readonly cpu: (env: number, engine: Engine) => TargetCpu;
  readonly backend: BackEnd;
  /** Physical address of the RAM. */
  readonly base: number;
}

/** A vCPU whose globals are read and written by name. */
export class TargetBench {
  readonly ram: Uint8Array;
  readonly vcpu: Vcpu;
  readonly engine: TcgMachine;
  readonly #view: DataView;
  readonly #globals: ReadonlyMap<string, EnvField>;

  constructor({ target, cpu, backend, base }: TargetBenchOptions) {
    const pages = TARGET_RAM / PAGE + 80;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    let next = PAGE;
    const alloc = (name: string, size: number): number => {
      const at = next;
      next += Math.ceil(size / PAGE) * PAGE;
      if (next > pages * PAGE) throw new Error(`no room for ${name} (${size} bytes) in the test's memory`);
      return at;
    };
    const ramOffset = alloc("ram", TARGET_RAM);
    this.ram = new Uint8Array(memory.buffer, ramOffset, TARGET_RAM);
    this.#view = new DataView(memory.buffer);
    this.#globals = new Map(target.globals.map((g) => [g.name, g]));
    const range = { base, size: TARGET_RAM, ramOffset, readonly: false };
    const { ram } = this;
    const inRam = (address: number, size: number): boolean => address >= base && address + size <= base + TARGET_RAM;
    const physical = {
      lastFault: false,
      lookup: (address: number) => (inRam(address, 1) ? range : undefined),
      // RAM is accessed directly; what comes here is for nobody, or a page walk's update.
      read: (address: number, size: number): number => {
        physical.lastFault = !inRam(address, size);
        let value = 0;
        for (let i = size - 1; i >= 0 && !physical.lastFault; i--) value = value * 256 + ram[address - base + i]!;
        return value;
      },
      write: (address: number, size: number, value: number): void => {
        physical.lastFault = !inRam(address, size);
        for (let i = 0; i < size && !physical.lastFault; i++) ram[address - base + i] = value >>> (8 * i);
      },
      readWide: (address: number, out: Uint32Array): void => {
        out[0] = physical.read(address, 4);
        out[1] = physical.read(address + 4, 4);
      },
      writeWide: (address: number, lo: number, hi: number): void => {
        physical.write(address, 4, lo);
        physical.write(address + 4, 4, hi);
      },
      watchCode: () => {},
      onCodeWrite: () => {},
      onChange: () => {},
    };
    this.engine = new TcgMachine({
      memory,
      alloc,
      target,
      physical,
      options: { backend, exact: true, tbSize: 1 << 20 },
    });
    this.vcpu = this.engine.createCpu(cpu);
  }

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
