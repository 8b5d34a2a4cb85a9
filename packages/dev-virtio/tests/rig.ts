import { BlockGraph, FaultyFile, MemoryFile, MemoryFiles, openDrive } from "@mimus/block";
import blockPlugin from "@mimus/block";
import type { BlockBackend } from "@mimus/block";
import { MmioDriver } from "@mimus/bus-virtio";
import type { Device } from "@mimus/machine-core";
import { Registry } from "@mimus/qom";
import { Bench, BENCH_RAM } from "@mimus/testkit";
import plugin from "../src/index.ts";

/** How each transport and ring layout is tried. */
export const WAYS: readonly { name: string; legacy: boolean; packed: boolean }[] = [
  { name: "legacy split", legacy: true, packed: false },
  { name: "modern split", legacy: false, packed: false },
  { name: "modern packed", legacy: false, packed: true },
];

/** A device behind a memory-mapped transport, with a driver for it. */
export interface Rig {
  readonly bench: Bench;
  readonly slot: Device;
  readonly device: Device;
  readonly driver: MmioDriver;
  irq(): boolean;
}

export function rig(
  type: string,
  props: Record<string, unknown>,
  opts: { legacy?: boolean; backends?: Record<string, Record<string, unknown>>; ramSize?: number } = {},
): Rig {
  const bench = new Bench({ plugins: [plugin], ...(opts.ramSize === undefined ? {} : { ramSize: opts.ramSize }) });
  for (const [kind, list] of Object.entries(opts.backends ?? {}))
    for (const [id, object] of Object.entries(list)) bench.machine.registerBackend(kind, id, object);
  const slot = bench.device("virtio-mmio", { "force-legacy": opts.legacy ?? false });
  const device = bench.device(type, { packed: true, ...props });
  bench.machine.reset();
  const driver = new MmioDriver(bench.machine.system, bench.base(slot), BENCH_RAM + 0x1000);
  return { bench, slot, device, driver, irq: () => slot.irqOut("irq").level };
}

/** A drive on a file in memory that can be told to fail. */
export async function memoryDrive(
  content: Uint8Array | number,
  options: Record<string, unknown> = {},
): Promise<{ drive: BlockBackend; file: FaultyFile; disk: MemoryFile; graph: BlockGraph }> {
  const disk = new MemoryFile("disk.img", content);
  const file = new FaultyFile(disk);
  const files = new MemoryFiles().add("disk.img", file);
  const graph = new BlockGraph({ registry: new Registry().use(blockPlugin), files, warn: () => undefined });
  const { backend } = await openDrive(
    graph,
    { file: "disk.img", format: "raw", id: "d0", ...options },
    { interface: "none", snapshot: false },
  );
  return { drive: backend, file, disk, graph };
}

/** Lets all promise jobs run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
