import type { BlockBackend, GraphNode, SnapshotInfo } from "@mimus/block";
import { backingOf } from "@mimus/block";
import type { BlockControl } from "./context.ts";
import { splitFlags } from "./hmp.ts";
import { imageInfo } from "./info.ts";

/** `info block [-n] [-v] [device]`. */
export async function infoBlock(control: BlockControl, args: readonly string[]): Promise<string> {
  const { flags, rest } = splitFlags(args);
  const [only] = rest;
  const { graph } = control;
  const wanted = (name: string): boolean => only === undefined || name === only;
  const out: string[] = [];
  if (flags.has("n")) {
    for (const node of [...graph.nodes()].toReversed())
      if (wanted(node.name)) out.push(`${node.name}: ${await insertedText(control, node, undefined, flags.has("v"))}`);
    return out.join("\n");
  }
  for (const b of graph.backends()) {
    if (!wanted(b.id)) continue;
    const device = control.device?.(b.id);
    const node = b.node && graph.node(b.node.name);
    let place = "";
    if (b.owner !== undefined) place += `    Attached to:      ${device?.qdev ?? b.owner}\n`;
    if (device?.removable ?? b.owner === undefined)
      place += `    Removable device: ${device?.locked ? "" : "not "}locked, tray ${device?.trayOpen ? "open" : "closed"}\n`;
    out.push(
      node
        ? `${b.id} (${node.name}): ${await insertedText(control, node, b, flags.has("v"), place)}`
        : `${b.id}: [not inserted]\n${place}`,
    );
  }
  return out.join("\n");
}

/** An image that is in a drive, or a node of its own; `place`: what is known of the device. */
async function insertedText(
  control: BlockControl,
  node: GraphNode,
  backend: BlockBackend | undefined,
  verbose: boolean,
  place = "",
): Promise<string> {
  const { noFlush, direct, detectZeroes } = node.options;
  let out = `${node.filename} (${node.driver}${node.readOnly ? ", read-only" : ""})\n${place}`;
  out += `    Cache mode:       ${(backend?.writeCache ?? true) ? "writeback" : "writethrough"}${direct ? ", direct" : ""}${noFlush ? ", ignore flushes" : ""}\n`;
  const below = backingOf(node);
  let depth = 0;
  for (let here = below; here; here = backingOf(here)) depth++;
  if (below) out += `    Backing file:     ${below.filename} (chain depth: ${depth})\n`;
  if (detectZeroes !== "off") out += `    Detect zeroes:    ${detectZeroes}\n`;
  const texts = verbose ? await control.texts?.() : undefined;
  if (texts === undefined) return out;
  out += "\nImages:\n";
  for (let here: GraphNode | undefined = node; here; here = backingOf(here))
    out += texts.image(await imageInfo(control, here, true));
  return out;
}

/** `info snapshots`: those that a machine's whole state would come back with, then each drive's own. */
export async function infoSnapshots(control: BlockControl): Promise<string> {
  const lists: { drive: string; list: readonly SnapshotInfo[] }[] = [];
  for (const { id, node, readOnly } of control.graph.backends())
    if (node !== undefined && !readOnly) lists.push({ drive: id, list: (await node.image?.snapshots?.list()) ?? [] });
  const texts = await control.texts?.();
  const shown = (list: readonly SnapshotInfo[]): string =>
    texts?.snapshots(list) ?? list.map((s) => `${s.id} ${s.name}\n`).join("");
  const everywhere = (s: SnapshotInfo): boolean => lists.every(({ list }) => list.some((t) => t.name === s.name));
  const common = (lists[0]?.list ?? []).filter(everywhere);
  const partial = lists.map(({ drive, list }) => ({ drive, list: list.filter((s) => !everywhere(s)) }));
  if (lists.every(({ list }) => list.length === 0)) return "There is no snapshot available.\n";
  let out = "List of snapshots present on all disks:\n";
  out += common.length === 0 ? "None\n" : shown(common);
  for (const { drive, list } of partial)
    if (list.length > 0) out += `\nList of partial (non-loadable) snapshots on '${drive}':\n${shown(list)}`;
  return out;
}

/** `info blockstats`. */
export function infoBlockStats({ graph }: BlockControl): string {
  const now = graph.clock?.now() ?? 0;
  let out = "";
  for (const { id, stats: s } of graph.backends())
    out +=
      `${id}: rd_bytes=${s.readBytes} wr_bytes=${s.writeBytes} rd_operations=${s.readOps} wr_operations=${s.writeOps} ` +
      `flush_operations=${s.flushOps} wr_total_time_ns=${Math.round(s.writeTimeNs)} rd_total_time_ns=${Math.round(s.readTimeNs)} ` +
      `flush_total_time_ns=${Math.round(s.flushTimeNs)} rd_merged=0 wr_merged=0 ` +
      `idle_time_ns=${s.lastAccess > 0 ? Math.round(Math.max(0, now - s.lastAccess) * 1e6) : 0}\n`;
  return out;
}

/** `info block-jobs`. */
export function infoBlockJobs({ jobs }: BlockControl): string {
  const list = jobs.list().filter((j) => j.options.blockJob !== false);
  if (list.length === 0) return "No active jobs\n";
  return list
    .map((j) =>
      j.type === "stream"
        ? `Streaming device ${j.id}: Completed ${j.current} of ${j.total} bytes, speed limit ${j.speed} bytes/s\n`
        : `Type ${j.type}, device ${j.id}: Completed ${j.current} of ${j.total} bytes, speed limit ${j.speed} bytes/s\n`,
    )
    .join("");
}
