import type { Device, Machine } from "@mimus/machine-core";
import type { System } from "../system.ts";
import type { QtestPort } from "./port.ts";

const MAX = Number.MAX_SAFE_INTEGER;
/** Deadlines that one clock step passes at most. */
const MAX_STEPS = 100_000;

/** The test protocol's view of an assembled machine. Guest time moves only when the client steps it. */
export function qtestPort(system: System): QtestPort {
  const { machine } = system;
  return {
    bigEndian: system.engine?.target.bigEndian ?? false,
    read(address, size, out) {
      out[0] = out[1] = 0;
      if (address > MAX) return;
      if (size === 8) machine.system.readWide(address, out);
      else out[0] = machine.system.read(address, size);
    },
    write(address, size, lo, hi) {
      if (address > MAX) return;
      if (size === 8) machine.system.writeWide(address, lo, hi);
      else machine.system.write(address, size, lo);
    },
    readBytes: (address, into) => void (address <= MAX && machine.system.readBytes(address, into)),
    writeBytes: (address, from) => void (address <= MAX && machine.system.writeBytes(address, from)),
    readPort: (port, size) => {
      const value = machine.io?.read(port, size);
      // Nobody drives the lines of the bus.
      return value === undefined || machine.io?.lastFault === true ? 2 ** (8 * size) - 1 : value;
    },
    writePort: (port, size, value) => machine.io?.write(port, size, value),
    clockStep: (ns) =>
      stepTo(machine, ns === undefined ? machine.clocks.virtual.timers.next : machine.clocks.virtual.now() + ns),
    clockSet: (ns) => stepTo(machine, ns),
    intercept: (path, inputs, changed) => intercept(machine, path, inputs, changed),
    setIrqIn(path, name, line, level) {
      const device = find(machine, path);
      if (device === undefined) return "Unknown device";
      const input = device.inputs.get(inputName(device, name));
      if (input === undefined || line >= input.count) return `Unknown input line '${name}[${line}]'`;
      input.handler(line, level);
      return undefined;
    },
  };
}

/** Moves guest time to `target`, stopping at each deadline on the way; a deadline that always moves ends after a bounded number. */
function stepTo(machine: Machine, target: number): number {
  const { virtual } = machine.clocks;
  if (target === Infinity) return virtual.now();
  for (let rounds = 0; rounds < MAX_STEPS; rounds++) {
    const next = virtual.timers.next;
    const now = virtual.now();
    const to = Math.min(Math.max(next, now), target);
    if (to > now) virtual.advance(to - now);
    machine.clocks.run();
    if (next > target) break;
  }
  return virtual.now();
}

function find(machine: Machine, path: string): Device | undefined {
  return machine.findDevice(path) ?? machine.devices().find((d) => d.path === path);
}

/** QEMU calls lines without a name `unnamed-gpio-in`: the device's first ones. */
function inputName(device: Device, name: string): string {
  if (device.inputs.has(name) || name !== "unnamed-gpio-in") return name;
  return device.inputs.keys().next().value ?? name;
}

function intercept(
  machine: Machine,
  path: string,
  inputs: boolean,
  changed: (line: number, level: boolean) => void,
): string | undefined {
  const device = find(machine, path);
  if (device === undefined) return "Unknown device";
  if (inputs) {
    for (const lines of device.inputs.values()) {
      const forward = lines.handler;
      const levels: boolean[] = [];
      // The sinks that were handed out look the handler up at each call.
      (lines as { handler: (n: number, level: boolean) => void }).handler = (n, level) => {
        forward(n, level);
        if (levels[n] !== level && (level || levels[n] !== undefined)) changed(n, level);
        levels[n] = level;
      };
    }
    return undefined;
  }
  let line = 0;
  for (const group of device.outputs.values()) {
    for (const output of group) {
      const n = line++;
      output.tap((level) => changed(n, level));
    }
  }
  return undefined;
}
