import { z } from "zod";
import type { VirtioFamily } from "../family.ts";
import { defineFamily } from "../family.ts";
import { Virtio9p } from "./chip.ts";
import type { HostDirectory } from "./host.ts";

/** virtio-9p: a folder of the host. */
export const virtio9p: VirtioFamily = defineFamily({
  name: "virtio-9p",
  summary: "virtio shared folder (9P2000.L)",
  props: {
    fsdev: z.string().optional().describe("id of the -fsdev").meta({ link: "fsdev" }),
    mount_tag: z.string().max(32).optional().describe("name that the guest mounts"),
  },
  pciClass: 0x000200,
  realize(p, dev) {
    const dir = dev.link<HostDirectory>(p.fsdev, "fsdev");
    if (!dir) throw new Error("property 'fsdev' is not set: give the id of an -fsdev");
    if (p.mount_tag === undefined || !/^[\x21-\x7e]+$/.test(p.mount_tag))
      throw new Error("property 'mount_tag' is not set or not ASCII: give the name that the guest mounts");
    return new Virtio9p(dir, p.mount_tag);
  },
});
