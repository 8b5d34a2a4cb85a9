import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

import { BlockError, type HostFile } from "@mimus/block";
import type { AnyAuthMethod, Client, ConnectConfig, SFTPWrapper, Stats } from "ssh2";

import { late } from "../builtins.ts";
import { knownHost, sshFolder } from "./known-hosts.ts";

/** A file on another machine. */
export interface SshFileTarget {
  /** Name or address. */
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  /** On that machine. */
  readonly path: string;
  readonly hostKey:
    | { readonly mode: "none" }
    | { readonly mode: "known_hosts" }
    | { readonly mode: "hash"; readonly type: "md5" | "sha1" | "sha256"; readonly hash: string };
  readonly password?: string;
  /** Opened for reading and writing. */
  readonly writable: boolean;
  readonly create?: boolean;
}

/** Source: POSIX.1-2017, sys/stat.h. */
const FILE_TYPE = 0o170000;
const DIRECTORY = 0o040000;
const READY_MS = 20_000;

/** Opens a file by SFTP. Loads the package ssh2 at its first use. @throws BlockError */
export async function nodeSsh(target: SshFileTarget): Promise<HostFile> {
  const name = `ssh://${target.user === undefined ? "" : `${target.user}@`}${target.host}:${target.port}${target.path}`;
  const { default: ssh2 } = await import("ssh2").catch((error: unknown) => {
    throw new BlockError("unsupported-feature", `'${name}': SSH needs the package ssh2: npm install ssh2`, {
      cause: error,
    });
  });
  const client = new ssh2.Client();
  let refusal: string | undefined;
  try {
    const readable = (text: Buffer): boolean => !(ssh2.utils.parseKey(text) instanceof Error);
    await connected(client, target, readable, (why) => (refusal = why));
    const sftp = await call<SFTPWrapper>((done) => client.sftp(done));
    const flags = target.create === true ? "w+" : target.writable ? "r+" : "r";
    const handle = await call<Buffer>((done) => sftp.open(target.path, flags, done));
    const { mode } = await call<Stats>((done) => sftp.fstat(handle, done));
    if ((mode & FILE_TYPE) === DIRECTORY)
      throw new BlockError("not-found", `'${name}': it is a directory; give the path of a file`);
    return new SftpFile(name, client, sftp, handle);
  } catch (error) {
    client.on("error", () => undefined);
    client.destroy();
    throw failed(name, refusal === undefined ? error : new Error(refusal));
  }
}

/** Names of the user's own keys in `~/.ssh`, in the order of trying. Source: OpenSSH 9.2, ssh(1), "-i identity_file". */
const KEY_FILES = ["id_ed25519", "id_ecdsa", "id_rsa"];

/** What the user may show: keys of the agent, then key files without a passphrase. */
function identities(username: string, isKey: (text: Buffer) => boolean): AnyAuthMethod[] {
  const agent = process.env["SSH_AUTH_SOCK"];
  const files = KEY_FILES.flatMap((name): AnyAuthMethod[] => {
    try {
      const key = readFileSync(join(sshFolder(), name));
      return isKey(key) ? [{ type: "publickey", username, key }] : [];
    } catch {
      return []; // not there
    }
  });
  return [...(agent === undefined ? [] : [{ type: "agent" as const, username, agent }]), ...files];
}

function connected(
  client: Client,
  target: SshFileTarget,
  keys: (text: Buffer) => boolean,
  refuse: (why: string) => void,
): Promise<void> {
  const username = target.user ?? userInfo().username;
  const config: ConnectConfig = {
    host: target.host,
    port: target.port,
    username,
    readyTimeout: READY_MS,
    authHandler:
      target.password === undefined
        ? identities(username, keys)
        : [{ type: "password", username, password: target.password }],
    hostVerifier: (key: Buffer) => {
      const why = wrongKey(key, target);
      if (why !== undefined) refuse(why);
      return why === undefined;
    },
  };
  return new Promise((resolve, reject) => {
    client.once("ready", () => {
      // A request is a small packet that waits for its answer: held back, it takes 40 ms.
      client.setNoDelay(true);
      resolve();
    });
    client.on("error", reject);
    client.once("close", () => reject(new Error("the server closed the connection")));
    client.connect(config);
  });
}

/** Why a server's key is not taken; undefined when it is. */
function wrongKey(key: Buffer, { hostKey, host, port }: SshFileTarget): string | undefined {
  if (hostKey.mode === "known_hosts") return knownHost(host, port, key);
  if (hostKey.mode !== "hash") return undefined;
  const hash = late.crypto.createHash(hostKey.type).update(key).digest("hex");
  return hash === hostKey.hash
    ? undefined
    : `remote host key fingerprint '${hostKey.type}:${hash}' does not match host_key_check '${hostKey.type}:${hostKey.hash}'`;
}

/** An open file of an SFTP session; the session is its own. */
class SftpFile implements HostFile {
  readonly path: string;
  readonly #client: Client;
  readonly #sftp: SFTPWrapper;
  readonly #handle: Buffer;
  #lost: Error | undefined;

  constructor(path: string, client: Client, sftp: SFTPWrapper, handle: Buffer) {
    this.path = path;
    this.#client = client;
    this.#sftp = sftp;
    this.#handle = handle;
    client.removeAllListeners("error");
    client.on("error", (error) => (this.#lost ??= error));
    client.on("close", () => (this.#lost ??= new Error("the connection is lost")));
  }

  async size(): Promise<number> {
    const { size } = await this.#call<{ size: number }>((done) => this.#sftp.fstat(this.#handle, done));
    return size;
  }
  async read(at: number, into: Uint8Array): Promise<number> {
    const buffer = Buffer.from(into.buffer, into.byteOffset, into.length);
    for (let done = 0; done < into.length;) {
      const n = await this.#read(buffer, done, at + done);
      if (n === 0) return done;
      done += n;
    }
    return into.length;
  }
  async write(at: number, from: Uint8Array): Promise<number> {
    const buffer = Buffer.from(from.buffer, from.byteOffset, from.length);
    await this.#call((done) => this.#sftp.write(this.#handle, buffer, 0, buffer.length, at, done));
    return from.length;
  }
  /** Needs the extension of OpenSSH; other servers store when they like. */
  async flush(): Promise<void> {
    await this.#call((done) => this.#sftp.ext_openssh_fsync(this.#handle, done)).catch((error: Error) => {
      if (!/does not support/i.test(error.message)) throw error;
    });
  }
  async truncate(size: number): Promise<void> {
    // Not every server lets a file grow this way.
    await this.#call((done) => this.#sftp.fsetstat(this.#handle, { size } as never, done)).catch(() => undefined);
    const now = await this.size();
    if (now < size) await this.write(size - 1, new Uint8Array(1));
    else if (now > size) throw new BlockError("io", `'${this.path}': the server does not shrink files`);
  }
  async close(): Promise<void> {
    if (this.#lost === undefined)
      await this.#call((done) => this.#sftp.close(this.#handle, done)).catch(() => undefined);
    this.#client.end();
  }

  /** Bytes read; 0 at the end of the file. */
  #read(buffer: Buffer, from: number, at: number): Promise<number> {
    return this.#call<number>((done) =>
      this.#sftp.read(this.#handle, buffer, from, buffer.length - from, at, (error, n) => {
        // SSH_FX_EOF of draft-ietf-secsh-filexfer-02, section 7.
        if ((error as { code?: number } | undefined)?.code === 1) done(undefined, 0);
        else done(error, n);
      }),
    );
  }

  /** A call that a lost connection ends as well. */
  async #call<T>(act: (done: (error: Error | null | undefined, value?: T) => void) => unknown): Promise<T> {
    if (this.#lost !== undefined) throw failed(this.path, this.#lost);
    let lost: (() => void) | undefined;
    try {
      return await Promise.race([
        call(act),
        new Promise<never>((_, reject) => {
          lost = () => reject(this.#lost ?? new Error("the connection is lost"));
          this.#client.once("close", lost);
        }),
      ]);
    } catch (error) {
      throw failed(this.path, error);
    } finally {
      if (lost !== undefined) this.#client.off("close", lost);
    }
  }
}

function call<T>(act: (done: (error: Error | null | undefined, value?: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => act((error, value) => (error ? reject(error) : resolve(value as T))));
}

/** Kinds of SFTP's status codes. Source: draft-ietf-secsh-filexfer-02, section 7. */
const KINDS: Readonly<Record<number, "not-found" | "permission">> = { 2: "not-found", 3: "permission" };

function failed(name: string, error: unknown): BlockError {
  if (error instanceof BlockError) return error;
  const { code, message } = error as { code?: unknown; message: string };
  const kind = typeof code === "number" ? KINDS[code] : undefined;
  const help = /authentication methods failed/i.test(message)
    ? ": add a key to your agent or to ~/.ssh, or give password-secret="
    : "";
  return new BlockError(kind ?? (help === "" ? "io" : "permission"), `'${name}': ${message}${help}`, { cause: error });
}
