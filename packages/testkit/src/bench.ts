import {
  ClockSet,
  defineMachine,
  type Device,
  Log,
  type LogRecord,
  Machine,
  MachineMemory,
  type MachineType,
  MemoryRegion,
} from "@mimus/machine-core";
import { type Plugin, Registry, type TypeSpec } from "@mimus/qom";
import { Seeded } from "./random.ts";

/** Where a test machine has its RAM. */
export const BENCH_RAM: number = 0x8000_0000;

/** An empty machine with a port space. */
const benchMachine: MachineType = defineMachine({
  name: "bench",
  summary: "empty machine for tests",
  defaultCpu: "",
  defaultRam: 0,
  maxCpus: 1,
  targets: [],
  ioPorts: true,
  init() {},
});

/** What a test machine is made from. */
export interface BenchOptions {
  /** Plugins whose types are there. */
  readonly plugins?: readonly Plugin[];
  /** Further types. */
  readonly types?: readonly TypeSpec[];
  /** Bytes of RAM at `BENCH_RAM`; default 1 MiB. */
  readonly ramSize?: number;
  /** Machine type; default: an empty one with memory and port space. */
  readonly machine?: string;
}

/** A machine without CPUs to try devices in: RAM, a clock that the test moves, deterministic random bytes. */
export class Bench {
  /** The types of `plugins` and `types`. */
  readonly registry: Registry = new Registry();
  /** What devices are realized in. */
  readonly machine: Machine;
  /** What the log was told, every level but trace. */
  readonly log: LogRecord[] = [];
  /** Host time in nanoseconds; see `advance`. */
  nowNs = 0;
  #next = 0x1000_0000;

  constructor(options: BenchOptions = {}) {
    for (const plugin of options.plugins ?? []) this.registry.use(plugin);
    for (const type of [benchMachine, ...(options.types ?? [])]) this.registry.register(type, "the test");
    const ramSize = options.ramSize ?? 0x10_0000;
    const random = new Seeded(0x6d696d75);
    this.machine = new Machine({
      registry: this.registry,
      memory: new MachineMemory(new ArrayBuffer(ramSize + 0x40_0000)),
      clocks: new ClockSet(() => this.nowNs),
      log: new Log((record) => this.log.push(record), {
        levels: ["guest-error", "unimplemented", "unassigned", "warning", "info"],
        limit: 100,
      }),
      random: (bytes) => random.fill(bytes),
      type: options.machine ?? benchMachine.name,
    });
    this.machine.build();
    const ram = this.machine.memory.ram("bench.ram", ramSize);
    this.machine.system.root.add(BENCH_RAM, MemoryRegion.ram("bench.ram", ram));
  }

  /** Creates and realizes a device, and maps its regions one after the other from 0x10000000 on. */
  device(
    type: string,
    props: Readonly<Record<string, unknown>> = {},
    place: { id?: string; bus?: string; map?: boolean } = {},
  ): Device {
    const { map = true, ...where } = place;
    const device = this.machine.createDevice(type, props, { ...where, realize: true });
    if (map) this.map(device);
    return device;
  }

  /** Maps the regions of `device` that have no place yet. */
  map(device: Device): void {
    for (const region of device.regions) {
      if (region.parent !== undefined) continue;
      const step = Math.max(0x1000, 2 ** Math.ceil(Math.log2(Math.max(1, region.size))));
      this.#next = Math.ceil(this.#next / step) * step;
      this.machine.system.root.add(this.#next, region);
      this.#next += step;
    }
  }

  /** Address of region `n` of a mapped device. */
  base(device: Device, n = 0): number {
    return device.regions[n]?.offset ?? Number.NaN;
  }

  /** Moves time on and fires the timers that become due, in steps to each deadline. */
  advance(deltaNs: number): void {
    const end = this.nowNs + deltaNs;
    for (let steps = 0; steps < 10_000; steps++) {
      const wait = Math.max(0, this.machine.clocks.nextDeadline() - this.machine.clocks.virtual.now());
      if (!(this.nowNs + wait <= end)) break;
      this.nowNs += wait;
      this.machine.clocks.run();
    }
    this.nowNs = end;
    this.machine.clocks.run();
  }
}
