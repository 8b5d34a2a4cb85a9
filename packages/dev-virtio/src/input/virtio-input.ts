import { ABS_MAX, BUTTONS, INPUT_ROUTER, KEYS } from "@mimus/display";
import type { InputKind, InputRouter } from "@mimus/display";
import { onOff, u32 } from "@mimus/qom";
import { z } from "zod";
import type { VirtioFamily } from "../family.ts";
import { defineFamily } from "../family.ts";
import { EV, VirtioInput } from "./chip.ts";

const keys = [...new Set(Object.values(KEYS))];
const buttons = Object.values(BUTTONS);

function family(
  name: string,
  what: {
    summary: string;
    shown: string;
    product: number;
    pciClass: number;
    kinds: readonly InputKind[];
    codes: (wheel: boolean) => Readonly<Record<number, readonly number[]>>;
    abs?: boolean;
    wheel?: boolean;
  },
): VirtioFamily {
  return defineFamily({
    name,
    summary: what.summary,
    props: {
      serial: z.string().max(128).optional().describe("serial number that the guest sees"),
      display: z.string().optional().describe("accepted"),
      head: u32.default(0).describe("accepted"),
      ...(what.wheel ? { "wheel-axis": onOff.default(true).describe("the wheel is an axis") } : {}),
    },
    pciClass: what.pciClass,
    legacy: false,
    realize(p, dev) {
      const wheel = (p as Record<string, unknown>)["wheel-axis"] !== false;
      const chip = new VirtioInput({
        name: what.shown,
        serial: p.serial ?? "",
        product: what.product,
        kinds: what.kinds,
        codes: what.codes(wheel),
        absMax: what.abs ? { 0: ABS_MAX, 1: ABS_MAX } : {},
      });
      const router = dev.machine.backend(INPUT_ROUTER.kind, INPUT_ROUTER.id) as InputRouter | undefined;
      if (router) dev.onUnrealize(router.register(chip));
      return chip;
    },
  });
}

// The names are what guests' rules match on.

/** A keyboard. */
export const virtioKeyboard: VirtioFamily = family("virtio-keyboard", {
  summary: "virtio keyboard",
  shown: "QEMU Virtio Keyboard",
  product: 1,
  pciClass: 0x090000,
  kinds: ["keys"],
  codes: () => ({ [EV.KEY]: keys, [EV.REP]: [0, 1], [EV.LED]: [0, 1, 2] }),
});

/** A mouse that tells movements. */
export const virtioMouse: VirtioFamily = family("virtio-mouse", {
  summary: "virtio mouse",
  shown: "QEMU Virtio Mouse",
  product: 2,
  pciClass: 0x090200,
  kinds: ["relative"],
  codes: (wheel) => ({ [EV.KEY]: buttons, [EV.REL]: wheel ? [0, 1, 8] : [0, 1] }),
  wheel: true,
});

/** A tablet that tells positions. */
export const virtioTablet: VirtioFamily = family("virtio-tablet", {
  summary: "virtio tablet",
  shown: "QEMU Virtio Tablet",
  product: 3,
  pciClass: 0x098000,
  kinds: ["absolute"],
  codes: (wheel) => ({ [EV.KEY]: buttons, [EV.ABS]: [0, 1], ...(wheel ? { [EV.REL]: [8] } : {}) }),
  abs: true,
  wheel: true,
});
