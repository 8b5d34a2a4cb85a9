import type { BlockControl } from "./context.ts";
import { driveOf, nodeOf } from "./context.ts";
import { backingOf, commitNow, openDrive, skipFilters } from "@mimus/block";
import { runBlockCommand } from "./commands.ts";

/** A human command about disks. */
export interface BlockHmp {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly parameters: string;
  readonly help: string;
  run(control: BlockControl, args: readonly string[]): Promise<string>;
}

/** Splits `-a -b x y` into flags and the rest. */
export function splitFlags(args: readonly string[]): { flags: ReadonlySet<string>; rest: string[] } {
  const flags = new Set<string>();
  let at = 0;
  for (; /^-[a-z]$/.test(args[at] ?? ""); at++) flags.add((args[at] ?? "").slice(1));
  return { flags, rest: args.slice(at) };
}

const SIZE = /^(\d+)([bkmgtpeBKMGTPE]?)$/;

/** Bytes; a number alone is in MiB, as in `block_resize`. */
function size(text: string | undefined, unit = "m"): number {
  const m = SIZE.exec(text ?? "");
  if (!m) throw new Error(`invalid size '${text ?? ""}'`);
  const power = "bkmgtpe".indexOf((m[2] === "" ? unit : (m[2] ?? unit)).toLowerCase());
  return Number(m[1]) * 1024 ** power;
}

/** The command of the same name in QMP, with its arguments. */
function qmp(
  name: string,
  args: (rest: string[], flags: ReadonlySet<string>) => Record<string, unknown>,
): BlockHmp["run"] {
  return async (control, given) => {
    const { flags, rest } = splitFlags(given);
    await runBlockCommand(control, name, defined(args(rest, flags)));
    return "";
  };
}
function defined(args: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).filter(([, v]) => v !== undefined));
}

/** `host:port` or `unix:PATH`. */
function serverAddress(text: string | undefined): Record<string, unknown> {
  if (text?.startsWith("unix:")) return { type: "unix", data: { path: text.slice(5) } };
  const inet = /^(.*):(\d+)$/.exec(text ?? "");
  if (inet === null) throw new Error(`address '${text ?? ""}': expected HOST:PORT or unix:PATH`);
  return { type: "inet", data: { host: inet[1] === "" ? "0.0.0.0" : inet[1], port: inet[2] } };
}

/** `nbd_server_start [-a] [-w] address`; `-a`: all drives with a medium are exported under their ids, `-w`: writable. */
async function serverStart(control: BlockControl, args: readonly string[]): Promise<string> {
  const { flags, rest } = splitFlags(args);
  if (flags.has("w") && !flags.has("a")) throw new Error("-w only valid together with -a");
  await runBlockCommand(control, "nbd-server-start", { addr: serverAddress(rest[0]) });
  if (!flags.has("a")) return "";
  try {
    for (const { id, node } of control.graph.backends())
      if (node !== undefined && id !== "")
        await runBlockCommand(control, "nbd-server-add", { device: id, writable: flags.has("w") && !node.readOnly });
  } catch (error) {
    await runBlockCommand(control, "nbd-server-stop", {});
    throw error;
  }
  return "";
}

async function commit(control: BlockControl, [device]: readonly string[]): Promise<string> {
  await commitDrives(control, device);
  return "";
}

/** `drive_add [-n] ADDRESS OPTIONS`: the options of `-drive`; there are no buses that disks are put on later. */
async function driveAdd({ graph }: BlockControl, args: readonly string[]): Promise<string> {
  const { flags, rest } = splitFlags(args);
  const text = rest[1];
  if (text === undefined) throw new Error("drive_add: missing options");
  if (flags.has("n")) throw new Error("drive_add -n is not there: 'blockdev-add' of QMP makes nodes");
  const options = Object.fromEntries(
    text
      .replaceAll(",,", "\0")
      .split(",")
      .map((item) => {
        const [key = "", ...value] = item.replaceAll("\0", ",").split("=");
        return [key, value.length === 0 ? "on" : value.join("=")];
      }),
  );
  if ((options["if"] ?? "none") !== "none") throw new Error("Can't hot-add drive to type other than if=none");
  const { backend } = await openDrive(graph, { ...options, if: "none" }, { interface: "none", snapshot: false });
  if (backend.node) await graph.bitmaps.load(graph.node(backend.node.name));
  return "OK\n";
}

async function driveDel(control: BlockControl, [id]: readonly string[]): Promise<string> {
  const { graph } = control;
  const backend = driveOf(control, id ?? "");
  await backend.drain();
  await graph.take(backend);
  if (backend.owner === undefined) graph.removeBackend(backend.id);
  return "";
}

/** Writes what an image holds into the one below it. `device`: a drive, a node, or "all". @throws BlockError */
export async function commitDrives(control: BlockControl, device: string | undefined): Promise<void> {
  if (device === undefined) throw new Error("commit: missing device; or 'all'");
  const { graph } = control;
  const nodes =
    device === "all"
      ? [...graph.backends()].flatMap((b) => (b.node && backingOf(graph.node(b.node.name)) ? [b.node.name] : []))
      : [nodeOf(control, device).name];
  for (const name of nodes) {
    const node = graph.node(name);
    await graph.drained([skipFilters(node)], () => commitNow(node));
  }
}

/** The human monitor's commands about disks. Source: QEMU 7.2, hmp-commands.hx: names and arguments. */
export const BLOCK_HMP: readonly BlockHmp[] = [
  {
    name: "commit",
    parameters: "device|all",
    help: "commit changes to the disk images (if -snapshot is used) or backing files",
    run: commit,
  },
  {
    name: "block_resize",
    parameters: "device size",
    help: "resize a block image",
    run: qmp("block_resize", ([device, bytes]) => ({ device, size: size(bytes) })),
  },
  {
    name: "block_stream",
    parameters: "device [speed [base]]",
    help: "copy data from a backing file into a block device",
    run: qmp("block-stream", ([device, speed, base]) => ({
      device,
      "job-id": device,
      base,
      speed: speed === undefined ? undefined : size(speed, "b"),
    })),
  },
  {
    name: "block_job_set_speed",
    parameters: "device speed",
    help: "set maximum speed for a background block operation",
    run: qmp("block-job-set-speed", ([device, speed]) => ({ device, speed: size(speed, "b") })),
  },
  {
    name: "block_job_cancel",
    parameters: "[-f] device",
    help: "stop an active background block operation (use -f to force)",
    run: qmp("block-job-cancel", ([device], flags) => ({ device, force: flags.has("f") })),
  },
  ...(["complete", "pause", "resume"] as const).map((verb): BlockHmp => ({
    name: `block_job_${verb}`,
    parameters: "device",
    help: `${verb} an active background block operation`,
    run: qmp(`block-job-${verb}`, ([device]) => ({ device })),
  })),
  {
    name: "drive_mirror",
    parameters: "[-n] [-f] device target [format]",
    help: "start mirroring a device to a file (-n: the file exists; -f: the whole chain)",
    run: qmp("drive-mirror", ([device, target, format], flags) => ({
      device,
      target,
      format,
      mode: flags.has("n") ? "existing" : "absolute-paths",
      sync: flags.has("f") ? "full" : "top",
    })),
  },
  {
    name: "drive_backup",
    parameters: "[-n] [-f] [-c] device target [format]",
    help: "copy a device as it is now to a file (-n: the file exists; -f: the whole chain; -c: compressed)",
    run: qmp("drive-backup", ([device, target, format], flags) => ({
      device,
      target,
      format,
      mode: flags.has("n") ? "existing" : "absolute-paths",
      sync: flags.has("f") ? "full" : "top",
      compress: flags.has("c"),
    })),
  },
  {
    name: "snapshot_blkdev",
    parameters: "[-n] device [new-image-file] [format]",
    help: "put a new image over the device's (-n: it exists already)",
    run: qmp("blockdev-snapshot-sync", ([device, file, format], flags) => ({
      device,
      "snapshot-file": file,
      format,
      mode: flags.has("n") ? "existing" : "absolute-paths",
    })),
  },
  {
    name: "snapshot_blkdev_internal",
    parameters: "device name",
    help: "take an internal snapshot of a device",
    run: qmp("blockdev-snapshot-internal-sync", ([device, name]) => ({ device, name })),
  },
  {
    name: "snapshot_delete_blkdev_internal",
    parameters: "device name [id]",
    help: "delete an internal snapshot of a device",
    run: qmp("blockdev-snapshot-delete-internal-sync", ([device, name, id]) => ({ device, name, id })),
  },
  {
    name: "block_set_io_throttle",
    parameters: "device bps bps_rd bps_wr iops iops_rd iops_wr",
    help: "change I/O throttle limits for a block device",
    run: qmp("block_set_io_throttle", ([device, ...limits]) => ({
      device,
      ...Object.fromEntries(
        ["bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"].map((key, i) => [key, size(limits[i] ?? "0", "b")]),
      ),
    })),
  },
  {
    name: "drive_add",
    parameters: "[-n] [[<domain>:]<bus>:]<slot> [file=file][,if=none][,id=name][,...]",
    help: "add a drive that a device may take (if=none)",
    run: driveAdd,
  },
  {
    name: "drive_del",
    parameters: "device",
    help: "remove a drive; a device that has it finds no medium",
    run: driveDel,
  },
  {
    name: "nbd_server_start",
    parameters: "[-a] [-w] host:port|unix:path",
    help: "serve block devices on the given host and port (-a: all of them, -w: writable)",
    run: serverStart,
  },
  {
    name: "nbd_server_add",
    parameters: "[-w] device [name]",
    help: "export a block device via NBD (-w: writable)",
    run: qmp("nbd-server-add", ([device, name], flags) => ({ device, name, writable: flags.has("w") })),
  },
  {
    name: "nbd_server_remove",
    parameters: "[-f] name",
    help: "remove an export previously exposed via NBD (-f: although clients use it)",
    run: qmp("nbd-server-remove", ([name], flags) => ({ name, mode: flags.has("f") ? "hard" : "safe" })),
  },
  {
    name: "nbd_server_stop",
    parameters: "",
    help: "stop serving block devices using the NBD protocol",
    run: qmp("nbd-server-stop", () => ({})),
  },
  {
    name: "eject",
    parameters: "[-f] device",
    help: "eject a removable medium (use -f to force it)",
    run: qmp("eject", ([device], flags) => ({ device, force: flags.has("f") })),
  },
  {
    name: "change",
    parameters: "[-f] device filename [format [read-only-mode]]",
    help: "change a removable medium",
    run: qmp("blockdev-change-medium", ([device, filename, format, mode], flags) => ({
      device,
      filename,
      format,
      "read-only-mode": mode,
      force: flags.has("f"),
    })),
  },
];
