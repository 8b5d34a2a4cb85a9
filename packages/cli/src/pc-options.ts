/** Options that describe what a board's firmware is told: processors, boot order, SMBIOS and ACPI tables, configuration files. */
import { basename } from "node:path";

import { readWhole, reason } from "@mimus/host-node";
import type { CpuTopology } from "@mimus/machine-core";
import type { BoardOptions } from "@mimus/system";

import { type KeyValues, keyValues } from "./args/keyval.ts";
import { all, type GivenOption, last } from "./args/parse.ts";
import { onlyParameters, onOffParameter, wholeNumber } from "./args/values.ts";
import { UsageError } from "./errors.ts";

/** A whole number of an option's parameter; `cpus` is the one whose name may be left away. */
function number(option: string, key: string, value: unknown): number | undefined {
  return wholeNumber(`${option} ${key === "cpus" ? "" : `${key}=`}`, value);
}

/** How `-smp` arranges processors: cores come first where it leaves something open. */
export function topology(smp: KeyValues | undefined): { cpus: number; topology: CpuTopology } {
  const known = ["cpus", "maxcpus", "sockets", "dies", "clusters", "cores", "threads"];
  onlyParameters("smp", smp ?? {}, known);
  const part = (key: string): number | undefined => {
    const n = number("smp", key, smp?.[key]);
    if (n === 0)
      throw new UsageError(key === "cpus" ? "-smp: needs at least 1 processor" : `-smp ${key}=0: expected 1 or more`);
    return n;
  };
  if ((part("clusters") ?? 1) > 1)
    throw new UsageError(`-smp clusters=${part("clusters")}: no machine has clusters; use dies, cores and threads`);
  const dies = part("dies") ?? 1;
  let [sockets, cores, threads] = [part("sockets"), part("cores"), part("threads")];
  const total = part("maxcpus") ?? part("cpus");
  if (total !== undefined) {
    const rest = (...factors: (number | undefined)[]): number =>
      Math.max(1, Math.floor(total / factors.reduce<number>((n, f) => n * (f ?? 1), dies)));
    if (cores === undefined) cores = rest(sockets, threads);
    else if (sockets === undefined) sockets = rest(cores, threads);
    else threads ??= rest(sockets, cores);
  }
  const t = { sockets: sockets ?? 1, dies, cores: cores ?? 1, threads: threads ?? 1 };
  const product = t.sockets * t.dies * t.cores * t.threads;
  const maxCpus = part("maxcpus") ?? part("cpus") ?? product;
  const cpus = part("cpus") ?? maxCpus;
  if (maxCpus < cpus) throw new UsageError(`-smp: maxcpus=${maxCpus} is less than cpus=${cpus}`);
  if (product !== maxCpus)
    throw new UsageError(`-smp: the topology makes ${product} processors, but there are ${maxCpus}`);
  return { cpus, topology: { ...t, maxCpus } };
}

const BOOT = ["order", "once", "menu", "splash", "splash-time", "reboot-timeout", "strict"];

/** `-boot`, checked. */
export function bootOptions(boot: KeyValues | undefined): BoardOptions & { bootMenu?: boolean } {
  if (boot === undefined) return {};
  onlyParameters("boot", boot, BOOT);
  const letters = (key: string): string | undefined => {
    const drives = boot[key];
    if (drives === undefined) return undefined;
    if (typeof drives !== "string" || !/^[a-p]+$/.test(drives))
      throw new UsageError(`-boot ${key}=${String(drives)}: expected drive letters a to p, such as c`);
    if (new Set(drives).size < drives.length)
      throw new UsageError(`-boot ${key}=${drives}: a drive letter is there twice`);
    return drives;
  };
  const never = boot["reboot-timeout"] === "-1";
  const timeout = never ? undefined : number("boot", "reboot-timeout", boot["reboot-timeout"]);
  if (timeout !== undefined && timeout > 0xffff)
    throw new UsageError(`-boot reboot-timeout=${timeout}: expected milliseconds, at most 65535, or -1 for never`);
  const splash = number("boot", "splash-time", boot["splash-time"]);
  if (splash !== undefined && splash > 0xffff)
    throw new UsageError(`-boot splash-time=${splash}: expected milliseconds, at most 65535`);
  return defined({
    bootOrder: letters("order"),
    bootOnce: letters("once"),
    bootMenu: onOffParameter("boot", boot, "menu"),
    bootStrict: onOffParameter("boot", boot, "strict"),
    bootSplashTime: splash,
    rebootTimeout: timeout,
  });
}

/** `-smbios`, `-acpitable` and `-fw_cfg`, with their files read. */
export function tableOptions(given: readonly GivenOption[]): BoardOptions {
  return defined({
    smbios: none(all(given, "smbios").map(smbios)),
    acpiTables: none(all(given, "acpitable").map(acpiTable)),
    configFiles: none([
      ...configItems(all(given, "fw_cfg")),
      ...all(given, "option-rom").map(optionRom),
      ...splash(last(given, "boot")),
    ]),
  });
}

const none = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined)) as never;
}

function read(option: string, path: string): Uint8Array {
  try {
    return readWhole(path);
  } catch (error) {
    throw new UsageError(`-${option}: Could not open '${path}': ${reason(error)}`);
  }
}

/** `-option-rom FILE`: firmware runs it, from the file of its name. */
function optionRom(text: string): { name: string; bytes: Uint8Array } {
  const options = keyValues("option-rom", text, "romfile");
  onlyParameters("option-rom", options, ["romfile"]);
  const { romfile } = options;
  if (typeof romfile !== "string" || romfile === "") throw new UsageError(`-option-rom ${text}: needs a file`);
  const bytes = read("option-rom", romfile);
  const name = `genroms/${basename(romfile)}`;
  if (name.length > 55) throw new UsageError(`-option-rom ${romfile}: the file's name has more than 47 characters`);
  return { name, bytes };
}

/** `-boot splash=FILE`: a picture for firmware to show, JPEG or BMP. */
function splash(boot: string | undefined): { name: string; bytes: Uint8Array }[] {
  const file = boot === undefined ? undefined : keyValues("boot", boot, "order")["splash"];
  if (file === undefined) return [];
  const bytes = read("boot", String(file));
  const kind =
    bytes[0] === 0xff && bytes[1] === 0xd8 ? "jpg" : bytes[0] === 0x42 && bytes[1] === 0x4d ? "bmp" : undefined;
  if (kind === undefined) throw new UsageError(`-boot splash=${String(file)}: the picture is neither JPEG nor BMP`);
  return [{ name: `bootsplash.${kind}`, bytes }];
}

function smbios(text: string): Readonly<Record<string, string | Uint8Array>> {
  const options = keyValues("smbios", text);
  const { file, ...fields } = options;
  if (file !== undefined) onlyParameters("smbios", options, ["file"]);
  if (typeof file === "string") return { file: read("smbios", file) };
  if (typeof fields["type"] !== "string") throw new UsageError(`-smbios ${text}: needs file=FILE or type=N`);
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]));
}

/** A table from a file with its header, or from data with a header of the given fields in front. */
function acpiTable(text: string): Uint8Array {
  const options = keyValues("acpitable", text);
  const { file, data, ...fields } = options;
  const known = ["sig", "rev", "oem_id", "oem_table_id", "oem_rev", "asl_compiler_id", "asl_compiler_rev"];
  onlyParameters("acpitable", options, ["file", "data", ...known]);
  if ((file === undefined) === (data === undefined))
    throw new UsageError(`-acpitable ${text}: needs either file=FILE (with header) or data=FILE (without)`);
  const parts = String(file ?? data)
    .split(":")
    .map((path) => read("acpitable", path));
  const body = Buffer.concat(parts);
  const table = file === undefined ? Buffer.concat([Buffer.alloc(36), body]) : body;
  if (table.length < 36) throw new UsageError(`-acpitable ${text}: a table has at least the 36 bytes of its header`);
  if (file === undefined) {
    if (typeof fields["sig"] !== "string") throw new UsageError(`-acpitable ${text}: data= needs sig=XXXX`);
    table.set(padded("XXXX", 4), 0);
    table[8] = 1;
    table.set(padded("QEMU", 6), 10);
    table.set(padded("QEMUQEMU", 8), 16);
    table.writeUInt32LE(1, 24);
    table.set(padded("QEMU", 4), 28);
    table.writeUInt32LE(1, 32);
  }
  const string = (key: string, at: number, size: number): void => {
    const value = fields[key];
    if (value !== undefined) table.set(padded(String(value), size), at);
  };
  string("sig", 0, 4);
  string("oem_id", 10, 6);
  string("oem_table_id", 16, 8);
  string("asl_compiler_id", 28, 4);
  const revision = (key: string, most: number): number | undefined => {
    const n = number("acpitable", key, fields[key]);
    if (n !== undefined && n > most) throw new UsageError(`-acpitable ${key}=${n}: expected a number of 0 to ${most}`);
    return n;
  };
  table[8] = revision("rev", 0xff) ?? table[8]!;
  table.writeUInt32LE(revision("oem_rev", 0xffffffff) ?? table.readUInt32LE(24), 24);
  table.writeUInt32LE(revision("asl_compiler_rev", 0xffffffff) ?? table.readUInt32LE(32), 32);
  table.writeUInt32LE(table.length, 4);
  table[9] = 0;
  table[9] = -table.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return new Uint8Array(table);
}

const padded = (text: string, size: number): Buffer => Buffer.from(text.padEnd(size, "\0").slice(0, size), "latin1");

/** `-fw_cfg`, once for each name. */
function configItems(texts: readonly string[]): { name: string; bytes: Uint8Array }[] {
  const items = texts.map(configItem);
  const twice = items.find(({ name }, at) => items.findIndex((item) => item.name === name) < at);
  if (twice !== undefined) throw new UsageError(`-fw_cfg name=${twice.name}: there is already a file of this name`);
  return items;
}

function configItem(text: string): { name: string; bytes: Uint8Array } {
  const options = keyValues("fw_cfg", text, "name");
  onlyParameters("fw_cfg", options, ["name", "file", "string"]);
  const { name, file, string } = options;
  if (typeof name !== "string" || !/^[ -~]{1,55}$/.test(name))
    throw new UsageError(`-fw_cfg ${text}: needs name=NAME of 1 to 55 ASCII characters`);
  if (file !== undefined && string !== undefined)
    throw new UsageError(`-fw_cfg ${text}: file and string exclude each other`);
  if (typeof file === "string") return { name, bytes: read("fw_cfg", file) };
  if (typeof string === "string" && string !== "") return { name, bytes: new Uint8Array(Buffer.from(string, "utf8")) };
  throw new UsageError(`-fw_cfg ${text}: needs file=FILE or string=TEXT`);
}
