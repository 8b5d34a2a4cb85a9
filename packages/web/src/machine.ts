import block, { BlockGraph, type Drive, type HostFiles, openDrive } from "@mimus/block";
import { openChar } from "@mimus/chardev";
import flash from "@mimus/dev-flash";
import irqchip from "@mimus/dev-irqchip";
import misc from "@mimus/dev-misc";
import serial from "@mimus/dev-serial";
import timer from "@mimus/dev-timer";
import virtio from "@mimus/dev-virtio";
import { copyToOpfs, inOpfs, webChars, webClock, webFiles } from "@mimus/host-web";
import virt from "@mimus/hw-virt";
import { Registry } from "@mimus/qom";
import { assemble, type System } from "@mimus/system";
import riscv from "@mimus/target-riscv";
import type { BootOptions } from "./options.ts";
import type { PortTerminal } from "./port-terminal.ts";
import type { FromMachine } from "./protocol.ts";

/** What a machine is assembled from besides its options. */
export interface Surroundings {
  readonly chosen: ReadonlyMap<string, Blob>;
  /** Addresses are relative to this one. */
  readonly base: string;
  readonly terminal: PortTerminal;
  readonly post: (message: FromMachine) => void;
}

/** A machine, and how to give back what it had open. */
export interface Built {
  readonly system: System;
  close(): Promise<void>;
}

/** Fetches what the options name and assembles the machine. @throws the errors of the parts, worded for the user */
export async function build(options: BootOptions, { chosen, base, terminal, post }: Surroundings): Promise<Built> {
  const files = webFiles({
    chosen,
    base,
    onProgress: (file, { loaded, total }) => post({ type: "progress", file, loaded, total }),
  });
  const read = (name: string | undefined): Promise<Uint8Array | undefined> =>
    name === undefined ? Promise.resolve(undefined) : files.read(name);
  const [kernel, initrd, bios] = await Promise.all([
    read(options.kernel),
    read(options.initrd),
    read(options.bios === "none" ? undefined : options.bios),
  ]);
  const registry = new Registry();
  for (const plugin of [riscv, virt, serial, irqchip, timer, misc, flash, virtio, block]) registry.use(plugin);
  const graph = new BlockGraph({
    registry,
    files,
    warn: (line) => post({ type: "log", line }),
    delay: (ns) => new Promise((resolve) => setTimeout(resolve, ns / 1e6)),
  });
  const drives = options.disk === undefined ? [] : [await openDisk(options.disk, options.keep, graph, files, post)];
  const clock = webClock();
  const chars = webChars({ terminal, notice: (line) => post({ type: "log", line }) });
  const console = await openChar("serial0", { backend: "stdio", signal: false, mux: false, logappend: false }, chars);
  const close = async (): Promise<void> => {
    await graph.closeAll();
    await console.close();
    clock.close();
  };
  const assembled = assemble({
    registry,
    host: {
      ...clock,
      log: ({ level, source, message }) => post({ type: "log", line: `${level} ${source}: ${message}` }),
    },
    target: options.target,
    machine: "virt",
    ram: options.memory * 2 ** 20,
    smp: options.cpus,
    serials: [console],
    drives,
    bios: bios ?? "none",
    policies: { shutdown: "pause" },
    ...(options.cpu === undefined ? {} : { cpu: options.cpu }),
    ...(kernel === undefined ? {} : { kernel }),
    ...(initrd === undefined ? {} : { initrd }),
    ...(options.append === undefined ? {} : { append: options.append }),
  });
  try {
    return { system: await assembled, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openDisk(
  disk: string,
  keep: boolean,
  graph: BlockGraph,
  files: HostFiles,
  post: (message: FromMachine) => void,
): Promise<Drive> {
  const file = keep && !disk.startsWith("opfs:") ? await kept(disk, files, post) : disk;
  // Named as it is: the block layer would take what stands before a colon for a protocol.
  const options = { format: "raw", id: "disk0", "file.driver": "file", "file.filename": file };
  return openDrive(graph, options, { interface: "virtio", snapshot: false });
}

/** The disk's copy in the browser's storage; made the first time. */
async function kept(disk: string, files: HostFiles, post: (message: FromMachine) => void): Promise<string> {
  const path = `disks/${disk.slice(disk.lastIndexOf("/") + 1)}`;
  if (await inOpfs(path)) post({ type: "log", line: `The disk is the copy that was kept: opfs:${path}` });
  else {
    const from = await files.open(disk, { writable: false });
    await copyToOpfs(from, path);
    await from.close();
    post({ type: "log", line: `The disk was copied and is kept: opfs:${path}` });
  }
  return `opfs:${path}`;
}
