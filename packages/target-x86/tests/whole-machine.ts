/** A CPU with real exceptions on a few megabytes of RAM at 0, for tests of programs that set up modes themselves. */
import { TcgMachine, type BackEnd, type TcgOptions, type Vcpu } from "@mimus/tcg";
import { FlatMemory } from "@mimus/testkit";
import type { PortBus } from "../src/config.ts";
import { X86Cpu } from "../src/cpu.ts";
import { findModel, x86Config } from "../src/models/expand.ts";
import { cpuProps } from "../src/models/props.ts";
import { createTarget } from "../src/target.ts";

export interface WholeOptions {
  readonly model?: string;
  readonly props?: Record<string, unknown>;
  readonly word?: 32 | 64;
  readonly backend?: BackEnd;
  readonly options?: Partial<TcgOptions>;
  /** Bytes of RAM. */
  readonly size?: number;
  readonly ports?: PortBus;
}

/** See above. A program starts in real mode at CS:IP = 0:`start` unless {@link boot} is not called. */
export class WholeMachine {
  readonly cpu: X86Cpu;
  readonly vcpu: Vcpu;
  readonly machine: TcgMachine;
  readonly ram: Uint8Array;
  readonly view: DataView;
  /** What the program wrote to port E9h. */
  output = "";
  /** Times that the CPU gave up. */
  shutdowns = 0;

  constructor({
    model = "max",
    props = {},
    word = 64,
    backend = "interp",
    options = {},
    size = 4 << 20,
    ports,
  }: WholeOptions = {}) {
    const memory = new FlatMemory(size + (24 << 20));
    this.ram = memory.addRam(0, size);
    this.view = new DataView(this.ram.buffer, this.ram.byteOffset, size);
    const data = findModel(model);
    if (data === undefined) throw new Error(`no model ${model}`);
    const config = x86Config(data, cpuProps.parse({ check: false, ...props }), word, { index: 0, cpus: 1 }, () => {});
    this.machine = new TcgMachine({
      memory: memory.memory,
      alloc: memory.alloc,
      target: createTarget(config),
      physical: memory,
      options: { backend, tbSize: 4 << 20, ...options },
    });
    let cpu: X86Cpu | undefined;
    this.vcpu = this.machine.createCpu((env, engine) => (cpu = new X86Cpu(engine, env, 0, config)));
    this.cpu = cpu!;
    this.cpu.setPortBus(
      ports ?? {
        in: (_port, bytes) => (bytes === 4 ? 0xffff_ffff : bytes === 2 ? 0xffff : 0xff),
        out: (port, _bytes, value) => {
          if (port === 0xe9) this.output += String.fromCharCode(value & 0xff);
        },
      },
    );
    this.cpu.setSignals({ shutdown: () => void this.shutdowns++ });
  }

  /** Runs until HLT with nothing to wake it, or `most` instructions. @returns why it ended */
  run(most = 1_000_000): string {
    for (let done = 0; done < most;) {
      const before = this.vcpu.executed;
      const reason = this.vcpu.run(Math.min(most - done, 10000));
      if (reason !== "budget" && reason !== "kick") return reason;
      done += Math.max(1, this.vcpu.executed - before);
    }
    return "budget";
  }
}
