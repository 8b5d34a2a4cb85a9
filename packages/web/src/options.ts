const TARGETS = ["riscv64", "riscv32", "x86_64", "i386"] as const;
/** The processor that a machine has. */
export type Target = (typeof TARGETS)[number];

/** Whether the machine is a PC. */
export function isPc(target: Target): boolean {
  return target === "x86_64" || target === "i386";
}

/** What a machine on the page is made of; from the address of the page and from its form. */
export interface BootOptions {
  readonly target: Target;
  /** MiB. */
  readonly memory: number;
  readonly cpus: number;
  /** `"rv64,zba=off"`; the target's default when absent. */
  readonly cpu?: string;
  /** Names of files: an address, `opfs:PATH`, or the name of a chosen file. */
  readonly bios: string;
  readonly kernel?: string;
  readonly initrd?: string;
  readonly disk?: string;
  /** Of a PC. */
  readonly floppy?: string;
  readonly cdrom?: string;
  /** Where a PC's option ROMs are: what their names are appended to. */
  readonly roms?: string;
  /** The disk is copied into the browser's storage the first time, and used from there. */
  readonly keep: boolean;
  readonly append?: string;
}

/** How the page behaves. */
export interface PageOptions {
  /** Boot without a click; when a kernel or firmware is named. */
  readonly autostart: boolean;
  /** Where the machine runs. */
  readonly run: "worker" | "page";
  /** Output is read out as it comes. */
  readonly screenReader: boolean;
}

/** A mistake in the address or in the form: one line for the user. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

/** The parameters that the page's address takes, with what they mean: the source of its help. */
export const PARAMETERS: Readonly<Record<string, string>> = {
  kernel: "address of a kernel",
  initrd: "address of an initial RAM disk",
  bios: "address of a firmware; none (a PC: firmware/bios-256k.bin)",
  roms: "folder of a PC's option ROMs (that of its firmware)",
  disk: "address of a raw disk image, or opfs:NAME",
  floppy: "address of a floppy disk image, for a PC",
  cdrom: "address of a CD image, for a PC",
  keep: "on: what is written to the disk stays in this browser; off: it is gone with the page (off)",
  append: "the kernel's command line",
  memory: "MiB of RAM (512)",
  cpus: "number of processors (1)",
  cpu: "processor model with properties (rv64, qemu64, qemu32)",
  target: "riscv64, riscv32, x86_64 or i386; the last two are PCs (riscv64)",
  run: "worker or page: where the machine runs (worker)",
  autostart: "on or off (on when kernel, bios, floppy or cdrom is given)",
  screenreader: "on or off: output is read out (off)",
};

const PC_FIRMWARE = "firmware/bios-256k.bin";

/** The values of the form's fields, or of the address, by name; empty ones are as if absent. */
export type Fields = Readonly<Record<string, string>>;

/** The fields of an address. @throws OptionError for a parameter that there is not */
export function fieldsOf(query: string): Fields {
  const fields: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (PARAMETERS[name] === undefined)
      throw new OptionError(`The address has no parameter '${name}'; there are: ${Object.keys(PARAMETERS).join(", ")}`);
    if (value !== "") fields[name] = value;
  }
  return fields;
}

/** @throws OptionError */
export function bootOptions(fields: Fields): BootOptions {
  const { kernel, initrd, disk, append, cpu, floppy, cdrom } = fields;
  const target = oneOf(fields, "target", TARGETS);
  const pc = isPc(target);
  const bios = fields["bios"] ?? (pc ? PC_FIRMWARE : "none");
  if (pc && bios === "none") throw new OptionError("A PC needs a firmware");
  if (!pc && (floppy ?? cdrom) !== undefined)
    throw new OptionError(`target=${target}: only a PC (x86_64, i386) has a floppy or CD drive`);
  if (kernel === undefined && bios === "none")
    throw new OptionError("There is nothing to boot: give a kernel or a firmware, as a file or as an address");
  if (kernel === undefined && initrd !== undefined) throw new OptionError("An initial RAM disk needs a kernel");
  if (kernel === undefined && append !== undefined) throw new OptionError("A command line needs a kernel");
  return {
    target,
    memory: whole(fields, "memory", 512, 3584),
    cpus: whole(fields, "cpus", 1, 512),
    bios,
    keep: oneOf(fields, "keep", ["off", "on"]) === "on",
    ...(floppy === undefined ? {} : { floppy }),
    ...(cdrom === undefined ? {} : { cdrom }),
    ...(pc ? { roms: fields["roms"] ?? bios.slice(0, bios.lastIndexOf("/") + 1) } : {}),
    ...(cpu === undefined ? {} : { cpu }),
    ...(kernel === undefined ? {} : { kernel }),
    ...(initrd === undefined ? {} : { initrd }),
    ...(disk === undefined ? {} : { disk }),
    ...(append === undefined ? {} : { append }),
  };
}

/** @throws OptionError */
export function pageOptions(fields: Fields): PageOptions {
  const start = ["kernel", "bios", "floppy", "cdrom"].some((name) => fields[name] !== undefined);
  return {
    autostart: start && oneOf(fields, "autostart", ["on", "off"]) === "on",
    run: oneOf(fields, "run", ["worker", "page"]),
    screenReader: oneOf(fields, "screenreader", ["off", "on"]) === "on",
  };
}

/** The first of `values` when the field is absent. */
function oneOf<const T extends string>(fields: Fields, name: string, values: readonly [T, ...T[]]): T {
  const given = fields[name] ?? values[0];
  const found = values.find((value) => value === given);
  if (found === undefined) throw new OptionError(`${name}=${given}: write ${values.join(" or ")}`);
  return found;
}

function whole(fields: Fields, name: string, standard: number, most: number): number {
  const text = fields[name];
  if (text === undefined) return standard;
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw new OptionError(`${name}=${text}: write a whole number from 1 to ${most}`);
  return value;
}
