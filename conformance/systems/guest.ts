/** A Debian system in a machine, driven through its serial console and the monitor behind it. */
import { Console } from "../lib/console.ts";
import { startMimus } from "../lib/mimus.ts";
import type { DebianSystem } from "./debian.ts";
import { MINUTE, record } from "./patience.ts";
import { type Architecture, COMMAND_LINE, PASSWORD } from "./recipe.ts";

/** How a system is started. */
export interface BootOptions {
  readonly architecture: Architecture;
  readonly system: DebianSystem;
  /** The copy of the disk that the guest writes to. */
  readonly disk: string;
  readonly bus: "ide" | "virtio";
  /** `kernel`: the kernel is loaded by the machine; `grub`: SeaBIOS starts GRUB from the disk. */
  readonly by: "kernel" | "grub";
  readonly cpus?: number;
  /** MiB. */
  readonly memory?: number;
  /** Runs QEMU in the machine's place: what is the guest's own doing shows there, too. */
  readonly qemu?: boolean;
  /** Guest time goes by instructions, 2^icount ns each, and idle time passes at once: a host with no time to spare makes no guest late. */
  readonly icount?: number;
  readonly more?: readonly string[];
}

/** A running system. */
export class DebianGuest {
  readonly console: Console;

  constructor(o: BootOptions) {
    const args = ["-m", String(o.memory ?? 512), "-smp", String(o.cpus ?? 2), "-nographic", "-vga", "none", "-nic", "none", "-no-reboot"]; // prettier-ignore
    args.push("-drive", `file=${o.disk},format=raw,if=${o.bus}`, ...(o.more ?? []));
    if (o.by === "kernel")
      args.push("-kernel", o.system.kernel, "-initrd", o.system.initrd, "-append", `${COMMAND_LINE} console=ttyS0,115200`); // prettier-ignore
    if (o.icount !== undefined) args.push("-icount", `shift=${o.icount},sleep=off`);
    const target = o.architecture === "amd64" ? "x86_64" : "i386";
    this.console =
      o.qemu === true ? new Console(`qemu-system-${target}`, args) : startMimus([`system-${target}`, ...args]);
    record(this.console);
  }

  /** Waits for the prompt and logs in as root. @returns seconds from the start to the prompt */
  async login(minutes = 30): Promise<number> {
    const ms = await this.console.waitFor(/login: /, minutes * MINUTE);
    await this.console.type("root\n");
    await this.console.waitFor("Password: ", 5 * MINUTE);
    await this.console.type(`${PASSWORD}\n`);
    await this.console.waitFor(/root@mimus-debian:~# /, 5 * MINUTE);
    // Messages of the kernel would cut into what commands print.
    await this.run(
      "dmesg -n 1; stty -echo; export TERM=dumb SYSTEMD_PAGER=cat; bind 'set enable-bracketed-paste off'; PS1=",
    );
    return ms / 1000;
  }

  /** Runs a command. @returns what it printed, without carriage returns; @throws Error where its status is not 0 */
  async run(command: string, minutes = 5): Promise<string> {
    const from = this.console.log.length;
    await this.console.type(`${command}; echo "STATUS-$?-"\n`);
    await this.console.waitFor(/STATUS-\d+-\r\n/, minutes * MINUTE);
    const text = this.console.log.slice(from);
    const end = text.search(/STATUS-\d+-\r\n/);
    const status = Number(/STATUS-(\d+)-\r\n/.exec(text)?.[1]);
    const said = text.slice(0, end).replaceAll("\r", "");
    if (status !== 0) throw new Error(`'${command}' ended with ${status}: ${said.slice(-1500)}`);
    return said;
  }

  /** Says one line to the monitor. */
  async monitor(line: string): Promise<void> {
    await this.console.type("\x01c");
    await this.console.waitFor("(qemu)", MINUTE);
    await this.console.type(`${line}\n`);
    await this.console.type("\x01c");
  }

  /** The guest powers itself off. @returns the program's exit status */
  async poweroff(by: "command" | "button", minutes = 20): Promise<number> {
    if (by === "button") await this.monitor("system_powerdown");
    else await this.console.type("poweroff\n");
    await this.console.waitFor("reboot: Power down", minutes * MINUTE);
    return this.console.exit(2 * MINUTE);
  }
}
