import { cp, glob, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

import { Apt, unpack } from "./apt.ts";
import { writeInitramfs } from "./initramfs.ts";
import { type GuestPackage, type GuestTree, PACKAGES, TREES } from "./packages.ts";
import { fetchTree, treeIsComplete } from "./tree.ts";

/** Where guests are kept between runs and checkouts. */
export function guestsDirectory(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return process.env["MIMUS_GUESTS"] ?? join(cache, "mimus", "guests");
}

/** The guests of the named groups or ids. @throws Error naming what exists. */
export function select(names: readonly string[]): (GuestPackage | GuestTree)[] {
  const guests = [...PACKAGES, ...TREES];
  const known = new Set(guests.flatMap((p) => [p.id, ...p.groups]).concat("all"));
  for (const name of names)
    if (!known.has(name))
      throw new Error(`there is no guest or group '${name}'; there are: ${[...known].sort().join(", ")}`);
  return guests.filter((p) => names.some((name) => name === "all" || name === p.id || p.groups.includes(name)));
}

/** Fetches what is missing, and builds the initramfs. @throws AptError where packages cannot be had. */
export async function fetchGuests(
  guests: readonly (GuestPackage | GuestTree)[],
  progress: (line: string) => void,
): Promise<string> {
  const cache = guestsDirectory();
  const suites = new Map<string, Apt>();
  for (const guest of guests) {
    const tree = "packages" in guest;
    if (await (tree ? treeIsComplete(cache, guest) : complete(cache, guest))) continue;
    const apt = suites.get(guest.suite) ?? new Apt(guest.suite, cache);
    suites.set(guest.suite, apt);
    await (tree ? fetchTree(cache, guest, apt, progress) : fetchPackage(cache, guest, apt, progress));
  }
  const has = async (name: string): Promise<boolean> => exists(join(cache, name));
  if ((await has("riscv64/busybox")) && (await has("riscv64/linux"))) await initramfs(cache, progress);
  for (const architecture of ["amd64", "i386"])
    if (await has(`${architecture}/busybox`)) await plainInitramfs(cache, architecture, progress);
  return cache;
}

async function fetchPackage(
  cache: string,
  guest: GuestPackage,
  apt: Apt,
  progress: (line: string) => void,
): Promise<void> {
  const architecture = guest.package.includes(":") ? `:${guest.package.split(":")[1]}` : "";
  const name =
    guest.dependency === undefined ? guest.package : await apt.dependency(guest.package, guest.dependency, progress);
  const work = join(cache, `work-${guest.id}-${process.pid}`);
  try {
    const [deb = ""] = await apt.download(
      [name.includes(":") ? name : name + architecture],
      join(work, "deb"),
      progress,
    );
    progress(`unpacking ${name}`);
    await unpack(deb, join(work, "tree"), Object.values(guest.files));
    for (const [stable, pattern] of Object.entries(guest.files)) {
      const found = (await Array.fromAsync(glob(pattern, { cwd: join(work, "tree") })))[0];
      if (found === undefined) throw new Error(`${name} has no ${pattern}`);
      const target = join(cache, stable);
      await mkdir(dirname(target), { recursive: true });
      await cp(join(work, "tree", found), `${target}.new`, { dereference: true });
      await rename(`${target}.new`, target);
    }
    await mkdir(join(cache, "versions"), { recursive: true });
    await writeFile(
      join(cache, "versions", guest.id),
      `${deb.split("/").at(-1)}\n${Object.keys(guest.files).join("\n")}\n`,
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The files that this version of the table wants are all there. */
async function complete(cache: string, guest: GuestPackage): Promise<boolean> {
  const record = await readFile(join(cache, "versions", guest.id), "utf8").catch(() => "");
  if (record === "") return false;
  const present = await Promise.all(Object.keys(guest.files).map((name) => exists(join(cache, name))));
  return present.every(Boolean);
}

async function initramfs(cache: string, progress: (line: string) => void): Promise<void> {
  const linux = PACKAGES.find((p) => p.id === "linux");
  const modules = Object.keys(linux?.files ?? {}).filter((name) => name.endsWith(".ko.xz"));
  const recipe = await readFile(new URL("./initramfs.ts", import.meta.url), "utf8");
  const stamp = `${await readFile(join(cache, "versions/linux"), "utf8")}${await readFile(join(cache, "versions/busybox"), "utf8")}${recipe}`;
  const stampPath = join(cache, "versions/initramfs");
  if ((await readFile(stampPath, "utf8").catch(() => "")) === stamp) return;
  progress("building the initramfs");
  const busybox = join(cache, "riscv64/busybox");
  await writeInitramfs(join(cache, "riscv64/initramfs.gz"), busybox, []);
  await writeInitramfs(
    join(cache, "riscv64/initramfs-modules.gz"),
    busybox,
    modules.map((name) => join(cache, name)),
  );
  await writeFile(stampPath, stamp);
}

/** The same without modules. */
async function plainInitramfs(cache: string, architecture: string, progress: (line: string) => void): Promise<void> {
  const recipe = await readFile(new URL("./initramfs.ts", import.meta.url), "utf8");
  const id = architecture === "amd64" ? "pc-busybox" : `pc-busybox-${architecture}`;
  const stamp = `${await readFile(join(cache, "versions", id), "utf8")}${recipe}`;
  const stampPath = join(cache, `versions/initramfs-${architecture}`);
  if ((await readFile(stampPath, "utf8").catch(() => "")) === stamp) return;
  progress(`building the initramfs for ${architecture}`);
  await writeInitramfs(join(cache, architecture, "initramfs.gz"), join(cache, architecture, "busybox"), []);
  await writeFile(stampPath, stamp);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
