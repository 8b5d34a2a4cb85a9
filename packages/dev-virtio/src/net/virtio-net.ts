import type { NetBackend } from "@mimus/net";
import { defaultMac, formatMac, parseMac } from "@mimus/net";
import type { DeviceContext } from "@mimus/machine-core";
import { i32, onOff, u16, u32 } from "@mimus/qom";
import { z } from "zod";
import type { VirtioFamily } from "../family.ts";
import { defineFamily } from "../family.ts";
import { F, VirtioNet } from "./chip.ts";

const offload = (what: string) => onOff.default(true).describe(`accepted; ${what} is not offered`);

/** Options that offer a feature, and its bit. */
const FEATURES = {
  mrg_rxbuf: F.MRG_RXBUF,
  status: F.STATUS,
  ctrl_vq: F.CTRL_VQ,
  ctrl_rx: F.CTRL_RX,
  ctrl_vlan: F.CTRL_VLAN,
  ctrl_rx_extra: F.CTRL_RX_EXTRA,
  guest_announce: F.GUEST_ANNOUNCE,
  ctrl_mac_addr: F.CTRL_MAC_ADDR,
} as const;

function ringSize(name: string, size: number): number {
  if (size >= 256 && size <= 1024 && Number.isInteger(Math.log2(size))) return size;
  throw new Error(`property '${name}' is ${size}; it is a power of two from 256 to 1024`);
}

/** The address: the user's, or the first of the default ones that no card has. Kept in the machine so that each is given once. */
function claimMac(given: string | undefined, dev: DeviceContext): Uint8Array {
  let mac = given === undefined ? defaultMac(0) : parseMac(given);
  if (mac[0]! & 1) throw new Error(`property 'mac': ${formatMac(mac)} is a multicast address`);
  const taken = (m: Uint8Array): boolean => dev.machine.backend("mac", formatMac(m)) !== undefined;
  if (given === undefined) for (let n = 1; taken(mac) && n < 256; n++) mac = defaultMac(n);
  const name = formatMac(mac);
  if (!taken(mac)) {
    dev.machine.registerBackend("mac", name, dev.path);
    dev.onUnrealize(() => dev.machine.unregisterBackend("mac", name));
  }
  return mac;
}

/** virtio-net: a network card. */
export const virtioNet: VirtioFamily = defineFamily({
  name: "virtio-net",
  summary: "virtio network card",
  props: {
    netdev: z
      .string()
      .min(1, "expected the id of a -netdev")
      .optional()
      .describe("id of the -netdev")
      .meta({ link: "netdev" }),
    mac: z.string().optional().describe("address; 52:54:00:12:34:56 and up when not given"),
    mrg_rxbuf: onOff.default(true).describe("offer frames in several buffers"),
    status: onOff.default(true).describe("offer the link state"),
    ctrl_vq: onOff.default(true).describe("offer the control queue"),
    ctrl_rx: onOff.default(true).describe("offer receive modes"),
    ctrl_vlan: onOff.default(true).describe("offer the VLAN filter"),
    ctrl_rx_extra: onOff.default(true).describe("offer more receive modes"),
    guest_announce: onOff.default(true).describe("offer announcements after migration"),
    ctrl_mac_addr: onOff.default(true).describe("offer setting the address"),
    rx_queue_size: u16.default(256).describe("entries, a power of two from 256 to 1024"),
    tx_queue_size: u16.default(256).describe("entries, a power of two from 256 to 1024"),
    host_mtu: u16.default(0).describe("largest payload to tell the driver; 0 = do not"),
    mq: onOff.default(false).describe("only off"),
    csum: offload("checksumming"),
    guest_csum: offload("checksumming"),
    gso: offload("segmentation"),
    guest_tso4: offload("segmentation"),
    guest_tso6: offload("segmentation"),
    guest_ecn: offload("segmentation"),
    guest_ufo: offload("segmentation"),
    host_tso4: offload("segmentation"),
    host_tso6: offload("segmentation"),
    host_ecn: offload("segmentation"),
    host_ufo: offload("segmentation"),
    ctrl_guest_offloads: offload("switching offloads"),
    guest_rsc_ext: onOff.default(false).describe("only off"),
    rss: onOff.default(false).describe("only off"),
    hash: onOff.default(false).describe("only off"),
    failover: onOff.default(false).describe("only off"),
    rsc_interval: u32.default(300000).describe("accepted"),
    "x-txtimer": u32.default(150000).describe("accepted"),
    "x-txburst": i32.default(256).describe("accepted"),
    "x-mtu-bypass-backend": onOff.default(true).describe("accepted"),
    tx: z.enum(["bh", "timer"]).optional().describe("accepted"),
    speed: i32.default(-1).describe("accepted"),
    duplex: z.enum(["half", "full"]).optional().describe("accepted"),
    bootindex: i32.optional().describe("place in the boot order"),
  },
  pciClass: 0x020000,
  vectors: () => 4,
  rom: "efi-virtio.rom",
  realize(p, dev) {
    for (const name of ["mq", "guest_rsc_ext", "rss", "hash", "failover"] as const)
      if (p[name]) throw new Error(`property '${name}' is on: not available, leave it off`);
    const backend = dev.link<NetBackend>(p.netdev, "netdev");
    const needsControl = ["ctrl_rx", "ctrl_vlan", "ctrl_rx_extra", "guest_announce", "ctrl_mac_addr"];
    const features = Object.entries(FEATURES)
      .filter(([name]) => p[name as keyof typeof FEATURES] && (p.ctrl_vq || !needsControl.includes(name)))
      .map(([, bit]) => bit);
    const chip = new VirtioNet(dev.path, {
      mac: claimMac(p.mac, dev),
      rxSize: ringSize("rx_queue_size", p.rx_queue_size),
      txSize: ringSize("tx_queue_size", p.tx_queue_size),
      mtu: p.host_mtu,
      features,
    });
    if (backend) {
      chip.plug(backend);
      dev.onUnrealize(() => backend.detach(chip));
    }
    return chip;
  },
});
