import type { Device, Machine } from "@mimus/machine-core";
import { describeProps, type Plugin, propsJsonSchema, type TypeSpec } from "@mimus/qom";
import { describe, expect, it } from "vitest";
import { Bench, type BenchOptions } from "./bench.ts";
import { hostileStates } from "./hostile.ts";
import { pokeRegisters } from "./poke.ts";

/** A part of the suite that a device may opt out of; say why beside it. */
export type DeviceCheck = "described" | "unrealize" | "reset" | "save" | "registers" | "hostile-state";

/** How to try a device. */
export interface TestDeviceOptions {
  /** Properties it is created with. */
  readonly props?: Readonly<Record<string, unknown>>;
  /** Plugins that it needs: its bus, the device that has the bus. */
  readonly plugins?: readonly Plugin[];
  /** Types that it needs. */
  readonly types?: readonly TypeSpec[];
  /** Runs before the device is created: registers back ends, creates the owner of its bus. */
  readonly setup?: (machine: Machine, bench: Bench) => void;
  /** Runs after it is realized: connects its lines, maps what only the board can map. */
  readonly wire?: (device: Device, bench: Bench) => void;
  /** Name of the bus it plugs into, when there are several. */
  readonly bus?: string;
  /** Bytes of RAM at {@link BENCH_RAM}. */
  readonly ramSize?: number;
  /** Properties that may differ between two saves of an equal device, by `"part.field"`. */
  readonly ignore?: readonly string[];
  /** Parts of the suite that do not apply. */
  readonly without?: readonly DeviceCheck[];
}

/** A device under test, and how it is made again. */
interface Trial {
  readonly type: TypeSpec;
  readonly options: TestDeviceOptions;
}

/**
 * The suite that every device passes, third parties' too. Call it at the top of a test file.
 * It describes the type, realizes it, does a guest's worst to its registers, resets it, saves and loads it,
 * and feeds it hostile saved states.
 */
export function testDevice(type: TypeSpec, options: TestDeviceOptions = {}): void {
  const without = new Set(options.without);
  const check = (name: DeviceCheck, title: string, run: (trial: Trial) => void): void => {
    if (without.has(name)) it.skip(`${title} (opted out)`, () => {});
    else it(title, () => run({ type, options }));
  };

  describe(`device ${type.name}`, () => {
    check("described", "describes itself and its properties without an instance", describesItself);
    check("registers", "survives every register access", survivesAccesses);
    check("reset", "returns to its start on reset", resets);
    check("save", "saves, loads and saves the same", savesAndLoads);
    check("hostile-state", "survives hostile saved states", survivesStates);
    check("unrealize", "leaves nothing behind when it goes", leavesNothing);
  });
}

function describesItself({ type, options }: Trial): void {
  const resolved = bench(type, options).registry.require(type.name, "device");
  expect(resolved.summary, `${type.name} needs a summary`).not.toBe("");
  for (const p of describeProps(resolved)) {
    const own = Object.hasOwn(type.props?.shape ?? {}, p.name);
    if (own) expect(p.description ?? p.link, `property '${p.name}' needs .describe("…")`).toBeTruthy();
  }
  expect(propsJsonSchema(resolved)["type"]).toBe("object");
}

function survivesAccesses({ type, options }: Trial): void {
  const [device, b] = make(type, options);
  for (const seed of [1, 2]) expect(poke(device, b, seed)).toEqual([]);
  b.advance(2e9);
  b.machine.reset();
  expect(poke(device, b, 3)).toEqual([]);
}

function resets({ type, options }: Trial): void {
  const [device, b] = make(type, options);
  b.machine.reset();
  const start = saved(device, options);
  const levels = outputs(device);
  poke(device, b);
  b.machine.reset();
  expect(saved(device, options)).toEqual(start);
  expect(outputs(device)).toEqual(levels);
}

function savesAndLoads({ type, options }: Trial): void {
  const [device, b] = make(type, options);
  b.machine.reset();
  for (const seed of [0, 1, 2]) {
    if (seed > 0) poke(device, b, seed);
    const state = b.machine.saveState({ ram: false });
    const [twin, b2] = make(type, options);
    b2.machine.loadState(state);
    expect(saved(twin, options)).toEqual(saved(device, options));
    expect(outputs(twin)).toEqual(outputs(device));
  }
}

function survivesStates({ type, options }: Trial): void {
  const [device, b] = make(type, options);
  poke(device, b);
  for (const [name, part] of device.parts)
    for (const bad of hostileStates(part.save())) {
      try {
        part.load(bad);
      } catch (error) {
        expect(error, "a refusal is an Error").toBeInstanceOf(Error);
        continue;
      }
      // What it accepted must be a state that it can live and be saved in.
      expect(() => part.load(part.save()), `part '${name}' loads what it saves`).not.toThrow();
      expect(shortPoke(device, b)).toEqual([]);
    }
  expect(poke(device, b, 4)).toEqual([]);
}

function leavesNothing({ type, options }: Trial): void {
  const [device, b] = make(type, options);
  poke(device, b);
  const { parentBus, regions } = device;
  const mapped = [...regions];
  device.unrealize();
  device.unparent();
  expect(b.machine.clocks.virtual.timers.size, "timers still armed").toBe(0);
  expect(mapped.filter((r) => r.parent !== undefined)).toEqual([]);
  expect(parentBus?.children.includes(device) ?? false).toBe(false);
  expect(b.machine.findDevice("dut")).toBeUndefined();
  const again = place(b, type, options);
  expect(again.realized).toBe(true);
}

function bench(type: TypeSpec, options: TestDeviceOptions): Bench {
  const what: BenchOptions = {
    types: [...(options.types ?? []), type],
    ...(options.plugins === undefined ? {} : { plugins: options.plugins }),
    ...(options.ramSize === undefined ? {} : { ramSize: options.ramSize }),
  };
  return new Bench(what);
}

function place(b: Bench, type: TypeSpec, options: TestDeviceOptions): Device {
  const device = b.device(type.name, options.props ?? {}, {
    id: "dut",
    ...(options.bus === undefined ? {} : { bus: options.bus }),
  });
  options.wire?.(device, b);
  return device;
}

function make(type: TypeSpec, options: TestDeviceOptions): [Device, Bench] {
  const b = bench(type, options);
  options.setup?.(b.machine, b);
  return [place(b, type, options), b];
}

/** The registers of both address spaces. */
function poke(device: Device, b: Bench, seed?: number): string[] {
  const { system, io } = b.machine;
  return [system, ...(io === undefined ? [] : [io])].flatMap((space) => pokeRegisters(device, space, seed));
}

function shortPoke(device: Device, b: Bench): string[] {
  const wrong: string[] = [];
  for (const region of device.regions) {
    const { system, io } = b.machine;
    const space = region.parent === system.root ? system : io;
    if (space === undefined || region.parent !== space.root) continue;
    for (let at = 0; at < Math.min(64, region.size); at += 4)
      try {
        space.read(region.offset + at, 4);
        space.write(region.offset + at, 4, 0xffffffff);
      } catch (error) {
        wrong.push(`${region.name}+0x${at.toString(16)} threw ${String(error)} in a state that it had accepted`);
      }
  }
  return wrong;
}

function saved(device: Device, options: TestDeviceOptions): Record<string, unknown> {
  const parts = device.saveParts();
  for (const ignored of options.ignore ?? []) {
    const [part = "", field = ""] = ignored.split(".");
    const state = parts[part];
    if (typeof state === "object" && state !== null) {
      const { [field]: _, ...rest } = state as Record<string, unknown>;
      parts[part] = rest;
    }
  }
  return parts;
}

function outputs(device: Device): Record<string, boolean[]> {
  return Object.fromEntries([...device.outputs].map(([name, lines]) => [name, lines.map((l) => l.level)]));
}
