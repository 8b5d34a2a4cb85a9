import { execFile, spawn } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Why packages cannot be fetched here; the message is for the user. */
export class AptError extends Error {
  override readonly name = "AptError";
}

/** A private apt root for one suite: the system's own package state is neither used nor changed, and no root rights are needed. */
export class Apt {
  readonly #suite: string;
  readonly #root: string;
  #ready = false;

  constructor(suite: string, cache: string) {
    this.#suite = suite;
    this.#root = join(cache, "apt", suite);
  }

  get #options(): string[] {
    const r = this.#root;
    const settings = [
      `Dir::Etc::sourcelist=${r}/sources.list`,
      "Dir::Etc::sourceparts=/dev/null",
      "Dir::Etc::preferencesparts=/dev/null",
      `Dir::State=${r}`,
      `Dir::State::Lists=${r}/lists`,
      `Dir::State::status=${r}/status`,
      `Dir::Cache=${r}/cache`,
      "APT::Architecture=riscv64",
      "APT::Architectures::=riscv64",
      "APT::Architectures::=amd64",
      "APT::Architectures::=i386",
      "Acquire::Languages=none",
      "Acquire::Retries=2",
      "Debug::NoLocking=1",
      "APT::Sandbox::User=",
    ];
    return settings.flatMap((setting) => ["-o", setting]);
  }

  /** Fetches the package lists once. @throws AptError without apt, without a mirror or offline. */
  async #update(progress: (line: string) => void): Promise<void> {
    if (this.#ready) return;
    const mirror = await mirrorOf();
    await mkdir(join(this.#root, "lists/partial"), { recursive: true });
    await mkdir(join(this.#root, "cache/archives/partial"), { recursive: true });
    await writeFile(join(this.#root, "status"), "");
    // bookworm has no riscv64: what we use of it is for PCs, or for every architecture, which is listed with amd64's.
    const architecture = this.#suite === "bookworm" ? "amd64,i386" : "riscv64";
    await writeFile(
      join(this.#root, "sources.list"),
      `deb [signed-by=${KEYRING} arch=${architecture}] ${mirror} ${this.#suite} main\n`,
    );
    progress(`package lists of ${this.#suite}`);
    try {
      await run("apt-get", [...this.#options, "-q", "-o", "APT::Update::Error-Mode=any", "update"]);
    } catch (error) {
      throw new AptError(`apt-get update for ${this.#suite} failed (offline?): ${lastLine(error)}`);
    }
    this.#ready = true;
  }

  /** The dependency of `name` that starts with `prefix`. */
  async dependency(name: string, prefix: string, progress: (line: string) => void): Promise<string> {
    await this.#update(progress);
    const { stdout } = await run("apt-cache", [...this.#options, "depends", "--no-recommends", "--no-suggests", name]);
    const found = [...stdout.matchAll(/^\s*Depends: (\S+)/gm)]
      .map((m) => m[1] ?? "")
      .find((dep) => dep.startsWith(prefix));
    if (found === undefined) throw new AptError(`${name} in ${this.#suite} does not depend on any ${prefix}*`);
    return found;
  }

  /** Downloads packages, checked against the suite's signed lists. @returns the paths of the .debs. */
  async download(names: readonly string[], into: string, progress: (line: string) => void): Promise<string[]> {
    await this.#update(progress);
    await rm(into, { recursive: true, force: true });
    await mkdir(into, { recursive: true });
    const what = names.length === 1 ? names[0] : `${names.length} packages`;
    progress(`downloading ${what}`);
    try {
      await run("apt-get", [...this.#options, "-q", "download", ...names], { cwd: into });
    } catch (error) {
      throw new AptError(`apt-get download ${what} from ${this.#suite} failed: ${lastLine(error)}`);
    }
    const debs = (await readdir(into)).filter((file) => file.endsWith(".deb")).sort();
    if (debs.length !== names.length)
      throw new AptError(`apt-get downloaded ${debs.length} of ${names.length} packages: ${debs.join(", ")}`);
    return debs.map((file) => join(into, file));
  }
}

/** The mirror that this machine's apt uses. */
async function mirrorOf(): Promise<string> {
  const configured = process.env["DEBIAN_MIRROR"];
  if (configured !== undefined) return configured;
  try {
    const { stdout } = await run("apt-get", ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
    const mirror = stdout.split("\n").find((line) => /\/debian\/?$/.test(line));
    if (mirror !== undefined) return mirror;
  } catch {
    throw new AptError("there is no apt-get here: guests come from Debian packages");
  }
  throw new AptError("apt has no Debian mirror configured; set DEBIAN_MIRROR to one");
}

/** Unpacks the members of a .deb that match the patterns. */
export async function unpack(deb: string, into: string, patterns: readonly string[]): Promise<void> {
  await extract(deb, into, ["--wildcards", ...patterns.map((p) => `./${p}`)]);
}

/** Unpacks a whole .deb, but for the paths that match a pattern; `*` stands for any text. */
export async function unpackWithout(deb: string, into: string, patterns: readonly string[]): Promise<void> {
  // A directory that another package made a link to one stays a link (`/lib` is `usr/lib`).
  await extract(deb, into, ["--keep-directory-symlink", ...patterns.map((p) => `--exclude=./${p}`)]);
}

async function extract(deb: string, into: string, options: readonly string[]): Promise<void> {
  await mkdir(into, { recursive: true });
  await new Promise<void>((resolve, reject) => {
    const source = spawn("dpkg-deb", ["--fsys-tarfile", deb], { stdio: ["ignore", "pipe", "inherit"] });
    const tar = spawn("tar", ["-x", "-C", into, ...options], { stdio: ["pipe", "ignore", "pipe"] });
    let message = "";
    tar.stderr.on("data", (chunk: Buffer) => (message += chunk.toString()));
    source.stdout.pipe(tar.stdin);
    source.on("error", reject);
    tar.on("error", reject);
    tar.on("close", (code) =>
      code === 0 ? resolve() : reject(new AptError(`unpacking ${deb} failed: ${message.trim()}`)),
    );
  });
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr ?? message).trim().split("\n").at(-1) ?? message;
}
