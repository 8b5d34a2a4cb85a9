import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { u32 } from "@mimus/qom";
import { z } from "zod";

/** What it needs of a character device. */
interface Output {
  write(bytes: Uint8Array): number;
}

/** A port that firmware writes its messages to. Source: Bochs, "port E9 hack". */
export const isaDebugcon: DeviceType = defineDevice({
  name: "isa-debugcon",
  parent: isaDevice,
  summary: "debug console at a port",
  props: z.strictObject({
    iobase: u32.default(0xe9).describe("port"),
    chardev: z
      .string()
      .min(1, "expected the id of a -chardev")
      .describe("ID of a chardev to use as a backend")
      .meta({ link: "chardev" }),
    readback: u32.default(0xe9).describe("what a read gives: how programs find it"),
  }),
  realize(p, dev) {
    const backend = dev.link<Output>(p.chardev, "chardev")!;
    const one = new Uint8Array(1);
    const registers = {
      read: (): number => p.readback,
      write: (_offset: number, _size: number, value: number): void => {
        one[0] = value;
        backend.write(one);
      },
    };
    isaBusOf(dev).io.add(p.iobase, dev.region("debugcon", registers, { size: 1 }));
    return registers;
  },
});
