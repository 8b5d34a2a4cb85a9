import block, { BlockGraph, type Drive, type HostFiles, openDrive } from "@mimus/block";
import { openChar } from "@mimus/chardev";
import flash from "@mimus/dev-flash";
import irqchip from "@mimus/dev-irqchip";
import misc from "@mimus/dev-misc";
import serial from "@mimus/dev-serial";
import timer from "@mimus/dev-timer";
import virtio from "@mimus/dev-virtio";
import { webChars, webClock, webFiles } from "@mimus/host-web";
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

/** Fetches what the options name and assembles the machine. @throws the errors of the parts, worded for the user */
export async function build(options: BootOptions, { chosen, base, terminal, post }: Surroundings): Promise<System> {
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
  const drives = options.disk === undefined ? [] : [await openDisk(options.disk, registry, files, post)];
  const chars = webChars({ terminal, notice: (line) => post({ type: "log", line }) });
  const console = await openChar("serial0", { backend: "stdio", signal: false, mux: false, logappend: false }, chars);
  return assemble({
    registry,
    host: {
      ...webClock(),
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
}

async function openDisk(
  file: string,
  registry: Registry,
  files: HostFiles,
  post: (message: FromMachine) => void,
): Promise<Drive> {
  const graph = new BlockGraph({
    registry,
    files,
    warn: (line) => post({ type: "log", line }),
    delay: (ns) => new Promise((resolve) => setTimeout(resolve, ns / 1e6)),
  });
  return openDrive(graph, { file, format: "raw", id: "disk0" }, { interface: "virtio", snapshot: false });
}
