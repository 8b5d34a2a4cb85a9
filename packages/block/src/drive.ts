import type { BlockBackend } from "./backend.ts";
import { type DriveOptions, parseDrive } from "./drive-options.ts";
import { BlockError } from "./errors.ts";
import type { GraphNode } from "./graph-node.ts";
import type { BlockGraph } from "./graph.ts";

/** One -drive option after it was opened: where the machine plugs it, and its backend. */
export interface Drive {
  /** What devices name it by. */
  readonly id: string;
  /** "none", "virtio", "ide", "scsi", "floppy", "pflash", "sd", "mtd". */
  readonly interface: string;
  /** Number of the bus; undefined = wherever there is room. */
  readonly bus: number | undefined;
  /** Number on that bus. */
  readonly unit: number | undefined;
  /** Number among the drives of this interface; undefined = the next free one. */
  readonly index: number | undefined;
  /** What the guest sees. */
  readonly media: "disk" | "cdrom";
  /** Through which devices read and write. */
  readonly backend: BlockBackend;
}

/** What the machine adds to every -drive. */
export interface DriveDefaults {
  /** Interface of a drive that names none. */
  readonly interface: string;
  /** -snapshot was given. */
  readonly snapshot: boolean;
  /** Most bytes of memory for one temporary layer. */
  readonly overlayLimit?: number;
}

/**
 * Opens a -drive: protocol node, format node, temporary layer if asked, and a backend with its policies.
 * `text` options are as the command line gives them ("file", "if", "format", "cache", "file.locking", ...).
 */
export async function openDrive(
  graph: BlockGraph,
  text: Readonly<Record<string, unknown>>,
  defaults: DriveDefaults,
): Promise<Drive> {
  const options = parseDrive(text);
  const { bus, unit, index, media } = options;
  const itf = options.interface ?? defaults.interface;
  const id = options.id ?? nameFor(graph, itf, media, index ?? unit);
  const place = { interface: itf, id, bus, unit, index, media };
  if (options.filename === undefined && options.file === undefined && !isNull(options.driver)) {
    if (itf === "pflash" || itf === "mtd") throw new BlockError("bad-option", `-drive if=${itf} needs file=`);
    const backend = addBackend(graph, id, options);
    graph.setThrottle(backend, options.limits, options.throttleGroup);
    return { ...place, backend };
  }
  let node = await openNode(graph, options, defaults);
  try {
    if (options.copyOnRead && !node.readOnly) node = await graph.filter(node, { driver: "copy-on-read" });
    const backend = addBackend(graph, id, options);
    graph.give(backend, node);
    graph.setThrottle(backend, options.limits, options.throttleGroup);
    return { ...place, backend };
  } catch (e) {
    await graph.close(node.name);
    throw e;
  }
}

/** The nodes of a drive: its image, and the temporary layer over it that `snapshot` asks for. */
async function openNode(graph: BlockGraph, options: DriveOptions, defaults: DriveDefaults): Promise<GraphNode> {
  const { filename, file, driver, readOnly, cache } = options;
  const snapshot = options.snapshot ?? (defaults.snapshot && options.media !== "cdrom");
  const ofNode = {
    "auto-read-only": true,
    ...options.node,
    ...(driver === undefined ? {} : { driver }),
    "read-only": readOnly || snapshot,
    cache: { direct: cache.direct, "no-flush": cache.noFlush },
    ...(file === undefined ? {} : { file }),
  };
  const node =
    filename === undefined && file === undefined
      ? await graph.open(ofNode, { use: "device" })
      : await graph.openFile(filename ?? String(file?.["filename"] ?? ""), ofNode, { use: "device" });
  return snapshot && !readOnly ? graph.overlay(node, defaults.overlayLimit) : node;
}

/** Whether a driver needs no file. */
function isNull(driver: string | undefined): boolean {
  return driver === "null-co" || driver === "null-aio";
}

function addBackend(graph: BlockGraph, id: string, { werror, rerror, cache }: DriveOptions): BlockBackend {
  const backend = graph.addBackend(id);
  backend.werror = werror;
  backend.rerror = rerror;
  backend.writeCache = cache.writeback;
  return backend;
}

/** The id that a drive gets when it has none: "virtio0", "ide0-hd1", "none0". */
function nameFor(graph: BlockGraph, itf: string, media: string, index: number | undefined): string {
  const taken = new Set([...graph.backends()].map((b) => b.id));
  for (let n = index ?? 0; ; n++) {
    const perBus = itf === "ide" ? 2 : itf === "scsi" ? 7 : 0;
    const kind = media === "cdrom" ? "-cd" : itf === "floppy" ? "" : "-hd";
    const name = perBus > 0 ? `${itf}${Math.floor(n / perBus)}${kind}${n % perBus}` : `${itf}${n}`;
    if (!taken.has(name)) return name;
  }
}
