import { pciDevice, PciFunction, type PciProps } from "@mimus/bus-pci";
import type { DeviceType, Registers, Stateful, WakeReason } from "@mimus/machine-core";
import { defineDevice, defineState } from "@mimus/machine-core";
import { onOff, u32, u8 } from "@mimus/qom";
import { z } from "zod";
import { SUBSYSTEM } from "../i440fx/devices.ts";
import { cpuPresence, PciHotplug } from "./hotplug.ts";
import { GPE, PM1, PmRegisters } from "./pm-registers.ts";
import { I2C_BUS, SmbusHost } from "./smbus.ts";

/** Registers of configuration space. Source: Intel 82371AB (PIIX4) data sheet (290562-001), 7.1. */
const REG = { PM_BASE: 0x40, DEVICE_B: 0x58, PM_MISC: 0x80, SMBUS_BASE: 0x90, SMBUS_CONFIG: 0xd2 } as const;

/** Ports. */
const PORT = { SMI: 0xb2, PCI_HOTPLUG: 0xae00, CPU_HOTPLUG: 0xaf00, GPE0: 0xafe0 } as const;

/** Values of the SMI command port that switch ACPI on and off: what the FADT tells. */
export const SMI_COMMAND = { ACPI_OFF: 0xf0, ACPI_ON: 0xf1 } as const;

const byte = z.int().min(0).max(0xff).default(0);
const ApmState = defineState("apm", 1, { control: byte, status: byte });

/** Advanced power management ports B2h and B3h: writing the first one asks firmware for something. */
class ApmPorts implements Registers, Stateful {
  readonly #command: (value: number) => void;
  #control = 0;
  #status = 0;

  constructor(command: (value: number) => void) {
    this.#command = command;
  }
  read(offset: number): number {
    return offset === 0 ? this.#control : this.#status;
  }
  write(offset: number, _size: number, value: number): void {
    if (offset === 0) {
      this.#control = value;
      this.#command(value);
    } else this.#status = value;
  }
  reset(): void {
    this.#control = this.#status = 0;
  }
  save(): unknown {
    return ApmState.parse({ control: this.#control, status: this.#status });
  }
  load(raw: unknown): void {
    const s = ApmState.parse(raw);
    this.#control = s.control;
    this.#status = s.status;
  }
}

/** Sleep types that are the same on every machine. Source: 82371AB data sheet, 7.2.3 "PMCNTRL"; QEMU's values. */
const SLEEP = { OFF: 0, S3: 1 } as const;

/** What a board does with the power management function. */
export interface PowerManagement {
  readonly pm: PmRegisters;
  readonly smbus: SmbusHost;
  readonly pciHotplug: PciHotplug;
  /** Someone presses the power button. */
  powerButton(): void;
  /** The clock's alarm: it ends a sleep when the guest wants that. */
  alarm(): void;
  /** The machine was reset to end a sleep: this is why. */
  wake(reason: WakeReason): void;
  /** A PCI device came into a slot of bus 0, or is asked to leave it. */
  slotChanged(slot: number, plugged: boolean): void;
}

/** Power management of PIIX4: outputs "sci" and "smi-irq", SMBus "i2c". `impl` is {@link PowerManagement}. */
export const piix4Pm: DeviceType = defineDevice({
  name: "PIIX4_PM",
  parent: pciDevice,
  summary: "Intel PIIX4 power management",
  userCreatable: false,
  props: z.strictObject({
    smb_io_base: u32.default(0).describe("first port of the SMBus controller"),
    disable_s3: u8.default(0).describe("sleeping with memory on is not offered"),
    disable_s4: u8.default(0).describe("sleeping with memory saved is not offered"),
    s4_val: u8.default(2).describe("sleep type of S4"),
    "acpi-pci-hotplug-with-bridge-support": onOff.default(true).describe("accepted"),
    "acpi-root-pci-hotplug": onOff.default(true).describe("the hot-plug registers exist"),
    "memory-hotplug-support": onOff.default(true).describe("accepted"),
    "smm-compat": onOff.default(false).describe("accepted"),
    "smm-enabled": onOff.default(false).describe("processors have system management mode"),
    "x-not-migrate-acpi-index": onOff.default(false).describe("accepted"),
  }),
  realize(props, dev): PowerManagement {
    const p = props as typeof props & PciProps;
    const { machine } = dev;
    const f = new PciFunction(
      dev,
      { vendor: 0x8086, device: 0x7113, revision: 3, class: 0x068000, pin: 1, ...SUBSYSTEM },
      { multifunction: p.multifunction },
    );
    const { config } = f;
    const { io } = f.bus;
    const sci = dev.irq("sci");
    const smi = dev.irq("smi-irq");
    const timer = dev.timer(() => pm.expire());
    const pm: PmRegisters = new PmRegisters({
      now: () => {
        machine.clocks.virtual.exact?.();
        return dev.now();
      },
      arm: (deadline) => (deadline === undefined ? timer.cancel() : timer.arm(deadline)),
      sci: (level) => sci.set(level),
      sleep: (type) => {
        // Soft off, memory that stays, or memory that is on disk already.
        if (type === SLEEP.OFF || type === p.s4_val) machine.requestShutdown("guest-shutdown", 0);
        else if (type === SLEEP.S3) machine.requestSuspend();
        else dev.unimplemented(`sleep type ${type}`);
      },
    });
    const apm = new ApmPorts((value) => {
      if (value === SMI_COMMAND.ACPI_ON) pm.setAcpiMode(true);
      if (value === SMI_COMMAND.ACPI_OFF) pm.setAcpiMode(false);
      if ((config.bytes[REG.DEVICE_B + 3]! & 0x02) !== 0) smi.pulse();
    });
    const smbus = new SmbusHost();
    const i2c = dev.bus("i2c", I2C_BUS, smbus.bus);
    const hotplug = new PciHotplug(f.bus, () => dev.parentBus?.children ?? []);

    config.set(0x06, 2, 0x0280, 0, 0xf900);
    for (let at = 0x40; at < 0x100; at++) config.set(at, 1, 0, 0xff);
    config.set(REG.PM_BASE, 4, 1, 0x0000_ffc0);
    config.set(REG.DEVICE_B + 3, 1, p["smm-enabled"] ? 0 : 0x02, 0xff);
    config.set(0x5f, 1, 0x90, 0xff);
    config.set(0x63, 1, 0x60, 0xff);
    config.set(0x67, 1, 0x08, 0xff);
    config.set(REG.SMBUS_BASE, 4, p.smb_io_base | 1, 0x0000_fff0);
    config.set(REG.SMBUS_CONFIG, 1, 0x09, 0xff);

    const pmRegion = dev.region("piix4-pm", pm, { size: 64 });
    const smbusRegion = dev.region("pm-smbus", smbus, { size: 64, maxAccess: 1 });
    pmRegion.setEnabled(false);
    smbusRegion.setEnabled(false);
    io.add(0, pmRegion);
    io.add(0, smbusRegion);
    io.add(PORT.SMI, dev.region("apm-io", apm, { size: 2, maxAccess: 1 }));
    io.add(PORT.GPE0, dev.region("acpi-gpe0", pm.gpe, { size: 4, maxAccess: 2 }));
    if (p["acpi-root-pci-hotplug"])
      io.add(PORT.PCI_HOTPLUG, dev.region("acpi-pci-hotplug", hotplug, { size: 0x18, minAccess: 4 }));
    const presence = cpuPresence(() => machine.cpus);
    io.add(PORT.CPU_HOTPLUG, dev.region("acpi-cpu-hotplug", presence, { size: 0x20, maxAccess: 1 }));

    f.onConfigWrite = () => {
      const v = config.view;
      pmRegion.setOffset(v.getUint32(REG.PM_BASE, true) & 0xffc0);
      pmRegion.setEnabled((config.bytes[REG.PM_MISC]! & 1) !== 0);
      smbusRegion.setOffset(v.getUint32(REG.SMBUS_BASE, true) & 0xffc0);
      smbusRegion.setEnabled((config.bytes[REG.SMBUS_CONFIG]! & 1) !== 0);
    };
    dev.stateful(pm, "pm");
    dev.onLoaded(() => pm.settle());
    dev.stateful(apm, "apm");
    dev.stateful(smbus, "smbus");
    dev.onReset("enter", () => hotplug.reset());
    f.seal();
    void i2c;
    return {
      pm,
      smbus,
      pciHotplug: hotplug,
      powerButton: () => pm.event(PM1.POWER_BUTTON),
      alarm: () => {
        if (pm.enabled(PM1.RTC)) machine.requestWakeup("rtc");
      },
      // Guests look for a reason: whoever wakes them otherwise has pressed the button.
      wake: (reason) => pm.event(PM1.WAKE | (reason === "rtc" ? PM1.RTC : PM1.POWER_BUTTON)),
      slotChanged: (slot, plugged) => {
        if (plugged) hotplug.plugged(slot);
        else hotplug.requestUnplug(slot);
        pm.generalEvent(GPE.PCI_HOTPLUG);
      },
    };
  },
});
