/** One option of the command line: the only list, from which parsing, `-h` and the reference page derive. */
export interface OptionSpec {
  readonly name: string;
  readonly section: string;
  /** What `-h` shows after the name; absent for a flag. */
  readonly argument?: string;
  readonly help: string;
  readonly aliases?: readonly string[];
  /** May be given several times; otherwise the last one counts. */
  readonly repeated?: true;
}

/** Options of `mimus system-ARCH`, by QEMU's names. */
export const OPTIONS: readonly OptionSpec[] = [
  { section: "Standard options", name: "h", aliases: ["help"], help: "show this help and exit" },
  { section: "Standard options", name: "version", help: "show the version and exit" },
  {
    section: "Standard options",
    name: "machine",
    aliases: ["M"],
    argument: "[type=]NAME[,PROP=VALUE...]",
    help: "the board ('-M help' lists them)",
    repeated: true,
  },
  {
    section: "Standard options",
    name: "accel",
    argument: "[accel=]NAME[,PROP=VALUE...]",
    help: "tcg (backend=auto|interp|wasm, tb-size=MiB) or qtest",
    repeated: true,
  },
  {
    section: "Standard options",
    name: "cpu",
    argument: "MODEL[,PROP=VALUE...]",
    help: "the processor ('-cpu help' lists them)",
  },
  { section: "Standard options", name: "smp", argument: "[cpus=]N[,maxcpus=N...]", help: "number of processors" },
  {
    section: "Standard options",
    name: "m",
    argument: "[size=]MEGABYTES",
    help: "guest memory, with K, M or G behind the number",
  },
  { section: "Standard options", name: "name", argument: "STRING", help: "name of the guest" },
  { section: "Standard options", name: "uuid", argument: "UUID", help: "identity of the guest" },
  { section: "Standard options", name: "nodefaults", help: "no default devices" },
  {
    section: "Standard options",
    name: "no-user-config",
    help: "accepted for compatibility: there are no user configuration files",
  },
  {
    section: "Standard options",
    name: "plugin",
    argument: "PACKAGE",
    help: "also use this package's types",
    repeated: true,
  },

  {
    section: "Block devices",
    name: "drive",
    argument: "file=FILE[,format=F][,if=none|ide|floppy|virtio|pflash|mtd][,id=ID][,readonly=on]...",
    help: "a disk",
    repeated: true,
  },
  {
    section: "Block devices",
    name: "blockdev",
    argument: "driver=D,node-name=N,... | JSON",
    help: "a block node",
    repeated: true,
  },
  ...(["hda", "hdb", "hdc", "hdd"] as const).map((name, index) => ({
    section: "Block devices",
    name,
    argument: "FILE",
    help: `a disk on the board's own kind of bus, short for -drive file=FILE,index=${index}`,
  })),
  {
    section: "Block devices",
    name: "cdrom",
    argument: "FILE",
    help: "a CD, short for -drive file=FILE,index=2,media=cdrom",
  },
  ...(["fda", "fdb"] as const).map((name, index) => ({
    section: "Block devices",
    name,
    argument: "FILE",
    help: `a floppy disk, short for -drive file=FILE,if=floppy,index=${index}`,
  })),
  { section: "Block devices", name: "pflash", argument: "FILE", help: "parallel flash", repeated: true },
  { section: "Block devices", name: "snapshot", help: "write to temporary overlays; the files stay as they are" },
  {
    section: "Block devices",
    name: "fsdev",
    argument: "local,id=ID,path=DIR,security_model=M[,readonly=on]",
    help: "a host directory for virtio-9p",
    repeated: true,
  },
  {
    section: "Block devices",
    name: "virtfs",
    argument: "local,path=DIR,mount_tag=TAG,security_model=M",
    help: "-fsdev and -device virtio-9p in one",
    repeated: true,
  },

  {
    section: "Devices",
    name: "device",
    argument: "DRIVER[,PROP=VALUE...] | JSON",
    help: "add a device ('-device help', '-device DRIVER,help')",
    repeated: true,
  },
  {
    section: "Devices",
    name: "object",
    argument: "TYPE[,PROP=VALUE...] | JSON",
    help: "create an object",
    repeated: true,
  },
  {
    section: "Devices",
    name: "global",
    argument: "DRIVER.PROP=VALUE",
    help: "default of a property for all devices of a type",
    repeated: true,
  },
  {
    section: "Devices",
    name: "netdev",
    argument: "TYPE,id=ID",
    help: "a network back end (none is installed yet)",
    repeated: true,
  },
  { section: "Devices", name: "nic", argument: "none", help: "network card; only 'none'", repeated: true },
  { section: "Devices", name: "net", argument: "none", help: "network; only 'none'", repeated: true },
  { section: "Devices", name: "vga", argument: "std|none|...", help: "graphics card" },
  {
    section: "Devices",
    name: "smbios",
    argument: "file=FILE | type=N[,FIELD=VALUE...]",
    help: "fields of the SMBIOS tables, or a whole structure",
    repeated: true,
  },
  {
    section: "Devices",
    name: "acpitable",
    argument: "sig=S,data=FILE[:FILE...][,rev=N...] | file=FILE",
    help: "one more ACPI table",
    repeated: true,
  },
  {
    section: "Devices",
    name: "fw_cfg",
    argument: "[name=]NAME,file=FILE|string=TEXT",
    help: "a file in the firmware configuration device",
    repeated: true,
  },
  {
    section: "Devices",
    name: "option-rom",
    argument: "[romfile=]FILE",
    help: "an option ROM for firmware to run",
    repeated: true,
  },
  { section: "Devices", name: "no-acpi", help: "short for -M acpi=off" },
  { section: "Devices", name: "no-hpet", help: "short for -M hpet=off" },
  { section: "Devices", name: "no-fd-bootchk", help: "boot from floppies without a signature, too" },
  { section: "Devices", name: "win2k-hack", help: "accepted" },

  {
    section: "Character devices",
    name: "chardev",
    argument: "BACKEND,id=ID[,PROP=VALUE...]",
    help: "a byte stream ('-chardev help')",
    repeated: true,
  },
  {
    section: "Character devices",
    name: "serial",
    argument: "DEV",
    help: "where a serial port goes (stdio, mon:stdio, file:F, pty, tcp:H:P,server, unix:P,server, chardev:ID, none)",
    repeated: true,
  },
  {
    section: "Character devices",
    name: "parallel",
    argument: "DEV",
    help: "where a parallel port goes, as for -serial",
    repeated: true,
  },
  { section: "Character devices", name: "monitor", argument: "DEV", help: "where the monitor goes", repeated: true },
  {
    section: "Character devices",
    name: "mon",
    argument: "chardev=ID[,mode=readline|control][,pretty=on]",
    help: "a monitor on a character device; mode=control: QMP",
    repeated: true,
  },
  {
    section: "Character devices",
    name: "qmp",
    argument: "DEV",
    help: "where a monitor for programs goes (QMP, JSON)",
    repeated: true,
  },
  {
    section: "Character devices",
    name: "qmp-pretty",
    argument: "DEV",
    help: "as -qmp, with its answers on several lines",
    repeated: true,
  },
  {
    section: "Character devices",
    name: "debugcon",
    argument: "DEV",
    help: "where a debug console at port E9h goes, as for -serial",
  },
  {
    section: "Character devices",
    name: "nographic",
    help: "serial port and monitor share the terminal (Ctrl-A h for help)",
  },
  {
    section: "Character devices",
    name: "display",
    argument: "none|curses|web[,host=H][,port=P]",
    help: "where the screen is shown (none)",
  },

  {
    section: "Boot",
    name: "bios",
    argument: "FILE",
    help: "firmware, by path or by the name of an installed file; 'none' for none, 'default' for the board's",
  },
  {
    section: "Boot",
    name: "L",
    argument: "DIRECTORY",
    help: "look for firmware here before the usual places",
    repeated: true,
  },
  {
    section: "Boot",
    name: "kernel",
    argument: "FILE",
    help: "kernel: ELF or raw image; on a PC bzImage, multiboot or PVH",
  },
  { section: "Boot", name: "initrd", argument: "FILE", help: "initial RAM disk" },
  { section: "Boot", name: "append", argument: "STRING", help: "kernel command line" },
  { section: "Boot", name: "dtb", argument: "FILE", help: "device tree to use instead of the generated one" },
  {
    section: "Boot",
    name: "boot",
    argument:
      "[order=]LETTERS[,once=LETTERS][,menu=on|off][,splash=FILE][,splash-time=MS][,reboot-timeout=MS][,strict=on|off]",
    help: "what firmware boots from: a floppy, c disk, d CD, n network",
  },

  { section: "Running", name: "S", help: "do not start the processors ('c' in the monitor does)" },
  { section: "Running", name: "no-reboot", help: "exit instead of rebooting" },
  { section: "Running", name: "no-shutdown", help: "stay when the guest powers off" },
  {
    section: "Running",
    name: "action",
    argument:
      "reboot=reset|shutdown,shutdown=poweroff|pause,panic=shutdown|pause|exit-failure|none,watchdog=reset|shutdown|poweroff|inject-nmi|pause|debug|none",
    help: "what guest events do",
  },
  {
    section: "Running",
    name: "watchdog-action",
    argument: "reset|shutdown|poweroff|inject-nmi|pause|debug|none",
    help: "what happens when a watchdog runs out, as -action watchdog=",
  },
  {
    section: "Running",
    name: "rtc",
    argument: "[base=utc|localtime|DATE][,clock=host|vm][,driftfix=none|slew]",
    help: "clock of the guest",
  },
  {
    section: "Running",
    name: "icount",
    argument: "[shift=]N|auto|off",
    help: "virtual time from executed instructions: 2^N ns each",
  },
  { section: "Running", name: "seed", argument: "N", help: "seed of all randomness given to the guest" },
  { section: "Running", name: "pidfile", argument: "FILE", help: "write the process's number; removed at the end" },
  { section: "Running", name: "overcommit", argument: "mem-lock=off", help: "accepted" },
  { section: "Running", name: "sandbox", argument: "on|off...", help: "accepted" },
  { section: "Running", name: "msg", argument: "timestamp=on|off", help: "time stamps on messages" },

  { section: "Debugging", name: "d", argument: "ITEM[,...]", help: "log items ('-d help')" },
  { section: "Debugging", name: "D", argument: "FILE", help: "log file, instead of standard error" },
  {
    section: "Debugging",
    name: "dfilter",
    argument: "RANGE[,...]",
    help: "limit -d in_asm,op,op_opt,out_wat,exec to addresses: START..END, START+SIZE",
  },
  { section: "Debugging", name: "singlestep", help: "one instruction a block" },
  { section: "Debugging", name: "qtest", argument: "CHARDEV", help: "qtest protocol on a character device" },
  { section: "Debugging", name: "qtest-log", argument: "FILE", help: "log of the qtest protocol" },
  {
    section: "Debugging",
    name: "readconfig",
    argument: "FILE",
    help: "options from a file of sections",
    repeated: true,
  },
  {
    section: "Debugging",
    name: "set",
    argument: "GROUP.ID.PROP=VALUE",
    help: "set a parameter of an earlier option",
    repeated: true,
  },
];

const byName: ReadonlyMap<string, OptionSpec> = new Map(
  OPTIONS.flatMap((spec) => [spec.name, ...(spec.aliases ?? [])].map((name) => [name, spec] as const)),
);

/** The option that `name` (without dashes) is, by name or alias. */
export function findOption(name: string): OptionSpec | undefined {
  return byName.get(name);
}

export function optionNames(): Iterable<string> {
  return byName.keys();
}

/** The text of `-h`. */
export function helpText(command: string): string {
  const lines = [`usage: ${command} [options]`];
  let section = "";
  for (const spec of OPTIONS) {
    if (spec.section !== section) lines.push("", `${(section = spec.section)}:`);
    const names = [spec.name, ...(spec.aliases ?? [])].map((name) => `-${name}`).join(", ");
    const head = `  ${names}${spec.argument === undefined ? "" : ` ${spec.argument}`}`;
    if (head.length < 30) lines.push(`${head.padEnd(30)}${spec.help}`);
    else lines.push(head, `${" ".repeat(30)}${spec.help}`);
  }
  lines.push(
    "",
    "Sizes take K, M, G, T. Options may begin with one dash or two. -device, -blockdev and -object also take JSON.",
  );
  return `${lines.join("\n")}\n`;
}
