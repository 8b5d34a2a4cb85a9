import {
  type BigIntStats,
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Script } from "node:vm";

import { atStartFlags } from "../branch-hints.ts";
import { asScript } from "./as-script.ts";

/** One file's place in a store, all in bytes. */
interface Entry {
  readonly file: string;
  /** What tells this content of the file from others. */
  readonly state: string;
  readonly text: number;
  readonly code: number;
}
interface Known {
  readonly state: string;
  readonly text: Buffer;
  readonly code: Buffer;
}
/** A script of this process. */
interface Made {
  readonly state: string;
  readonly text: string;
  readonly script: Script;
}

/** V8 reads code at such addresses in place, bytes. */
const ALIGNMENT = 8;
/** Longest name of a store, in bytes. */
const MOST_NAME = 200;
/** Milliseconds after which a process has begun: what it runs from then on is its work. */
const BEGUN_MS = 2000;

/**
 * The scripts that a command is made of, and what V8 compiled of them: kept in one file between runs. The first run writes it, at
 * its end or when it has begun, and so does one that loads more. V8 itself rejects what another version of it made.
 */
export class CodeStore {
  readonly #path: string | undefined;
  readonly #known: Map<string, Known> = new Map();
  readonly #made: Map<string, Made> = new Map();
  #stale = false;

  /** For `command` of the installation that `folder` is a part of. */
  constructor(command: string, folder: string) {
    const { version, arch, execArgv, env } = process;
    const cache = cacheFolder();
    // V8's flags are a part of what code is for. Two stores that share a name in spite of all would only replace each other.
    const made = [...execArgv, env["NODE_OPTIONS"] ?? "", version, arch, folder, command].join(" ").trim();
    this.#path = cache && join(cache, made.replace(/[^\w.-]+/g, "+").slice(-MOST_NAME));
    if (this.#path !== undefined) this.#read(this.#path);
  }

  /** The script that a module's file is. @throws when the file is not there */
  script(file: string): Script {
    const state = stateOf(statSync(file, { bigint: true }));
    const known = this.#known.get(file);
    const held = known?.state === state ? known : undefined;
    const text = held === undefined ? asScript(readFileSync(file, "utf8")) : held.text.toString("latin1");
    const script = atStartFlags(() => new Script(text, { filename: file, cachedData: held?.code }));
    this.#made.set(file, { state, text, script });
    if (held === undefined || script.cachedDataRejected === true) this.#outdated();
    return script;
  }

  #outdated(): void {
    if (this.#stale || this.#path === undefined) return;
    this.#stale = true;
    // A command that fails may be one that does not exist: nothing is kept by its name.
    process.on("exit", (code) => {
      if (code === 0) this.save();
    });
    setTimeout(() => this.save(), BEGUN_MS).unref();
  }

  /** Writes the store, unless that was done or changes nothing. A failure to write is no failure of the command. */
  save(): void {
    if (!this.#stale || this.#path === undefined) return;
    this.#stale = false;
    const entries: Entry[] = [];
    const parts: Buffer[] = [];
    const add = (file: string, state: string, text: Buffer, code: Buffer): void => {
      entries.push({ file, state, text: text.length, code: code.length });
      parts.push(text, code);
    };
    for (const [file, { state, text, script }] of this.#made)
      add(
        file,
        state,
        Buffer.from(text, "latin1"),
        atStartFlags(() => script.createCachedData()),
      );
    for (const [file, { state, text, code }] of this.#known)
      if (!this.#made.has(file) && existsSync(file)) add(file, state, text, code);
    writeWhole(this.#path, [Buffer.from(`${JSON.stringify(entries)}\n`), ...parts]);
  }

  #read(path: string): void {
    const bytes = readOwn(path);
    if (bytes === undefined) return;
    let at = bytes.indexOf("\n") + 1;
    try {
      const entries = JSON.parse(bytes.toString("utf8", 0, at)) as Entry[];
      at = roundUp(at);
      for (const { file, state, text, code } of entries) {
        const codeAt = at + roundUp(text);
        this.#known.set(file, {
          state,
          text: bytes.subarray(at, at + text),
          code: bytes.subarray(codeAt, codeAt + code),
        });
        at = codeAt + roundUp(code);
      }
    } catch {}
    // Anything else than what was written is nothing.
    if (at !== bytes.length) this.#known.clear();
  }
}

/** A change of a file changes its ctime, which nobody can set. */
const stateOf = ({ ino, size, ctimeNs }: BigIntStats): string => `${ino} ${size} ${ctimeNs}`;
const roundUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Puts a file in its place at once, with each part at such an address. A failure is none of the command: the next run tries again. */
function writeWhole(path: string, parts: readonly Buffer[]): void {
  const part = `${path}.${process.pid}`;
  try {
    const fd = openSync(part, "wx", 0o600);
    try {
      for (const bytes of parts) {
        writeSync(fd, bytes);
        writeSync(fd, Buffer.alloc(roundUp(bytes.length) - bytes.length));
      }
      // A machine that loses power must not leave a name without its content: V8 does not look at what it gets.
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, path);
  } catch {
    rmSync(part, { force: true });
  }
}

/** Beside what Node itself keeps, and where its variables say; nobody else may write there. */
function cacheFolder(): string | undefined {
  if (process.env["NODE_DISABLE_COMPILE_CACHE"] !== undefined) return undefined;
  const folder = join(process.env["NODE_COMPILE_CACHE"] ?? tmpdir(), `mimus-code-${process.getuid?.() ?? 0}`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return isOwn(lstatSync(folder)) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** A file of this user that nobody else can write: its code runs. */
function readOwn(path: string): Buffer | undefined {
  try {
    const fd = openSync(path, "r");
    try {
      return isOwn(fstatSync(fd)) ? readFileSync(fd) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

/** Of this user, and nobody else can write it. */
const isOwn = ({ uid, mode }: Stats): boolean => uid === (process.getuid?.() ?? uid) && (mode & 0o022) === 0;
