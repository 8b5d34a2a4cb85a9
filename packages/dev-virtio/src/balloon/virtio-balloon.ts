import { onOff, u32 } from "@mimus/qom";
import { z } from "zod";
import type { VirtioFamily } from "../family.ts";
import { defineFamily } from "../family.ts";
import { VirtioBalloon } from "./chip.ts";

/** virtio-balloon: the guest gives memory up when asked. */
export const virtioBalloon: VirtioFamily = defineFamily({
  name: "virtio-balloon",
  summary: "virtio memory balloon",
  props: {
    "deflate-on-oom": onOff.default(false).describe("the guest may take pages back when it runs out"),
    "page-poison": onOff.default(true).describe("offer the poison value"),
    "free-page-hint": onOff.default(false).describe("only off"),
    "free-page-reporting": onOff.default(false).describe("only off"),
    "qemu-4-0-config-size": onOff.default(false).describe("accepted"),
    "guest-stats-polling-interval": u32.default(0).describe("seconds between polls of the statistics; 0 = none"),
    iothread: z.string().optional().describe("id of an I/O thread; there are none").meta({ link: "iothread" }),
  },
  pciClass: 0x00ff00,
  vectors: () => 0,
  realize(p, dev) {
    dev.link(p.iothread, "iothread");
    for (const name of ["free-page-hint", "free-page-reporting"] as const)
      if (p[name]) throw new Error(`property '${name}' is on: not available, leave it off`);
    const { memory } = dev.machine;
    const chip = new VirtioBalloon({
      deflateOnOom: p["deflate-on-oom"],
      pagePoison: p["page-poison"],
      ramSize: () => Math.max(0, ...memory.blocks.map((b) => b.size)),
      now: () => dev.now(),
      timer: (callback) => dev.timer(callback),
    });
    if (p["guest-stats-polling-interval"] > 0) chip.setPolling(p["guest-stats-polling-interval"]);
    return chip;
  },
});
