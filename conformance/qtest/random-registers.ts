/**
 * Nonsense for every device of a PC: random accesses to its registers, configuration space and interrupt inputs, and steps of time between them.
 *
 *   pnpm qtest-random [--ops N] [--seed N] [--devices isa-pit,edu,...]
 *
 * N operations for each device (default 1,000,000). A device fails when an access throws or gives no number, when fifty of them take longer
 * than a second of the processor, or when the machine's state cannot be saved and loaded afterwards. Exit status 1 when one does.
 */
import { type Device, hooksOf, type MemoryRegion } from "@mimus/machine-core";
import type { System } from "@mimus/system";
import { Seeded } from "@mimus/testkit";
import { commandLine } from "../lib/command-line.ts";
import { nodeHost } from "../tools/host.ts";
import { buildMachine } from "./machine.ts";

const { values: o } = commandLine(import.meta.filename, {
  options: {
    ops: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    devices: { type: "string" },
    args: { type: "string", default: "" },
  },
});

/** Devices that a PC has only when the user adds them. */
const EXTRA = "edu pvpanic pvpanic-pci ib700 i6300esb isa-debugcon,chardev=c3 isa-debug-exit pci-bridge,chassis_nr=1 isa-serial,chardev=c0 isa-parallel,chardev=c1 pci-serial,chardev=c2 ide-hd,drive=n1 ide-cd,drive=n2 floppy,drive=n3 piix4-ide virtio-rng-pci virtio-rng-pci-transitional virtio-rng-pci-non-transitional virtio-balloon-pci virtio-blk-pci,drive=n0 virtio-net-pci virtio-serial-pci virtio-scsi-pci virtio-keyboard-pci virtio-mouse-pci virtio-tablet-pci VGA bochs-display"; // prettier-ignore
/** What those stand on: disks that read as zeroes, and lines that nobody reads. */
const BACKENDS =
  [0, 1, 2, 3].map((n) => `-blockdev driver=null-co,node-name=n${n},size=${n === 3 ? 1474560 : 1 << 30}`).join(" ") +
  [0, 1, 2, 3].map((n) => ` -chardev null,id=c${n}`).join("");
const SIZES = [1, 2, 4] as const;
const LIMIT_MS = 1000;
/** Operations between two looks at where the device's registers are. */
const EVERY = 500;
/** Longest step of time, ns. */
const STEP = 2e8;

interface Place {
  readonly io: boolean;
  readonly base: number;
  readonly size: number;
}

/** Where a device's registers are now. */
function places(system: System, device: Device): Place[] {
  const { machine } = system;
  const own = new Set<MemoryRegion>();
  const add = (region: MemoryRegion): void => {
    own.add(region);
    if (region.target !== undefined) own.add(region.target);
    for (const child of region.children) add(child.region);
  };
  for (const region of device.regions) add(region);
  const of = (io: boolean): Place[] =>
    ((io ? machine.io : machine.system)?.flat ?? [])
      .filter((r) => own.has(r.region))
      .map((r) => ({ io, base: r.base, size: r.end - r.base }));
  return [...of(true), ...of(false)];
}

/** Configuration space as the device's bus finds it. */
interface Function {
  readonly config: {
    read(at: number, size: number): number;
    write(at: number, size: number, value: number): void;
  };
}

function functionOf(device: Device): Function | undefined {
  const bus = hooksOf(device.parentBus) as {
    functions?: Map<number, Function>;
    devfnOf?(path: string): number;
  };
  return bus.devfnOf === undefined ? undefined : bus.functions?.get(bus.devfnOf(device.path));
}

/** Gives every BAR an address, as firmware does. */
function programBars(devices: readonly Device[]): void {
  let memory = devices.length > 1 ? 0xd000_0000 : 0xe000_0000;
  let io = devices.length > 1 ? 0xc000 : 0xe000;
  for (const device of devices) {
    const config = functionOf(device)?.config;
    if (config === undefined || (config.read(0x0e, 1) & 0x7f) !== 0) continue;
    for (let at = 0x10; at < 0x28; at += 4) {
      config.write(at, 4, 0xffff_ffff);
      const mask = config.read(at, 4);
      if (mask === 0) continue;
      const isIo = (mask & 1) !== 0;
      const size = (~(mask & (isIo ? ~3 : ~15)) + 1) >>> 0;
      if (isIo) {
        const step = Math.max(4, size & 0xffff);
        io = Math.ceil(io / step) * step;
        config.write(at, 4, io);
        io += step;
      } else {
        memory = Math.ceil(memory / size) * size;
        config.write(at, 4, memory);
        memory += size;
        if ((mask & 6) === 4) config.write((at += 4), 4, 0);
      }
    }
    config.write(4, 2, 7);
  }
}

function value(random: Seeded): number {
  switch (random.below(4)) {
    case 0:
      return random.below(256);
    case 1:
      return [0, 0xffff_ffff, 1, 0x8000_0000, 0x7fff_ffff, 0xff, 0x100, 0xfff][random.below(8)]!;
    case 2:
      return (1 << random.below(32)) >>> 0;
    default:
      return random.next();
  }
}

/** Does one thing to the device. @returns what, for messages */
function operation(
  system: System,
  device: Device,
  where: readonly Place[],
  random: Seeded,
  now: { ns: number },
): string {
  const { machine } = system;
  const kind = random.below(20);
  if (kind === 0) {
    now.ns += random.below(STEP);
    machine.clocks.run();
    return "time";
  }
  if (kind === 1 && device.inputs.size > 0) {
    const inputs = [...device.inputs];
    const [name, lines] = inputs[random.below(inputs.length)]!;
    const n = random.below(lines.count);
    lines.handler(n, random.below(2) === 1);
    return `input ${name}[${n}]`;
  }
  const config = kind < 4 ? functionOf(device)?.config : undefined;
  const size = SIZES[random.below(3)]!;
  if (config !== undefined) {
    const at = random.below(256) & ~(size - 1);
    if (random.below(2) === 0) check(config.read(at, size), size);
    else config.write(at, size, value(random) % 2 ** (8 * size));
    return `config 0x${at.toString(16)} size ${size}`;
  }
  const place = where[random.below(where.length)];
  if (place === undefined) return "nothing";
  const at = place.base + random.below(Math.min(place.size, 2 ** 31));
  const space = place.io ? machine.io! : machine.system;
  if (random.below(2) === 0) check(space.read(at, size), size);
  else space.write(at, size, value(random));
  return `${place.io ? "port" : "memory"} 0x${at.toString(16)} size ${size}`;
}

function check(got: number, size: number): void {
  if (!Number.isInteger(got) || got < 0 || got >= 2 ** (8 * size)) throw new RangeError(`a read gave ${got}`);
}

async function build(now: { ns: number }): Promise<System> {
  const known = new Set<string>();
  for (;;) {
    const extra = EXTRA.split(" ").filter((d) => !known.has(d));
    const args = [`-M pc -m 16 -vga none ${BACKENDS}`, ...extra.map((d) => `-device ${d}`), o.args];
    try {
      return await buildMachine("x86_64", args.join(" "), {
        ...nodeHost(),
        now: () => now.ns,
        wallNow: () => 1.7e18 + now.ns,
      });
    } catch (error) {
      // A device that is not installed is left out.
      const missing = /device (\S+)/.exec(String(error))?.[1];
      const found = extra.find((d) => d.split(",")[0] === missing);
      if (found === undefined) throw error;
      known.add(found);
    }
  }
}

let failed = 0;
const now = { ns: 0 };
const probe = await build(now);
const wanted = o.devices?.split(",");
const types = [...new Set(probe.machine.devices().map((d) => d.type.name))]
  .filter((name) => wanted?.includes(name) ?? true)
  .filter((name) => !probe.machine.cpus.some((cpu) => cpu.type.name === name));
for (const type of types) {
  const system = await build(now);
  system.machine.reset();
  system.machine.clocks.start();
  const all = system.machine.devices();
  const devices = all.filter((d) => d.type.name === type);
  const [first] = devices;
  if (first !== undefined && places(system, first).length === 0 && functionOf(first) === undefined) {
    const known = first.inputs.size > 0 ? "its inputs alone are driven" : "it is reached through another device";
    console.log(`${type}: no registers of its own; ${known}`);
    if (first.inputs.size === 0) continue;
  }
  const random = new Seeded(Number(o.seed));
  const start = performance.now();
  const last: string[] = [];
  const cpuMs = (): number => {
    const { user, system: kernel } = process.cpuUsage();
    return (user + kernel) / 1000;
  };
  let slowest = 0;
  try {
    let found = 0;
    for (let n = 0; n < Number(o.ops); n += EVERY) {
      const device = devices[(n / EVERY) % devices.length]!;
      if (n % (EVERY * 40) === 0) {
        system.machine.reset();
        programBars(all);
      } else if (functionOf(device) !== undefined) programBars([device]);
      for (let i = 0; i < EVERY;) {
        // What the guest did may have moved the registers.
        const where = places(system, device);
        found = Math.max(found, where.length);
        const before = cpuMs();
        for (const end = i + 50; i < end; i++) {
          last.push(operation(system, device, where, random, now));
          if (last.length > 6) last.shift();
        }
        slowest = Math.max(slowest, cpuMs() - before);
      }
    }
    if (slowest > LIMIT_MS) throw new Error(`50 operations took ${slowest.toFixed(0)} ms`);
    const state = system.machine.saveState({ ram: false });
    system.machine.loadState(state);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${type}: ${o.ops} operations, ${found} places, ${seconds} s`);
  } catch (error) {
    failed++;
    console.log(
      `FAIL ${type}: ${error instanceof Error ? (error.stack ?? "") : String(error)}\n  last: ${last.join("; ")}`,
    );
  }
}
process.exit(failed > 0 ? 1 : 0);
