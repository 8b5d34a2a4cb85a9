import { u32 } from "@mimus/qom";
import { z } from "zod";
import type { VirtioFamily } from "../family.ts";
import { defineFamily } from "../family.ts";
import { int64 } from "../int64.ts";
import { VirtioRng } from "./chip.ts";

/** A source of random bytes: what `-object rng-random,id=` and its like are, back ends of kind "rng". */
export interface RngSource {
  fill(bytes: Uint8Array): void;
}

/** virtio-rng: random bytes, from `rng=` or from the machine. */
export const virtioRng: VirtioFamily = defineFamily({
  name: "virtio-rng",
  summary: "virtio source of random numbers",
  props: {
    rng: z.string().optional().describe("id of the source; the machine's own when not given").meta({ link: "rng" }),
    "max-bytes": int64.default(Number.MAX_SAFE_INTEGER).describe("most bytes in a period"),
    period: u32.default(1 << 16).describe("milliseconds"),
  },
  pciClass: 0x00ff00,
  realize(p, dev) {
    if (p.period < 1) throw new Error("property 'period' is 0; it is at least 1 millisecond");
    const source = dev.link<RngSource>(p.rng, "rng");
    return new VirtioRng({
      fill: source ? (b) => source.fill(b) : (b) => dev.random(b),
      maxBytes: p["max-bytes"],
      periodNs: p.period * 1e6,
      now: () => dev.now(),
      timer: (callback) => dev.timer(callback),
    });
  },
});
