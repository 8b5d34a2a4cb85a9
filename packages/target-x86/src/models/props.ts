/** Properties of the CPU types; names and defaults are QEMU 7.2's. */
import { onOff, u32, u8 } from "@mimus/qom";
import { z } from "zod";
import { FEATURE_PROPERTIES } from "./features.ts";

const features: Record<string, z.ZodOptional<typeof onOff>> = Object.fromEntries(
  FEATURE_PROPERTIES.map((name) => [name, onOff.optional()]),
);

const upTo = (most: number) => u32.refine((n) => n <= most, `must be 0 to ${most}`);

/** What every model has besides its features. */
const common = z.strictObject({
  // 8 bits of the extended family are added to 4 of the family.
  family: upTo(0xff + 0xf)
    .optional()
    .describe("family; default: the model's"),
  model: upTo(0xff).optional().describe("model number; default: the model's"),
  stepping: upTo(0xf).optional().describe("stepping; default: the model's"),
  vendor: z
    .string()
    .refine((text) => text.length === 12, "must have 12 characters")
    .optional()
    .describe("vendor, 12 characters"),
  "model-id": z.string().max(48).optional().describe("name of the processor, 48 characters at most"),
  level: u32.optional().describe("highest basic leaf of CPUID"),
  xlevel: u32.optional().describe("highest extended leaf of CPUID"),
  "phys-bits": u8
    .refine((n) => n === 0 || (n >= 32 && n <= 52), "must be 32 to 52, or 0")
    .default(0)
    .describe("bits of a physical address; 0: 40"),
  "apic-id": u32.optional().describe("number of the local APIC; default: that of the CPU"),
  "socket-id": u32.optional(),
  "core-id": u32.optional(),
  "thread-id": u32.optional(),
  "die-id": u32.optional(),
  "node-id": u32.optional(),
  check: onOff.default(true).describe("warn of features that cannot be had"),
  enforce: onOff.default(false).describe("refuse to start without them"),
  "legacy-cache": onOff.optional().describe("describe the caches that all models share"),
  "l3-cache": onOff.default(true),
  "tcg-cpuid": onOff.default(true).describe("leaf 40000000h says that this is a program"),
  "cpuid-0xb": onOff.default(true),
  "host-phys-bits": onOff.default(false),
  kvm: onOff.default(true).describe("no effect"),
  pmu: onOff.default(false).describe("no effect"),
  migratable: onOff.default(true).describe("no effect"),
});

/** Properties of a CPU after parsing, besides its features, which are booleans by their names. */
export type CpuProps = {
  /** Family, model, stepping; default: the model's. */
  readonly family?: number | undefined;
  readonly model?: number | undefined;
  readonly stepping?: number | undefined;
  /** 12 characters. */
  readonly vendor?: string | undefined;
  /** 48 characters at most. */
  readonly "model-id"?: string | undefined;
  /** Highest basic and extended leaf of CPUID. */
  readonly level?: number | undefined;
  readonly xlevel?: number | undefined;
  /** Bits of a physical address; 0: 40. */
  readonly "phys-bits": number;
  /** Number of the local APIC; default: that of the CPU. */
  readonly "apic-id"?: number | undefined;
  readonly "socket-id"?: number | undefined;
  readonly "core-id"?: number | undefined;
  readonly "thread-id"?: number | undefined;
  readonly "die-id"?: number | undefined;
  readonly "node-id"?: number | undefined;
  /** Warn of features that cannot be had. */
  readonly check: boolean;
  /** Refuse to start without them. */
  readonly enforce: boolean;
  /** Describe the caches that all models share. */
  readonly "legacy-cache"?: boolean | undefined;
  readonly "l3-cache": boolean;
  /** Leaf 40000000h says that this is a program. */
  readonly "tcg-cpuid": boolean;
  readonly "cpuid-0xb": boolean;
  readonly "host-phys-bits": boolean;
  /** No effect: `kvm`, `pmu`, `migratable`. */
  readonly kvm: boolean;
  readonly pmu: boolean;
  readonly migratable: boolean;
};

/** All properties. */
export const cpuProps: z.ZodObject & z.ZodType<CpuProps> = common.extend(features) as z.ZodObject & z.ZodType<CpuProps>;
