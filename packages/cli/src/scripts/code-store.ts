import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

import { atStartFlags } from "../branch-hints.ts";
import { asScript } from "./as-script.ts";
import { type Facts, KeptFacts } from "./facts.ts";
import { stateOf } from "./file-state.ts";
import { cacheFolder, readOwn, writeOwn } from "./own-file.ts";

/** One file's place in a store, all in bytes. */
interface Entry {
  readonly file: string;
  /** What tells this content of the file from others. */
  readonly state: string;
  readonly text: number;
  readonly code: number;
}
/** What a store begins with. */
interface Contents {
  readonly scripts: readonly Entry[];
  readonly facts: readonly { readonly name: string; readonly text: number }[];
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
  readonly #facts: KeptFacts;
  #stale = false;

  /** For `command` of the installation that `folder` is a part of. */
  constructor(command: string, folder: string) {
    const { version, arch, execArgv, env } = process;
    const cache = cacheFolder();
    // V8's flags are a part of what code is for. Two stores that share a name in spite of all would only replace each other.
    const made = [...execArgv, env["NODE_OPTIONS"] ?? "", version, arch, folder, command].join(" ").trim();
    this.#path = cache && join(cache, made.replace(/[^\w.-]+/g, "+").slice(-MOST_NAME));
    const facts = this.#path === undefined ? [] : this.#read(this.#path);
    this.#facts = new KeptFacts(facts, () => this.#outdated());
  }

  /** What was found in other files. */
  get facts(): Facts {
    return this.#facts;
  }

  /** The script that a module's file is. @throws when the file is not there */
  script(file: string): Script {
    const state = stateOf(file);
    const known = this.#known.get(file);
    const held = known?.state === state ? known : undefined;
    const text = held === undefined ? asScript(readFileSync(file, "utf8")) : held.text.toString("latin1");
    const script = atStartFlags(() => new Script(text, { filename: file, cachedData: held?.code }));
    this.#made.set(file, { state, text, script });
    if (held === undefined) this.#facts.distrust();
    if (held === undefined || script.cachedDataRejected === true) this.#outdated();
    return script;
  }

  #outdated(): void {
    if (this.#stale || this.#path === undefined) return;
    this.#stale = true;
    // A command that fails may be one that does not exist: nothing is kept by its name.
    process.once("exit", (code) => {
      if (code === 0) this.save();
    });
    setTimeout(() => this.save(), BEGUN_MS).unref();
  }

  /** Writes the store, unless that was done or changes nothing. A failure to write is no failure of the command. */
  save(): void {
    if (!this.#stale || this.#path === undefined) return;
    this.#stale = false;
    const scripts: Entry[] = [];
    const parts: Buffer[] = [];
    const add = (file: string, state: string, text: Buffer, code: Buffer): void => {
      scripts.push({ file, state, text: text.length, code: code.length });
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
    const facts = this.#facts.newest;
    const contents: Contents = { scripts, facts: facts.map(([name, text]) => ({ name, text: text.length })) };
    const whole = [Buffer.from(`${JSON.stringify(contents)}\n`), ...parts, ...facts.map(([, text]) => text)];
    writeOwn(
      this.#path,
      whole.flatMap((bytes) => [bytes, padding(bytes)]),
    );
  }

  /** Takes what a file has. @returns its facts */
  #read(path: string): (readonly [name: string, text: Buffer])[] {
    const bytes = readOwn(path);
    if (bytes === undefined) return [];
    const facts: (readonly [name: string, text: Buffer])[] = [];
    let at = bytes.indexOf("\n") + 1;
    const next = (length: number): Buffer => {
      const from = at;
      at += roundUp(length);
      return bytes.subarray(from, from + length);
    };
    try {
      const contents = JSON.parse(bytes.toString("utf8", 0, at)) as Contents;
      at = roundUp(at);
      for (const { file, state, text, code } of contents.scripts)
        this.#known.set(file, { state, text: next(text), code: next(code) });
      for (const { name, text } of contents.facts) facts.push([name, next(text)]);
    } catch {}
    // Anything else than what was written is nothing.
    if (at === bytes.length) return facts;
    this.#known.clear();
    return [];
  }
}

const roundUp = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
const padding = (bytes: Buffer): Buffer => Buffer.alloc(roundUp(bytes.length) - bytes.length);
