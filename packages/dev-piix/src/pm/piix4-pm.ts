import { type ConfigSpace, pciDevice, PciFunction, type PciProps } from "@mimus/bus-pci";
import type { DeviceContext, DeviceType, MemoryRegion, WakeReason } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { onOff, u32, u8 } from "@mimus/qom";
import { z } from "zod";
import { SUBSYSTEM } from "../i440fx/devices.ts";
import { ApmPorts } from "./apm.ts";
import { cpuPresence, PciHotplug } from "./hotplug.ts";
import { GPE, PM1, PmRegisters } from "./pm-registers.ts";
import { I2C_BUS, SmbusHost } from "./smbus.ts";

/** Registers of configuration space. Source: Intel 82371AB (PIIX4) data sheet (290562-001), 7.1. */
const REG = { PM_BASE: 0x40, DEVICE_B: 0x58, PM_MISC: 0x80, SMBUS_BASE: 0x90, SMBUS_CONFIG: 0xd2 } as const;

/** Ports. */
const PORT = { SMI: 0xb2, PCI_HOTPLUG: 0xae00, CPU_HOTPLUG: 0xaf00, GPE0: 0xafe0 } as const;

/** Values of the SMI command port that switch ACPI on and off: what the FADT tells. */
export const SMI_COMMAND = { ACPI_OFF: 0xf0, ACPI_ON: 0xf1 } as const;

/** Sleep types that are the same on every machine. Source: 82371AB data sheet, 7.2.3 "PMCNTRL"; QEMU's values. */
const SLEEP = { OFF: 0, S3: 1 } as const;

/** What a board does with the power management function. */
export interface PowerManagement {
  readonly pm: PmRegisters;
  readonly smbus: SmbusHost;
  /** @internal */
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

const props = z.strictObject({
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
});
type Props = z.infer<typeof props> & PciProps;

/** Power management of PIIX4: outputs "sci" and "smi-irq", SMBus "i2c". `impl` is {@link PowerManagement}. */
export const piix4Pm: DeviceType = defineDevice({
  name: "PIIX4_PM",
  parent: pciDevice,
  summary: "Intel PIIX4 power management",
  userCreatable: false,
  props,
  realize(given, dev): PowerManagement {
    const p = given as Props;
    const f = new PciFunction(
      dev,
      { vendor: 0x8086, device: 0x7113, revision: 3, class: 0x068000, pin: 1, ...SUBSYSTEM },
      { multifunction: p.multifunction },
    );
    setPowerOnValues(f.config, p);
    const pm = createPmRegisters(dev, p.s4_val);
    const smi = dev.irq("smi-irq");
    const apm = new ApmPorts((value) => {
      if (value === SMI_COMMAND.ACPI_ON) pm.setAcpiMode(true);
      if (value === SMI_COMMAND.ACPI_OFF) pm.setAcpiMode(false);
      if ((f.config.bytes[REG.DEVICE_B + 3]! & 0x02) !== 0) smi.pulse();
    });
    const smbus = new SmbusHost();
    dev.bus("i2c", I2C_BUS, smbus.bus);
    const hotplug = new PciHotplug(f.bus, () => dev.parentBus?.children ?? []);
    const presence = cpuPresence(() => dev.machine.cpus);

    mapAtBaseRegisters(
      f,
      dev.region("piix4-pm", pm, { size: 64 }),
      dev.region("pm-smbus", smbus, { size: 64, maxAccess: 1 }),
    );
    const { io } = f.bus;
    io.add(PORT.SMI, dev.region("apm-io", apm, { size: 2, maxAccess: 1 }));
    io.add(PORT.GPE0, dev.region("acpi-gpe0", pm.gpe, { size: 4, maxAccess: 2 }));
    if (p["acpi-root-pci-hotplug"])
      io.add(PORT.PCI_HOTPLUG, dev.region("acpi-pci-hotplug", hotplug, { size: 0x18, minAccess: 4 }));
    io.add(PORT.CPU_HOTPLUG, dev.region("acpi-cpu-hotplug", presence, { size: 0x20, maxAccess: 1 }));

    dev.stateful(pm, "pm");
    dev.onLoaded(() => pm.settle());
    dev.stateful(apm, "apm");
    dev.stateful(smbus, "smbus");
    dev.onReset("enter", () => hotplug.reset());
    f.seal();
    return {
      pm,
      smbus,
      pciHotplug: hotplug,
      powerButton: () => pm.event(PM1.POWER_BUTTON),
      alarm: () => {
        if (pm.enabled(PM1.RTC)) dev.machine.requestWakeup("rtc");
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

/** The power management registers with their clock, their interrupt, and what sleep does to the machine. */
function createPmRegisters(dev: DeviceContext, s4Type: number): PmRegisters {
  const { machine } = dev;
  const sci = dev.irq("sci");
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
      if (type === SLEEP.OFF || type === s4Type) machine.requestShutdown("guest-shutdown", 0);
      else if (type === SLEEP.S3) machine.requestSuspend();
      else dev.unimplemented(`sleep type ${type}`);
    },
  });
  return pm;
}

/** Configuration space after power-on: what firmware reads before it writes. */
function setPowerOnValues(config: ConfigSpace, p: Props): void {
  config.set(0x06, 2, 0x0280, 0, 0xf900);
  for (let at = 0x40; at < 0x100; at++) config.set(at, 1, 0, 0xff);
  config.set(REG.PM_BASE, 4, 1, 0x0000_ffc0);
  config.set(REG.DEVICE_B + 3, 1, p["smm-enabled"] ? 0 : 0x02, 0xff);
  config.set(0x5f, 1, 0x90, 0xff);
  config.set(0x63, 1, 0x60, 0xff);
  config.set(0x67, 1, 0x08, 0xff);
  config.set(REG.SMBUS_BASE, 4, p.smb_io_base | 1, 0x0000_fff0);
  config.set(REG.SMBUS_CONFIG, 1, 0x09, 0xff);
}

/** The two regions whose port, and whether they are there at all, the guest says in configuration space. */
function mapAtBaseRegisters(f: PciFunction, pm: MemoryRegion, smbus: MemoryRegion): void {
  for (const region of [pm, smbus]) {
    region.setEnabled(false);
    f.bus.io.add(0, region);
  }
  f.onConfigWrite = () => {
    const { bytes, view } = f.config;
    pm.setOffset(view.getUint32(REG.PM_BASE, true) & 0xffc0);
    pm.setEnabled((bytes[REG.PM_MISC]! & 1) !== 0);
    smbus.setOffset(view.getUint32(REG.SMBUS_BASE, true) & 0xffc0);
    smbus.setEnabled((bytes[REG.SMBUS_CONFIG]! & 1) !== 0);
  };
}
