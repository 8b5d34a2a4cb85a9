import { hex } from "@mimus/bits";
import { z } from "zod";
import { MachineError, messageOf } from "./errors.ts";
import type { Device } from "./device.ts";
import type { Machine } from "./machine.ts";
import { MEMORY_PAGE, type RamBlock } from "./memory.ts";

/** The version of the envelope; the parts of devices have versions of their own. */
export const MACHINE_STATE_VERSION = 1;

/** What to put in. */
export interface SaveOptions {
  /** Whether RAM goes in too (default true); false when it travels another way. */
  readonly ram?: boolean;
}

const Chunk = z.strictObject({
  at: z.int().min(0),
  bytes: z.instanceof(Uint8Array).refine((b) => b.length <= MEMORY_PAGE, "a chunk holds at most 65536 bytes"),
});
const State = z.strictObject({
  format: z.literal("mimus-machine"),
  version: z.int().min(1),
  machine: z.string(),
  clock: z.number().min(0).max(Number.MAX_SAFE_INTEGER),
  devices: z.array(z.strictObject({ path: z.string(), type: z.string(), parts: z.record(z.string(), z.unknown()) })),
  ram: z.array(z.strictObject({ name: z.string(), size: z.int().min(0), chunks: z.array(Chunk) })).optional(),
});

/** A saved machine: devices by path, guest time, and RAM as the 64 KiB pieces that are not zero. */
export interface MachineState {
  readonly format: "mimus-machine";
  readonly version: number;
  readonly machine: string;
  /** Guest time, nanoseconds. */
  readonly clock: number;
  readonly devices: readonly { path: string; type: string; parts: Record<string, unknown> }[];
  readonly ram?: readonly { name: string; size: number; chunks: readonly { at: number; bytes: Uint8Array }[] }[];
}

/** See `Machine.saveState`. */
export function saveMachine(machine: Machine, options: SaveOptions = {}): MachineState {
  const state = {
    format: "mimus-machine" as const,
    version: MACHINE_STATE_VERSION,
    machine: machine.type.name,
    clock: machine.clocks.virtual.now(),
    devices: stateful(machine).map((d) => ({ path: d.path, type: d.type.name, parts: d.saveParts() })),
  };
  if (options.ram === false) return state;
  return { ...state, ram: machine.memory.blocks.map((b) => ({ name: b.name, size: b.size, chunks: chunksOf(b) })) };
}

function stateful(machine: Machine): Device[] {
  return machine.devices().filter((d) => d.parts.size > 0);
}

function chunksOf(block: RamBlock): { at: number; bytes: Uint8Array }[] {
  const chunks: { at: number; bytes: Uint8Array }[] = [];
  const words = new Uint32Array(block.memory.buffer, block.offset, Math.floor(block.size / 4));
  for (let at = 0; at < block.size; at += MEMORY_PAGE) {
    const end = Math.min(block.size, at + MEMORY_PAGE);
    let i = at / 4;
    while (i < words.length && i < end / 4 && words[i] === 0) i++;
    const bytes = block.bytes.subarray(at, end);
    if (i * 4 < end && bytes.some((b) => b !== 0)) chunks.push({ at, bytes: bytes.slice() });
  }
  return chunks;
}

/** See `Machine.loadState`. */
export function loadMachine(machine: Machine, raw: unknown): void {
  const parsed = State.safeParse(raw);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new MachineError(
      "bad-snapshot",
      `this is not the saved state of a machine: at '${issue?.path.map(String).join(".") ?? ""}': ${issue?.message ?? ""}`,
      { cause: parsed.error },
    );
  }
  const state = parsed.data as MachineState;
  if (state.version !== MACHINE_STATE_VERSION)
    throw new MachineError(
      "snapshot-version",
      `the saved state has version ${state.version}; this program reads version ${MACHINE_STATE_VERSION}`,
    );
  if (state.machine !== machine.type.name)
    throw new MachineError(
      "snapshot-mismatch",
      `the saved state is of machine '${state.machine}', this one is '${machine.type.name}'; start with -M ${state.machine}`,
    );
  const devices = matchDevices(machine, state);
  const blocks = matchRam(machine, state);
  const before = new Map(stateful(machine).map((d) => [d, d.saveParts()]));
  try {
    for (const [device, parts] of devices) loadParts(device, parts);
  } catch (error) {
    for (const [device, parts] of before) for (const [name, part] of device.parts) part.load(parts[name]);
    throw error;
  }
  for (const [block, chunks] of blocks) {
    block.bytes.fill(0);
    for (const { at, bytes } of chunks) block.bytes.set(bytes, at);
    block.dirty.mark(0, block.size);
  }
  machine.clocks.virtual.set(state.clock);
  for (const device of machine.devices()) for (const fn of device.loadedHooks) fn();
  machine.emit("loaded");
}

function matchDevices(machine: Machine, state: MachineState): [Device, Record<string, unknown>][] {
  const here = new Map(stateful(machine).map((d) => [d.path, d]));
  const pairs: [Device, Record<string, unknown>][] = [];
  for (const { path, type, parts } of state.devices) {
    const device = here.get(path);
    if (device === undefined)
      throw new MachineError(
        "snapshot-mismatch",
        `the saved state has a ${type} at ${path}, this machine has none there (or it appears twice); start with the same devices`,
        { at: path },
      );
    if (device.type.name !== type)
      throw new MachineError(
        "snapshot-mismatch",
        `${path} is a ${type} in the saved state, a ${device.type.name} here`,
        {
          at: path,
        },
      );
    const names = [...device.parts.keys()];
    const missing = names.filter((n) => !Object.hasOwn(parts, n));
    const extra = Object.keys(parts).filter((n) => !device.parts.has(n));
    if (missing.length + extra.length > 0)
      throw new MachineError(
        "snapshot-mismatch",
        `${path}: the saved state has parts ${Object.keys(parts).join(", ") || "none"}, this build has ${names.join(", ")}`,
        { at: path },
      );
    here.delete(path);
    pairs.push([device, parts]);
  }
  for (const [path, device] of here)
    throw new MachineError(
      "snapshot-mismatch",
      `this machine has a ${device.type.name} at ${path}, the saved state has none; start with the same devices`,
      { at: path },
    );
  return pairs;
}

type Chunks = readonly { at: number; bytes: Uint8Array }[];

function matchRam(machine: Machine, state: MachineState): [RamBlock, Chunks][] {
  if (state.ram === undefined) return [];
  const here = new Map(machine.memory.blocks.map((b) => [b.name, b]));
  const pairs: [RamBlock, Chunks][] = [];
  for (const { name, size, chunks } of state.ram) {
    const block = here.get(name);
    if (block === undefined || block.size !== size)
      throw new MachineError(
        "snapshot-mismatch",
        block === undefined
          ? `the saved state has RAM '${name}', this machine has not (or it appears twice)`
          : `RAM '${name}' is ${hex(size)} bytes in the saved state, ${hex(block.size)} here; start with the same -m`,
        { at: name },
      );
    for (const chunk of chunks)
      if (chunk.at + chunk.bytes.length > size)
        throw new MachineError(
          "bad-snapshot",
          `RAM '${name}' ends at ${hex(size)}, but a piece lies at ${hex(chunk.at)}`,
          {
            at: name,
          },
        );
    here.delete(name);
    pairs.push([block, chunks]);
  }
  for (const name of here.keys())
    throw new MachineError("snapshot-mismatch", `this machine has RAM '${name}', the saved state has not`, {
      at: name,
    });
  return pairs;
}

function loadParts(device: Device, parts: Readonly<Record<string, unknown>>): void {
  for (const [name, part] of device.parts)
    try {
      part.load(parts[name]);
    } catch (cause) {
      if (cause instanceof MachineError) throw cause;
      const issues = cause instanceof z.ZodError ? cause.issues : [];
      const version = issues.find((i) => i.path[0] === "stateVersion");
      const message =
        issues[0] === undefined
          ? messageOf(cause)
          : `at '${issues[0].path.map(String).join(".")}': ${issues[0].message}`;
      throw new MachineError(
        version === undefined ? "bad-snapshot" : "snapshot-version",
        `${device.path}, part '${name}': ${version?.message ?? message}`,
        { at: device.path, cause },
      );
    }
}
