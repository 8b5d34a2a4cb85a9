/** The image tools and QEMU's on the same files: what they print, and how they end. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { nodeFiles, nodeFormatHost } from "@mimus/host-node";
import { img, io, type ToolHost } from "@mimus/image-tools";
import { allFormats } from "../block/formats.ts";
import { imageCommand } from "./image-command.ts";

/** How a command ended. */
export interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** True when both of QEMU's tools are installed; says so when not. */
export function hasQemuTools(): boolean {
  const found = ["qemu-img", "qemu-io"].every((tool) => spawnSync(tool, ["--version"]).status === 0);
  if (!found) console.warn("image tools: skipped, qemu-img or qemu-io (qemu-utils) is not installed");
  return found;
}

/** Two folders with the same files: QEMU's tools work in one, ours in the other. */
export class ImagePair {
  readonly #root: string = mkdtempSync(join(tmpdir(), "mimus-img-"));
  readonly theirs: string = join(this.#root, "theirs");
  readonly ours: string = join(this.#root, "ours");

  /** Makes the files of both with shell commands of QEMU's tools. */
  constructor(commands: readonly string[]) {
    const made = join(this.#root, "made");
    mkdirSync(made);
    for (const command of commands) {
      const ended = spawnSync("sh", ["-ec", command], { cwd: made, encoding: "utf8" });
      if (ended.status !== 0) throw new Error(`${command}: ${ended.stderr}${ended.stdout}`);
    }
    // Holes are a part of what is compared.
    for (const copy of [this.theirs, this.ours]) spawnSync("cp", ["-a", "--sparse=always", made, copy]);
  }

  /** Runs one command line of qemu-img with both. */
  async img(line: string): Promise<{ theirs: Ended; ours: Ended }> {
    const argv = words(line);
    const ours = await inProcess("mimus img", this.ours, (host) => img(argv, host));
    return { theirs: this.#run("qemu-img", argv), ours: plain(ours, "mimus img", "qemu-img", this.ours) };
  }

  /** Runs qemu-io commands with both. Streams are apart, because C buffers one of them. */
  async io(argv: readonly string[]): Promise<{ theirs: Ended; ours: Ended }> {
    const ours = await inProcess("mimus io", this.ours, (host) => io(argv, host));
    return { theirs: this.#run("qemu-io", argv), ours: plain(ours, "mimus io", "qemu-io", this.ours) };
  }

  remove(): void {
    rmSync(this.#root, { recursive: true });
  }

  #run(tool: string, argv: readonly string[]): Ended {
    const { status, stdout, stderr } = imageCommand(tool, argv, { cwd: this.theirs, timeout: 30_000 });
    return plain({ status: status ?? -1, out: stdout, err: stderr }, tool, tool, this.theirs);
  }
}

/** Words of a command line; quotes keep blanks. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? "");
}

/** Takes out what differs from run to run: names of programs and folders, storage, dates, speeds, made-up identities. */
function plain(ended: Ended, program: string, name: string, folder: string): Ended {
  const clean = (text: string): string =>
    text
      .replaceAll(program, name)
      .replaceAll(`${folder}/`, "")
      .replaceAll(/backing file: (\S+) \(actual path: \1\)/g, "backing file: $1")
      .replaceAll(/^(\w+ \[.*) -- .*$/gm, "$1 -- HELP")
      .replaceAll(/disk size: .*/g, "disk size: SIZE")
      .replaceAll(/"actual-size": \d+/g, '"actual-size": SIZE')
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "DATE")
      .replaceAll(/"date-n?sec": \d+/g, '"date": DATE')
      .replaceAll(/\d\d\.\d\d sec \([^)]*\)/g, "TIME")
      .replaceAll(/^(\d+,\d+),\d:.*$/gm, "$1,TIME")
      .replaceAll(/Run completed in .*/g, "Run completed in TIME")
      .replaceAll(/#block\d+/g, "#block")
      .trimEnd();
  return { status: ended.status, out: clean(ended.out), err: clean(ended.err) };
}

async function inProcess(program: string, folder: string, run: (host: ToolHost) => Promise<number>): Promise<Ended> {
  let out = "";
  let err = "";
  const host: ToolHost = {
    program,
    version: "0",
    registry: allFormats(),
    files: {
      open: (path, options) => nodeFiles.open(resolve(folder, path), options),
      read: (path) => nodeFiles.read(resolve(folder, path)),
      realpath: async (path) => nodeFiles.realpath?.(resolve(folder, path)) ?? path,
    },
    format: nodeFormatHost() as ToolHost["format"],
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    now: () => performance.now() * 1e6,
    delay: (ns) => new Promise((done) => setTimeout(done, ns / 1e6)),
    same: (a, b) => Buffer.compare(a, b) === 0,
    remove: (path) => rm(resolve(folder, path), { force: true }),
    allocated: async (path) => (await stat(resolve(folder, path)).catch(() => undefined))?.blocks ?? 0,
  };
  const status = await run(host);
  return { status, out, err };
}
