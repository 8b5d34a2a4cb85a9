import { type TypeSpec, u64 } from "@mimus/qom";
import { z } from "zod";
import type { DeviceContext } from "./context.ts";

/** Inherited class data of a device type, under the key `"device"`. */
export interface DeviceHooks {
  realize(props: never, dev: DeviceContext): unknown;
  unrealize?(impl: never, dev: DeviceContext): void;
}

/** A type that `createDevice` can make. */
export interface DeviceType extends TypeSpec {
  readonly kind: "device";
}

/** The root of all devices. */
export const deviceType: DeviceType = { name: "device", kind: "device", abstract: true, summary: "any device" };

/** A device whose registers and lines the board wires directly. */
export const sysbusDeviceType: DeviceType = {
  name: "sysbus-device",
  kind: "device",
  parent: "device",
  abstract: true,
  summary: "a device on the system bus",
  class: { bus: "sysbus" },
};

/** A sysbus device that users may add: the machine finds a place for its registers and lines on its platform bus. */
export const dynamicSysbusType: DeviceType = {
  name: "dynamic-sysbus-device",
  kind: "device",
  parent: "sysbus-device",
  abstract: true,
  summary: "a device on the system bus that users may add",
  props: z.strictObject({
    addr: u64.optional().describe("address of its first registers; the machine chooses when absent"),
  }),
  class: { dynamicSysbus: true },
};

/** A device as its package declares it. */
export interface DeviceSpec<P> {
  /** What `-device` calls it. */
  readonly name: string;
  /** A type name, or the type itself (then it is registered along); `"device"` when absent. */
  readonly parent?: string | TypeSpec;
  /** A few words for help. */
  readonly summary: string;
  /** Names of stateless interfaces that it implements. */
  readonly interfaces?: readonly string[];
  /** Its properties; unknown ones are refused. */
  readonly props?: z.ZodObject & z.ZodType<P>;
  /** Type of bus that it plugs into; inherited, `"sysbus"` below `sysbus-device`: none. */
  readonly bus?: string;
  /** Only there to be inherited from. */
  readonly abstract?: boolean;
  /** False: only boards make it. Default: true unless abstract. */
  readonly userCreatable?: boolean;
  /** Class data for those who know the type. */
  readonly class?: Readonly<Record<string, unknown>>;
  /** Builds the chip from validated properties and wires it; what it returns is `device.impl`. Inherited when absent. */
  realize?(props: P, dev: DeviceContext): unknown;
  /** Undoes what the context does not undo by itself (timers, lines, regions and buses it does). */
  unrealize?(impl: unknown, dev: DeviceContext): void;
}

/** Declares a device type. */
export function defineDevice<P = Record<string, unknown>>(spec: DeviceSpec<P>): DeviceType {
  const { parent, bus, realize, unrealize, class: data, props, ...rest } = spec;
  const hooks = realize === undefined ? {} : { device: { realize, ...(unrealize === undefined ? {} : { unrealize }) } };
  return {
    ...rest,
    kind: "device",
    parent: parent === undefined ? "device" : typeof parent === "string" ? parent : parent.name,
    bases: [deviceType, sysbusDeviceType, dynamicSysbusType, ...(typeof parent === "object" ? [parent] : [])],
    ...(props === undefined ? {} : { props }),
    class: { ...data, ...(bus === undefined ? {} : { bus }), ...hooks },
  };
}
