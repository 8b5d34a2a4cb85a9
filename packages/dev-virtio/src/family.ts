import type { VirtioDevice, VirtioModel } from "@mimus/bus-virtio";
import { realizeVirtio, VIRTIO_BUS, virtioProps } from "@mimus/bus-virtio";
import type { DeviceContext, DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import type { z as Z } from "zod";
import { z } from "zod";

/** A model that is told of the device it sits in before anything else happens. */
interface FamilyModel extends VirtioModel {
  device: VirtioDevice;
}

/** A virtio device type as its file writes it; the types for each transport are made from it. */
export interface FamilySpec<S extends Z.ZodRawShape> {
  /** Without the transport's suffix: "virtio-blk". */
  readonly name: string;
  readonly summary: string;
  readonly props: S;
  realize(props: Z.output<Z.ZodObject<S>> & { readonly packed: boolean }, dev: DeviceContext): FamilyModel;
  /** PCI class code, 24 bits. */
  readonly pciClass: number;
  /** MSI-X vectors on PCI when the user says nothing. */
  vectors?(props: Z.output<Z.ZodObject<S>>, cpus: number): number;
  /** File of its option ROM on PCI. */
  readonly rom?: string;
  /** Properties that depend on the number of vCPUs on PCI. */
  perCpu?(props: Z.output<Z.ZodObject<S>>, cpus: number): Readonly<Record<string, unknown>>;
  /** Types for legacy and modern PCI only; absent for devices that never were legacy. Default true. */
  readonly legacy?: boolean;
  /** Name of the device type when it is not `${name}-device`. */
  readonly deviceName?: string;
  readonly userCreatable?: boolean;
}

/** The same, erased, with the type that plugs into a virtio bus. */
export interface VirtioFamily {
  readonly name: string;
  readonly summary: string;
  /** Own properties, without those that all virtio devices share. */
  readonly shape: Z.ZodRawShape;
  readonly device: DeviceType;
  readonly pciClass: number;
  readonly legacy: boolean;
  vectors(props: Readonly<Record<string, unknown>>, cpus: number): number;
  readonly rom: string | undefined;
  perCpu(props: Readonly<Record<string, unknown>>, cpus: number): Readonly<Record<string, unknown>>;
}

/** Declares a virtio device type. */
export function defineFamily<S extends Z.ZodRawShape>(spec: FamilySpec<S>): VirtioFamily {
  type Props = Z.output<Z.ZodObject<S>>;
  const device = defineDevice({
    name: spec.deviceName ?? `${spec.name}-device`,
    summary: spec.summary,
    bus: VIRTIO_BUS,
    props: z.strictObject({ ...spec.props, ...virtioProps }) as unknown as Z.ZodObject &
      Z.ZodType<Record<string, unknown>>,
    realize(props, dev) {
      const model = spec.realize(props as never, dev);
      model.device = realizeVirtio(dev, model, props as never);
      return model;
    },
  });
  return {
    name: spec.name,
    summary: spec.summary,
    shape: spec.props,
    device,
    pciClass: spec.pciClass,
    legacy: spec.legacy ?? true,
    rom: spec.rom,
    vectors: (props, cpus) => spec.vectors?.(props as Props, cpus) ?? 2,
    perCpu: (props, cpus) => spec.perCpu?.(props as Props, cpus) ?? {},
  };
}
