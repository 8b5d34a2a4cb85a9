import { BLOCK_HMP } from "./block/hmp.ts";
import type { MachineControl } from "./control.ts";
import { INFO } from "./info.ts";
import { examine, print } from "./examine.ts";
import { checksum, physicalOf, readPort, saveMemory, writePort } from "./reach.ts";
import { newSession, type Session } from "./session.ts";
import { mouseButton, mouseMove, mouseSet, sendKey } from "./input.ts";
import { screendump } from "./screendump.ts";

/** One command of the human monitor. */
export interface Command {
  /** The word that is typed. */
  readonly name: string;
  /** Other words for it. */
  readonly aliases?: readonly string[];
  /** For help. */
  readonly parameters: string;
  /** For help. */
  readonly help: string;
  /** @returns what to print, with `\n` line ends; errors are thrown and printed. */
  run(machine: MachineControl, args: readonly string[], session: Session): string | Promise<string>;
}

const act = (does: (machine: MachineControl) => void): Command["run"] => {
  return (machine) => {
    does(machine);
    return "";
  };
};

/** The commands by QEMU's names: the only list, from which `help` and completion derive. */
export const COMMANDS: readonly Command[] = [
  { name: "help", aliases: ["?"], parameters: "[cmd]", help: "show the help", run: (_, [name]) => help(name) },
  { name: "quit", aliases: ["q"], parameters: "", help: "quit the emulator", run: act((m) => m.quit()) },
  { name: "stop", aliases: ["s"], parameters: "", help: "stop emulation", run: act((m) => m.stop()) },
  { name: "cont", aliases: ["c"], parameters: "", help: "resume emulation", run: act((m) => m.cont()) },
  { name: "system_reset", parameters: "", help: "reset the system", run: act((m) => m.reset()) },
  { name: "system_powerdown", parameters: "", help: "send system power down event", run: act((m) => m.powerdown()) },
  { name: "info", parameters: "[subcommand]", help: "show various information about the system state", run: info },
  {
    name: "x",
    parameters: "/fmt addr",
    help: "virtual memory dump starting at 'addr': x /8xw 0x1000, x /4i $pc",
    run: (m, args, session) => examine("x", m, args, session),
  },
  {
    name: "xp",
    parameters: "/fmt addr",
    help: "physical memory dump starting at 'addr'",
    run: (m, args, session) => examine("xp", m, args, session),
  },
  {
    name: "print",
    aliases: ["p"],
    parameters: "/fmt expr",
    help: "print expression value (use $reg for CPU register access)",
    run: print,
  },
  { name: "i", parameters: "/fmt addr [index]", help: "I/O port read", run: readPort },
  { name: "o", parameters: "/fmt addr value", help: "I/O port write", run: writePort },
  { name: "sum", parameters: "addr size", help: "compute the checksum of a memory region", run: checksum },
  { name: "gva2gpa", parameters: "addr", help: "print the physical address of a virtual one", run: physicalOf },
  ...(["memsave", "pmemsave"] as const).map((name): Command => ({
    name,
    parameters: "addr size file",
    help: `save to disk ${name === "memsave" ? "virtual" : "physical"} memory dump starting at 'addr' of size 'size'`,
    run: (m, args, session) => saveMemory(name, m, args, session),
  })),
  { name: "cpu", parameters: "index", help: "set the default CPU", run: selectCpu },
  { name: "nmi", parameters: "", help: "inject an NMI", run: act((m) => m.nmi()) },
  {
    name: "system_wakeup",
    parameters: "",
    help: "wakeup guest from suspend",
    run: act((m) => {
      if (!m.wakeup()) throw new Error("Error: Unable to wake up: guest is not in suspended state");
    }),
  },
  {
    name: "watchdog_action",
    parameters: "[reset|shutdown|poweroff|inject-nmi|pause|debug|none]",
    help: "change watchdog action",
    run(m, [action]) {
      if (action === undefined) throw new Error("watchdog_action: string expected");
      if (!m.setWatchdogAction(action)) throw new Error(`Error: invalid parameter value: ${action}`);
      return "";
    },
  },
  {
    name: "screendump",
    parameters: "filename [-f format] [device [head]]",
    help: "save the picture of a screen: ppm, or -f png",
    run: screendump,
  },
  {
    name: "sendkey",
    parameters: "keys [hold_ms]",
    help: "send keys to the guest: sendkey ctrl-alt-delete",
    run: sendKey,
  },
  { name: "mouse_set", parameters: "index", help: "set which mouse device receives events", run: mouseSet },
  { name: "mouse_move", parameters: "dx dy [dz]", help: "send mouse move events", run: mouseMove },
  {
    name: "mouse_button",
    parameters: "state",
    help: "change mouse button state (1=L, 2=M, 4=R)",
    run: mouseButton,
  },
  {
    name: "log",
    parameters: "item1[,...]",
    help: "activate logging of the specified items ('none' for none)",
    run: (m, [items = "none"]) => {
      m.log(items === "none" ? "" : items);
      return "";
    },
  },
  ...BLOCK_HMP.map(({ run, ...rest }): Command => ({
    ...rest,
    run: (m, args) => {
      if (!m.block) throw new Error(`${rest.name}: this machine has no disks`);
      return run(m.block, args);
    },
  })),
];

function selectCpu(machine: MachineControl, args: readonly string[], session: Session): string {
  if (args[0] === undefined) throw new Error("unexpected end of expression");
  const index = Number(args[0]);
  if (machine.cpus()[index] === undefined) throw new Error("invalid CPU index");
  session.cpu = index;
  return "";
}

function info(machine: MachineControl, [name, ...args]: readonly string[], session: Session): string | Promise<string> {
  if (name === undefined) return INFO.map((i) => `info ${i.name.padEnd(12)} -- ${i.help}\n`).join("");
  const found = INFO.find((i) => i.name === name);
  if (found === undefined)
    throw new Error(`unknown command: 'info ${name}'; there are: ${INFO.map((i) => i.name).join(", ")}`);
  return found.show(machine, args, session);
}

function help(name: string | undefined): string {
  const shown = COMMANDS.filter((c) => name === undefined || c.name === name || c.aliases?.includes(name));
  if (shown.length === 0) throw new Error(`unknown command: '${name}'`);
  return shown.map((c) => `${[c.name, ...(c.aliases ?? [])].join("|")} ${c.parameters} -- ${c.help}\n`).join("");
}

/** Runs one line of a monitor that remembers `session`. @returns what to print; a promise for commands that work on disks. */
export function execute(
  machine: MachineControl,
  line: string,
  session: Session = newSession(),
): string | Promise<string> {
  const [name, ...args] = line.trim().split(/\s+/);
  if (name === undefined || name === "") return "";
  const [head, format] = name.split("/");
  const command = COMMANDS.find((c) => c.name === head || c.aliases?.includes(head ?? ""));
  if (command === undefined) return `unknown command: '${head}' ('help' lists them)\n`;
  try {
    const shown = command.run(machine, format === undefined ? args : [`/${format}`, ...args], session);
    return typeof shown === "string" ? shown : shown.catch(failure);
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): string {
  return `${error instanceof Error ? error.message : String(error)}\n`;
}

/** Completions of the last word of a line. */
export function completions(text: string): string[] {
  const words = text.split(/\s+/);
  const word = words.at(-1) ?? "";
  const names = words.length === 1 ? COMMANDS.map((c) => c.name) : words[0] === "info" ? INFO.map((i) => i.name) : [];
  return names.filter((name) => name.startsWith(word));
}
