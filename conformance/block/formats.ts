/** The image formats of this repository, and the sub-formats that the long runs go through. */
import type { BlockFormat } from "@mimus/block";
import blockPlugin from "@mimus/block";
import bochsPlugin from "@mimus/block-bochs";
import cloopPlugin from "@mimus/block-cloop";
import cowPlugin from "@mimus/block-cow";
import dmgPlugin from "@mimus/block-dmg";
import luksPlugin from "@mimus/block-luks";
import ovaPlugin from "@mimus/block-ova";
import parallelsPlugin from "@mimus/block-parallels";
import qcowPlugin from "@mimus/block-qcow";
import qcow2Plugin from "@mimus/block-qcow2";
import qedPlugin from "@mimus/block-qed";
import vdiPlugin from "@mimus/block-vdi";
import vhdxPlugin from "@mimus/block-vhdx";
import vmdkPlugin from "@mimus/block-vmdk";
import vpcPlugin from "@mimus/block-vpc";
import vvfatPlugin from "@mimus/block-vvfat";
import { type Plugin, Registry } from "@mimus/qom";

export const PLUGINS: readonly Plugin[] = [
  blockPlugin,
  bochsPlugin,
  cloopPlugin,
  cowPlugin,
  dmgPlugin,
  luksPlugin,
  ovaPlugin,
  parallelsPlugin,
  qcowPlugin,
  qcow2Plugin,
  qedPlugin,
  vdiPlugin,
  vhdxPlugin,
  vmdkPlugin,
  vpcPlugin,
  vvfatPlugin,
];

/** A registry with all of them. */
export function allFormats(): Registry {
  const registry = new Registry();
  for (const plugin of PLUGINS) registry.use(plugin);
  return registry;
}

/** A format by its name. @throws Error that lists the names */
export async function formatNamed(name: string): Promise<BlockFormat> {
  const registry = allFormats();
  const names = [...registry.known("block-format")].map((t) => t.name);
  if (!names.includes(name)) throw new Error(`no format '${name}'; there are ${names.join(", ")}`);
  return (await registry.ensure(name, "block-format")) as unknown as BlockFormat;
}

/** One way to make images: a format with create options. */
export interface Variant {
  readonly format: string;
  readonly name: string;
  readonly create: Readonly<Record<string, unknown>>;
  readonly open?: Readonly<Record<string, unknown>>;
  /** What was never written reads as noise. */
  readonly noise?: boolean;
  /** `qemu-img` reads it. Default: true. */
  readonly oracle?: boolean;
  /** Files are named with this suffix; default: the format's name. */
  readonly suffix?: string;
  /** Bytes of the disk; default 3 MiB and a sector. */
  readonly size?: number;
}

const variants = (
  format: string,
  sets: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  more: Partial<Variant> = {},
): Variant[] => Object.entries(sets).map(([name, create]) => ({ format, name, create, ...more }));

/** What random operations, power cuts and damage are run on. */
export const VARIANTS: readonly Variant[] = [
  ...variants("qcow2", {
    plain: {},
    "512-byte clusters": { cluster_size: 512 },
    "8-bit refcounts": { cluster_size: 4096, refcount_bits: 8 },
    "64-bit refcounts": { cluster_size: 4096, refcount_bits: 64 },
    "extended L2": { cluster_size: 16384, extended_l2: true },
    "lazy refcounts": { cluster_size: 4096, lazy_refcounts: true },
    "version 2": { compat: "0.10", cluster_size: 4096 },
    "metadata preallocated": { preallocation: "metadata", cluster_size: 65536 },
    zstd: { compression_type: "zstd", cluster_size: 4096 },
  }),
  ...variants("vmdk", {
    monolithicSparse: { subformat: "monolithicSparse" },
    monolithicFlat: { subformat: "monolithicFlat" },
    twoGbMaxExtentSparse: { subformat: "twoGbMaxExtentSparse" },
    twoGbMaxExtentFlat: { subformat: "twoGbMaxExtentFlat" },
    "zeroed grain": { subformat: "monolithicSparse", zeroed_grain: true },
    streamOptimized: { subformat: "streamOptimized" },
  }),
  ...variants("vdi", { dynamic: {}, static: { static: true } }),
  ...variants("vpc", {
    dynamic: { subformat: "dynamic", force_size: true },
    fixed: { subformat: "fixed", force_size: true },
  }),
  ...variants("vhdx", { dynamic: { subformat: "dynamic", block_size: 1048576 }, fixed: { subformat: "fixed" } }),
  ...variants("qed", { plain: {}, "4k clusters": { cluster_size: 4096, table_size: 4 } }),
  ...variants("qcow", { plain: {} }),
  ...variants("cow", { plain: {} }, { oracle: false }),
  ...variants("parallels", { plain: {}, "64k clusters": { cluster_size: 65536 } }),
  ...variants(
    "luks",
    { plain: { "key-secret": "s0", "iter-time": 10 } },
    { oracle: false, open: { "key-secret": "s0" }, noise: true },
  ),
  ...variants("raw", { plain: {} }),
];

/** Variants whose format or name is among `wanted`; all for none. */
export function selectVariants(wanted: readonly string[]): Variant[] {
  const some = VARIANTS.filter((v) => wanted.length === 0 || wanted.includes(v.format) || wanted.includes(v.name));
  if (some.length === 0)
    throw new Error(
      `no format of ${wanted.join(", ")}; there are ${[...new Set(VARIANTS.map((v) => v.format))].join(", ")}`,
    );
  return some;
}
