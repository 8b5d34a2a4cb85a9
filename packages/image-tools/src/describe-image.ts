import { oneLine, protocolOf, resolveBeside, snapshotJson } from "@mimus/block";
import type { BlockNode, SnapshotInfo } from "@mimus/block";
import { plainText } from "./json.ts";
import { human } from "./sizes.ts";
import type { Tools } from "./tools.ts";

/** QEMU's `ImageInfo` of an image. */
export async function describeImage(node: BlockNode, tools: Tools, filename: string): Promise<Record<string, unknown>> {
  const image = node.image;
  const about = await image?.info?.();
  const snapshots = (await image?.snapshots?.list()) ?? [];
  const below = about?.backingFile;
  return {
    filename,
    format: node.driver,
    "virtual-size": node.size,
    "actual-size": await allocated(node, tools),
    ...(image?.clusterSize === undefined || image.clusterSize === 0 ? {} : { "cluster-size": image.clusterSize }),
    ...(about?.encrypted === true ? { encrypted: true } : {}),
    ...(about?.compressed === true ? { compressed: true } : {}),
    // Measured: absent for Parallels, of which QEMU's driver says nothing.
    ...(node.driver === "parallels" ? {} : { "dirty-flag": about?.dirty ?? false }),
    ...(below === undefined
      ? {}
      : {
          "backing-filename": below,
          "full-backing-filename": protocolOf(below) === undefined ? resolveBeside(filename, below) : below,
          "backing-filename-format": about?.backingFormat,
        }),
    ...(snapshots.length === 0 ? {} : { snapshots: snapshots.map(snapshotJson) }),
    ...(about?.specific === undefined ? {} : { "format-specific": about.specific }),
  };
}

/** Bytes that the host's files of an image take; what lies below it does not count. */
async function allocated(node: BlockNode, tools: Tools): Promise<number | undefined> {
  const names = new Set<string>();
  const visit = (n: BlockNode): void => {
    const children = Object.entries(n.children ?? {}).filter(([role]) => role !== "backing");
    if (children.length === 0 && n.filename !== undefined && n.filename !== "") names.add(n.filename);
    for (const [, child] of children) visit(child);
  };
  visit(node);
  let sum = 0;
  for (const name of names) {
    const bytes = await tools.host.allocated?.(name);
    if (bytes === undefined) return undefined;
    sum += bytes;
  }
  return names.size === 0 ? undefined : sum;
}

/** A name that comes from an image, without what a terminal would obey. */
function shown(name: unknown): string | undefined {
  return name === undefined ? undefined : oneLine(String(name));
}

/** The lines of `info`. */
export function imageText(about: Readonly<Record<string, unknown>>): string {
  const size = about["virtual-size"] as number;
  const disk = about["actual-size"] as number | undefined;
  const below = shown(about["backing-filename"]);
  const full = shown(about["full-backing-filename"]);
  const snapshots = about["snapshots"] as Readonly<Record<string, unknown>>[] | undefined;
  const specific = about["format-specific"] as { data: unknown } | undefined;
  return [
    `image: ${shown(about["filename"])}\n`,
    `file format: ${String(about["format"])}\n`,
    `virtual size: ${human(size)} (${size} bytes)\n`,
    `disk size: ${disk === undefined ? "unavailable" : human(disk)}\n`,
    about["encrypted"] === true ? "encrypted: yes\n" : "",
    about["cluster-size"] === undefined ? "" : `cluster_size: ${String(about["cluster-size"])}\n`,
    about["dirty-flag"] === true ? "cleanly shut down: no\n" : "",
    below === undefined ? "" : `backing file: ${below}${full === below ? "" : ` (actual path: ${full})`}\n`,
    about["backing-filename-format"] === undefined
      ? ""
      : `backing file format: ${shown(about["backing-filename-format"])}\n`,
    snapshots === undefined ? "" : `Snapshot list:\n${snapshotTable(snapshots)}`,
    specific === undefined ? "" : `Format specific information:\n${plainText(specific.data, 1)}`,
  ].join("");
}

/** The table of snapshots, from their JSON form. */
function snapshotTable(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const line = (...c: string[]): string =>
    `${(c[0] ?? "").padEnd(9)} ${(c[1] ?? "").padEnd(16)} ${(c[2] ?? "").padStart(8)}${(c[3] ?? "").padStart(20)}${(c[4] ?? "").padStart(13)}${(c[5] ?? "").padStart(11)}\n`;
  return (
    line("ID", "TAG", "VM SIZE", "DATE", "VM CLOCK", "ICOUNT") +
    rows
      .map((s) =>
        line(
          shown(s["id"]) ?? "",
          shown(s["name"]) ?? "",
          human(s["vm-state-size"] as number),
          localDate(s["date-sec"] as number),
          clock(s["vm-clock-sec"] as number, s["vm-clock-nsec"] as number),
          s["icount"] === undefined ? "" : String(s["icount"]),
        ),
      )
      .join("")
  );
}

/** Lines of `snapshot -l`. */
export function snapshotList(list: readonly SnapshotInfo[]): string {
  return snapshotTable(list.map(snapshotJson));
}

const two = (n: number): string => String(n).padStart(2, "0");

function localDate(seconds: number): string {
  const d = new Date(seconds * 1000);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

function clock(seconds: number, ns: number): string {
  const hours = Math.floor(seconds / 3600);
  return `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}.${String(Math.floor(ns / 1e6)).padStart(3, "0")}`;
}
