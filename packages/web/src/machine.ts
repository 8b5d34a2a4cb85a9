import block, { BlockGraph, type Drive, type HostFiles, openDrive } from "@mimus/block";
import busIsa from "@mimus/bus-isa";
import busPci from "@mimus/bus-pci";
import busVirtio from "@mimus/bus-virtio";
import { openChar } from "@mimus/chardev";
import fdc from "@mimus/dev-fdc";
import ide from "@mimus/dev-ide";
import flash from "@mimus/dev-flash";
import irqchip from "@mimus/dev-irqchip";
import misc from "@mimus/dev-misc";
import parallel from "@mimus/dev-parallel";
import piix from "@mimus/dev-piix";
import ps2 from "@mimus/dev-ps2";
import serial from "@mimus/dev-serial";
import timer from "@mimus/dev-timer";
import vga from "@mimus/dev-vga";
import virtio from "@mimus/dev-virtio";
import { copyToOpfs, inOpfs, webChars, webClock, webFiles, webFormatHost } from "@mimus/host-web";
import pc from "@mimus/hw-pc";
import virt from "@mimus/hw-virt";
import type { FirmwareFiles } from "@mimus/machine-core";
import { type Plugin, Registry } from "@mimus/qom";
import { assemble, type System } from "@mimus/system";
import riscv from "@mimus/target-riscv";
import x86 from "@mimus/target-x86";
import { type BootOptions, isPc } from "./options.ts";
import type { PortTerminal } from "./port-terminal.ts";
import type { FromMachine } from "./protocol.ts";

const COMMON: readonly Plugin[] = [busPci, busVirtio, serial, irqchip, timer, misc, virtio, block];
const VIRT: readonly Plugin[] = [...COMMON, riscv, virt, flash];
const PC: readonly Plugin[] = [...COMMON, x86, pc, busIsa, piix, ps2, vga, parallel, fdc, ide];
/** Option ROMs that a PC may have; one that is not there is left out. */
const ROMS: readonly string[] = ["vgabios-stdvga.bin"];

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
  const pcMachine = isPc(options.target);
  for (const plugin of pcMachine ? PC : VIRT) registry.use(plugin);
  const graph = new BlockGraph({
    registry,
    files,
    warn: (line) => post({ type: "log", line }),
    delay: (ns) => new Promise((resolve) => setTimeout(resolve, ns / 1e6)),
    format: webFormatHost(),
  });
  const drives = await openDrives(options, graph, files, post);
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
    machine: pcMachine ? "pc" : "virt",
    ...(pcMachine ? { firmwareFiles: await optionRoms(options.roms ?? "", files) } : {}),
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

async function openDrives(
  { target, disk, keep, floppy, cdrom }: BootOptions,
  graph: BlockGraph,
  files: HostFiles,
  post: (message: FromMachine) => void,
): Promise<Drive[]> {
  const drives: Drive[] = [];
  const open = async (id: string, file: string, more: Readonly<Record<string, string>>): Promise<void> => {
    // Named as it is: the block layer would take what stands before a colon for a protocol.
    const options = { format: "raw", id, "file.driver": "file", "file.filename": file, ...more };
    drives.push(await openDrive(graph, options, { interface: isPc(target) ? "ide" : "virtio", snapshot: false }));
  };
  if (disk !== undefined)
    await open("disk0", keep && !disk.startsWith("opfs:") ? await kept(disk, files, post) : disk, {});
  if (cdrom !== undefined) await open("cd0", cdrom, { media: "cdrom", index: "2" });
  if (floppy !== undefined) await open("floppy0", floppy, { if: "floppy", index: "0" });
  return drives;
}

/** The option ROMs of a folder, read before the machine is made. */
async function optionRoms(
  folder: string,
  files: HostFiles & { read(name: string): Promise<Uint8Array> },
): Promise<FirmwareFiles> {
  const found = new Map<string, Uint8Array>();
  for (const name of ROMS) {
    const bytes = await files.read(`${folder}${name}`).catch(() => undefined);
    if (bytes !== undefined) found.set(name, bytes);
  }
  return { read: (name) => found.get(name) };
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
