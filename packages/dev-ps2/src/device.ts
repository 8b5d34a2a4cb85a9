import { INPUT_ROUTER } from "@mimus/display";
import type { InputRouter } from "@mimus/display";
import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceContext, DeviceType } from "@mimus/machine-core";
import { onOff, u8 } from "@mimus/qom";
import { z } from "zod";
import { I8042 } from "./i8042.ts";
import { Ps2Keyboard } from "./keyboard.ts";
import { Ps2Mouse } from "./mouse.ts";

function listen(dev: DeviceContext, chip: Ps2Keyboard | Ps2Mouse): void {
  const router = dev.machine.backend(INPUT_ROUTER.kind, INPUT_ROUTER.id) as InputRouter | undefined;
  if (router !== undefined) dev.onUnrealize(router.register(chip));
  dev.stateful(chip);
}

/** The keyboard behind a port of a PS/2 controller. */
export const ps2Kbd: DeviceType = defineDevice({
  name: "ps2-kbd",
  parent: "sysbus-device",
  summary: "PS/2 keyboard",
  userCreatable: false,
  props: z.strictObject({}),
  realize(_props, dev) {
    const chip = new Ps2Keyboard();
    listen(dev, chip);
    return chip;
  },
});

/** The mouse behind a port of a PS/2 controller. */
export const ps2Mouse: DeviceType = defineDevice({
  name: "ps2-mouse",
  parent: "sysbus-device",
  summary: "PS/2 mouse",
  userCreatable: false,
  props: z.strictObject({}),
  realize(_props, dev) {
    const chip = new Ps2Mouse();
    listen(dev, chip);
    return chip;
  },
});

/** The keyboard controller of the PC at ports 60 and 64, with keyboard and mouse. Output "a20": whether address line 20 is let through. */
export const i8042: DeviceType = defineDevice({
  name: "i8042",
  parent: isaDevice,
  summary: "PS/2 keyboard and mouse controller",
  props: z.strictObject({
    "extended-state": onOff.default(true).describe("accepted; the whole state is always saved"),
    "kbd-throttle": onOff.default(false).describe("accepted; bytes take no time"),
    "kbd-irq": u8.default(1).describe("interrupt of the keyboard"),
    "mouse-irq": u8.default(12).describe("interrupt of the mouse"),
  }),
  realize(props, dev) {
    const isa = isaBusOf(dev);
    const part = (type: string, name: string): unknown => {
      const device = dev.machine.createDevice(type, {}, { parentPath: dev.path, name, realize: true });
      dev.onUnrealize(() => {
        device.unrealize();
        device.unparent();
      });
      return device.impl;
    };
    const [keyboardIrq, auxIrq] = dev.irqs("", 2);
    const a20 = dev.irq("a20");
    keyboardIrq!.connect(isa.irq(props["kbd-irq"]));
    auxIrq!.connect(isa.irq(props["mouse-irq"]));
    const chip = new I8042(part("ps2-kbd", "ps2kbd") as Ps2Keyboard, part("ps2-mouse", "ps2mouse") as Ps2Mouse, {
      keyboardIrq: (level) => keyboardIrq!.set(level),
      auxIrq: (level) => auxIrq!.set(level),
      a20: (level) => a20.set(level),
      resetPulse: () => dev.machine.requestReset("guest"),
    });
    const data = {
      read: () => chip.readData(),
      write: (_at: number, _size: number, value: number) => chip.writeData(value),
    };
    const command = {
      read: () => chip.status,
      write: (_at: number, _size: number, value: number) => chip.writeCommand(value),
    };
    isa.io.add(0x60, dev.region("i8042-data", data, { size: 1 }));
    isa.io.add(0x64, dev.region("i8042-cmd", command, { size: 1 }));
    dev.stateful(chip);
    chip.reset();
    return chip;
  },
});
