import type { PciProps } from "@mimus/bus-pci";
import { addOptionRom, pciDevice, PciFunction } from "@mimus/bus-pci";
import { VIRTIO_BUS, virtioProps } from "@mimus/bus-virtio";
import type { DeviceContext, DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { onOff, onOffAuto, u32 } from "@mimus/qom";
import { z } from "zod";
import type { VirtioFamily } from "../family.ts";
import { PciTransport } from "./transport.ts";

const AUTO = 0xffffffff;

/** The root of all virtio devices on PCI. */
export const virtioPci: DeviceType = defineDevice({
  name: "virtio-pci",
  parent: pciDevice,
  abstract: true,
  summary: "any virtio device on PCI",
  props: z.strictObject({
    "disable-legacy": onOffAuto.default("auto").describe("no legacy interface; auto = on behind a PCI Express port"),
    "disable-modern": onOff.default(false).describe("legacy interface only"),
    vectors: u32.default(AUTO).describe("MSI-X vectors; 0 = none, 4294967295 = as the device needs"),
    class: u32.default(0).describe("PCI class, instead of the device's own"),
    ioeventfd: onOff.default(true).describe("accepted"),
    ats: onOff.default(false).describe("accepted"),
    aer: onOff.default(false).describe("accepted"),
    "page-per-vq": onOff.default(false).describe("accepted"),
    "modern-pio-notify": onOff.default(false).describe("accepted"),
    "migrate-extra": onOff.default(true).describe("accepted"),
    "virtio-pci-bus-master-bug-migration": onOff.default(false).describe("accepted"),
    "x-pcie-pm-init": onOff.default(true).describe("accepted"),
    "x-pcie-flr-init": onOff.default(true).describe("accepted"),
    "x-pcie-lnkctl-init": onOff.default(true).describe("accepted"),
    "x-pcie-deverr-init": onOff.default(true).describe("accepted"),
    "x-disable-pcie": onOff.default(false).describe("accepted"),
    "x-ats-page-aligned": onOff.default(true).describe("accepted"),
    "x-ignore-backend-features": onOff.default(false).describe("accepted"),
  }),
});

interface ProxyProps extends PciProps {
  readonly "disable-legacy": "on" | "off" | "auto";
  readonly "disable-modern": boolean;
  readonly vectors: number;
  readonly class: number;
}

/** Which interfaces a type has, whatever its properties say. */
type Interfaces = "by-properties" | "transitional" | "modern";

function realize(
  family: VirtioFamily,
  interfaces: Interfaces,
  all: Readonly<Record<string, unknown>>,
  dev: DeviceContext,
): PciTransport {
  const p = all as unknown as ProxyProps;
  const cpus = Math.max(1, dev.machine.cpus.length);
  const own = Object.fromEntries([...Object.keys(family.shape), ...Object.keys(virtioProps)].map((k) => [k, all[k]]));
  const id = { vendor: 0, device: 0, class: p.class > 0 ? (p.class << 8) >>> 0 : family.pciClass, pin: 1 };
  const bus = dev.parentBus?.impl as { express?: boolean; root?: boolean } | undefined;
  const behindPort = bus?.express === true && bus.root === false;
  const noLegacy = p["disable-legacy"] === "auto" ? behindPort : p["disable-legacy"] === "on";
  const legacy = interfaces === "transitional" || (interfaces === "by-properties" && family.legacy && !noLegacy);
  const modern = interfaces !== "by-properties" || !p["disable-modern"] || !family.legacy;
  if (!legacy && !modern)
    throw new Error("disable-legacy=on and disable-modern=on leave no interface; give up one of them");
  const pci = new PciFunction(dev, id, { multifunction: p.multifunction, express: behindPort });
  if (behindPort) pci.config.addExpress(0);
  const vectors = p.vectors === AUTO ? family.vectors(own, cpus) : p.vectors;
  const transport = new PciTransport(dev, pci, { legacy, modern, vectors });
  // Its code is for PCs.
  if (dev.machine.io !== undefined) addOptionRom(pci, dev, p, family.rom);
  dev.stateful(transport, "virtio-pci");
  let n = 0;
  while (dev.machine.findBus(`virtio-bus.${n}`) !== undefined) n++;
  const virtioBus = dev.bus(`virtio-bus.${n}`, VIRTIO_BUS, transport);
  const child = dev.machine.createDevice(
    family.device.name,
    { ...own, ...family.perCpu(own, cpus) },
    { bus: virtioBus, parentPath: dev.path, name: "virtio-backend", realize: true },
  );
  dev.onUnrealize(() => child.unparent());
  pci.seal();
  return transport;
}

/** The PCI types of a virtio device: NAME-pci, and NAME-pci-transitional and -non-transitional when it had a legacy interface. */
export function pciTypes(family: VirtioFamily): DeviceType[] {
  const kinds: readonly [suffix: string, interfaces: Interfaces, note: string][] = family.legacy
    ? [
        ["", "by-properties", ""],
        ["-transitional", "transitional", ", both interfaces"],
        ["-non-transitional", "modern", ", modern interface only"],
      ]
    : [["", "by-properties", ""]];
  const props = z.strictObject({ ...family.shape, ...virtioProps });
  return kinds.map(([suffix, interfaces, note]) =>
    defineDevice({
      name: `${family.name}-pci${suffix}`,
      parent: virtioPci,
      summary: `${family.summary} on PCI${note}`,
      props: props as unknown as z.ZodObject & z.ZodType<Record<string, unknown>>,
      ...(suffix === "" ? { class: { alias: family.name } } : {}),
      realize: (all, dev) => realize(family, interfaces, all, dev),
    }),
  );
}
