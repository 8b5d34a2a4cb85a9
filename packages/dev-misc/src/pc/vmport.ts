import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType, Registers } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { onOff, u32, u8 } from "@mimus/qom";
import { z } from "zod";

const PORT = 0x5658;
const MAGIC = 0x564d_5868;
const NO_COMMAND = 0xffff_ffff;

/** Numbers of general registers. */
export const REGISTER = { AX: 0, CX: 1, DX: 2, BX: 3, SI: 6, DI: 7 } as const;

/** Commands. Source: VMware, open-vm-tools, "backdoor" protocol. */
const COMMAND = { VERSION: 10, RAM_SIZE: 20, TIME: 23 } as const;

/** General registers of the CPU that reads the port: the low 32 bits, unsigned. */
export interface PortRegisters {
  get(n: number): number;
  set(n: number, value: number): void;
}

/** What a CPU must offer. */
interface RegisterCpu {
  reg(n: number): bigint;
  setReg(n: number, value: number): void;
}

/** VMware's port: commands and answers are in the registers of the CPU that reads it. */
export class Vmport implements Registers {
  readonly #commands: Map<number, (r: PortRegisters) => number> = new Map();
  readonly #registers: () => PortRegisters | undefined;

  /** @param registers those of the CPU that reads the port now */
  constructor(registers: () => PortRegisters | undefined) {
    this.#registers = registers;
  }

  /** Adds a command; what `run` gives is what the port reads as. Call the answer to take it away. */
  add(command: number, run: (r: PortRegisters) => number): () => void {
    this.#commands.set(command, run);
    return () => this.#commands.delete(command);
  }

  read(_offset: number, size: number): number {
    if (size < 4) return 2 ** (8 * size) - 1;
    const r = this.#registers();
    if (r === undefined || r.get(REGISTER.AX) !== MAGIC) return NO_COMMAND;
    const run = this.#commands.get(r.get(REGISTER.CX) & 0xffff);
    return run === undefined ? NO_COMMAND : run(r) >>> 0;
  }

  write(): void {
    // Writing does nothing: drivers may use OUT for what they want no answer to.
  }
}

/** VMware's port 5658h, with the commands that tell version, memory size, identity and time. */
export const vmport: DeviceType = defineDevice({
  name: "vmport",
  parent: isaDevice,
  summary: "VMware port",
  userCreatable: false,
  props: z.strictObject({
    "x-read-set-eax": onOff.default(true).describe("accepted"),
    "x-signal-unsupported-cmd": onOff.default(true).describe("accepted"),
    "x-report-vmx-type": onOff.default(true).describe("tell the product"),
    "x-cmds-v2": onOff.default(true).describe("commands beside version and memory size"),
    "vmware-vmx-version": u32.default(6).describe("version"),
    "vmware-vmx-type": u8.default(2).describe("product: 2 is a server"),
  }),
  realize(p, dev) {
    const { machine } = dev;
    const port = new Vmport(() => {
      // The one that reads has the command in its registers.
      for (const { cpu } of machine.cpus) {
        const c = cpu as Partial<RegisterCpu>;
        if (c.reg === undefined || c.setReg === undefined) continue;
        const get = (n: number): number => Number(c.reg!(n) & 0xffff_ffffn);
        if (get(REGISTER.AX) === MAGIC && (get(REGISTER.DX) & 0xffff) === PORT)
          return { get, set: (n, value) => c.setReg!(n, value >>> 0) };
      }
      return undefined;
    });
    port.add(COMMAND.VERSION, (r) => {
      r.set(REGISTER.BX, MAGIC);
      if (p["x-report-vmx-type"]) r.set(REGISTER.CX, p["vmware-vmx-type"]);
      return p["vmware-vmx-version"];
    });
    port.add(COMMAND.RAM_SIZE, (r) => {
      r.set(REGISTER.BX, 0x1177);
      return machine.memory.blocks.find((b) => b.name === "pc.ram")?.size ?? 0;
    });
    if (p["x-cmds-v2"])
      port.add(COMMAND.TIME, (r) => {
        const now = dev.now("host");
        r.set(REGISTER.BX, Math.floor((now % 1e9) / 1e3));
        r.set(REGISTER.CX, 1_000_000);
        return Math.floor(now / 1e9);
      });
    isaBusOf(dev).io.add(PORT, dev.region("vmport", port, { size: 4 }));
    return port;
  },
});
