/** guestfish against our NBD server: a disk that holds files already, and an empty one. */
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Apt, unpackWithout } from "../../tools/guests/apt.ts";
import { guestsDirectory } from "../../tools/guests/fetch.ts";
import { freePort, mimusWords, NbdServerProcess, run } from "../lib/nbd.ts";

const PROGRAMS = ["guestfish", "supermin", "depmod", "qemu-system-x86_64", "qemu-img", "mke2fs", "e2fsck", "debugfs"];
/** Where the partition of `part-disk` starts, bytes. */
const PARTITION = 64 * 1024;
const MIB = 2 ** 20;

/** Runs it. @returns whether everything was right; without the programs it says so, and nothing was wrong */
export async function guestfish(print: (line: string) => void): Promise<boolean> {
  const missing = PROGRAMS.filter((p) => run("which", [p]).status !== 0);
  if (missing.length > 0) {
    print(`guestfish: skipped, for want of ${missing.join(", ")}`);
    return true;
  }
  const kernel = await applianceKernel(print);
  const modules = "/lib/modules";
  // supermin copies its attributes, and ends where there is none.
  const borrowed = !existsSync(modules) && mkdirSync(modules, { recursive: true }) !== undefined;
  const folder = mkdtempSync(join(tmpdir(), "mimus-guestfish-"));
  const servers: NbdServerProcess[] = [];
  try {
    const files = makeDisks(folder);
    const uris: string[] = [];
    for (const disk of ["old", "new"]) {
      const socket = join(folder, `${disk}.sock`);
      const port = await freePort();
      // The first by its socket, the second by a port and a name.
      const where =
        disk === "old" ? ["-k", socket] : ["-b", "127.0.0.1", "-p", String(port), "-x", "disk", "--pid-file", socket];
      const words = mimusWords("nbd", "-t", "-f", "qcow2", "--discard=unmap", ...where, join(folder, `${disk}.qcow2`));
      servers.push(await NbdServerProcess.start(words, socket));
      uris.push(disk === "old" ? `nbd://?socket=${socket}` : `nbd://127.0.0.1:${port}/disk`);
    }
    const said = await fish(uris, folder, { ...process.env, ...kernel });
    await Promise.all(servers.map((s) => s.stop()));
    const complaints =
      said.status === 0 ? judge(folder, files, said.stdout) : [`status ${said.status}: ${said.stderr}`];
    for (const complaint of complaints) print(`WRONG ${complaint}`);
    print(
      `guestfish: ${COMMANDS(folder).length} commands over nbd://, ${files.size} files read and 2 written, qemu-img check and e2fsck after it: ${complaints.length} wrong`,
    );
    return complaints.length === 0;
  } finally {
    await Promise.all(servers.map((s) => s.stop()));
    rmSync(folder, { recursive: true });
    if (borrowed) rmdirSync(modules);
  }
}

/** A kernel for libguestfs's appliance, which takes the machine's own otherwise; containers have none. */
async function applianceKernel(print: (line: string) => void): Promise<Record<string, string>> {
  const home = join(guestsDirectory(), "guestfs-linux");
  if (!existsSync(home)) {
    const progress = (line: string): void => print(`guestfish: ${line}`);
    const apt = new Apt("bookworm", guestsDirectory());
    const name = await apt.dependency("linux-image-cloud-amd64:amd64", "linux-image-", progress);
    const work = `${home}-${process.pid}`;
    try {
      const [deb = ""] = await apt.download([name], join(work, "deb"), progress);
      await unpackWithout(deb, join(work, "tree"), ["usr/share/*"]);
      const [version = ""] = readdirSync(join(work, "tree/lib/modules"));
      const { status, stderr } = run("depmod", ["-b", join(work, "tree"), version]);
      if (status !== 0) throw new Error(`depmod: ${stderr}`);
      renameSync(join(work, "tree"), home);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  const [version = ""] = readdirSync(join(home, "lib/modules"));
  const cache = join(guestsDirectory(), "guestfs-appliance");
  mkdirSync(cache, { recursive: true });
  return {
    SUPERMIN_KERNEL: join(home, "boot", `vmlinuz-${version}`),
    SUPERMIN_KERNEL_VERSION: version,
    SUPERMIN_MODULES: join(home, "lib/modules", version),
    LIBGUESTFS_BACKEND: "direct",
    LIBGUESTFS_BACKEND_SETTINGS: "force_tcg",
    LIBGUESTFS_CACHEDIR: cache,
  };
}

/** `old.qcow2` with an ext4 of known files, `new.qcow2` with nothing. @returns the files' hashes */
function makeDisks(folder: string): Map<string, string> {
  const source = join(folder, "source");
  mkdirSync(join(source, "many"), { recursive: true });
  const files = new Map<string, string>();
  for (let i = 0; i < 40; i++) {
    const name = `many/file ${i}`;
    const bytes = randomBytes(i * 7001);
    writeFileSync(join(source, name), bytes);
    files.set(name, sha256(bytes));
  }
  const raw = join(folder, "old.raw");
  must("mke2fs", ["-q", "-t", "ext4", "-d", source, raw, "64M"]);
  must("qemu-img", ["convert", "-f", "raw", "-O", "qcow2", raw, join(folder, "old.qcow2")]);
  must("qemu-img", ["create", "-q", "-f", "qcow2", join(folder, "new.qcow2"), "256M"]);
  writeFileSync(join(folder, "payload"), randomBytes(9 * MIB + 123));
  return files;
}

const COMMANDS = (folder: string): readonly string[] => [
  "run",
  "list-devices",
  "mount /dev/sda /",
  "find /many",
  "checksums-out sha256 /many /dev/stdout",
  'write /many/added "from guestfish\\n"',
  "rm '/many/file 39'",
  "umount /",
  "part-disk /dev/sdb mbr",
  "mkfs ext4 /dev/sdb1",
  "mount /dev/sdb1 /",
  "mkdir-p /a/b",
  `upload ${join(folder, "payload")} /a/b/payload`,
  `upload ${join(folder, "payload")} /gone`,
  "sync",
  "rm /gone",
  "fstrim /",
  `download /a/b/payload ${join(folder, "payload.back")}`,
  "ll /a/b",
  "umount /",
  "e2fsck /dev/sdb1 correct:true",
];

function fish(
  uris: readonly string[],
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<{ status: number; stdout: string; stderr: string }> {
  const child = spawn("guestfish", ["--format=raw", ...uris.flatMap((u) => ["-a", u])], { env, timeout: 900_000 });
  const out = { status: 128, stdout: "", stderr: "" };
  child.stdout.on("data", (text: Buffer) => (out.stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (out.stderr += text.toString()));
  child.stdin.end(COMMANDS(folder).join("\n"));
  return new Promise((resolve) => child.once("close", (status) => resolve({ ...out, status: status ?? 128 })));
}

function judge(folder: string, files: ReadonlyMap<string, string>, stdout: string): string[] {
  const complaints: string[] = [];
  for (const [name, hash] of files)
    if (!stdout.includes(`${hash}  ./${name.slice("many/".length)}`)) complaints.push(`guestfish read ${name} wrongly`);
  const payload = readFileSync(join(folder, "payload"));
  if (!readFileSync(join(folder, "payload.back")).equals(payload))
    complaints.push("what came back differs from what went");
  const wanted = { old: [["/many/added", Buffer.from("from guestfish\n")]], new: [["/a/b/payload", payload]] } as const;
  for (const disk of ["old", "new"] as const) {
    const image = join(folder, `${disk}.qcow2`);
    const check = run("qemu-img", ["check", image]);
    if (check.status !== 0) complaints.push(`${disk}: qemu-img check: ${check.stdout}${check.stderr}`);
    const raw = join(folder, `${disk}.raw`);
    must("qemu-img", ["convert", "-f", "qcow2", "-O", "raw", image, raw]);
    const system = disk === "old" ? raw : `${raw}?offset=${PARTITION}`;
    const fsck = run("e2fsck", ["-fn", system]);
    if (fsck.status !== 0) complaints.push(`${disk}: e2fsck: ${fsck.stdout}`);
    for (const [path, bytes] of wanted[disk]) {
      const { stdout: got } = spawnSync("debugfs", ["-R", `cat ${path}`, system], { maxBuffer: 64 * MIB });
      if (!got.equals(bytes)) complaints.push(`${disk}: ${path} has ${got.length} bytes, not those written`);
    }
  }
  return complaints;
}

function must(program: string, args: readonly string[]): void {
  const { status, stderr } = run(program, args);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")}: ${stderr}`);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
