import { errnoOf, P9Error, Reader, Writer } from "./codec.ts";
import type { HostDirectory, HostStat } from "./host.ts";
import { S_IFDIR, S_IFMT, S_IFREG } from "./host.ts";
import type { Fid } from "./node.ts";
import { Node } from "./node.ts";
import { OPS } from "./ops.ts";

/** Most bytes of a message that is agreed on. */
export const MAX_MSIZE: number = 1 << 20;
const MIN_MSIZE = 4096;
/** Most numbers that a client may hold at a time, and files it may have open. */
const MAX_FIDS = 65536;
const MAX_OPEN = 4096;
const VERSION = "9P2000.L";
const RLERROR = 7;
const T = { VERSION: 100, AUTH: 102, ATTACH: 104, FLUSH: 108 } as const;

/** One client's session with a shared folder. Source: 9P2000.L protocol as implemented by Linux (net/9p), and intro(5) of Plan 9. */
export class P9Server {
  readonly dir: HostDirectory;
  readonly #fids: Map<number, Fid> = new Map();
  readonly #running: Map<number, Promise<unknown>> = new Map();
  #msize = 8192;
  #versioned = false;

  constructor(dir: HostDirectory) {
    this.dir = dir;
  }

  get msize(): number {
    return this.#msize;
  }

  /** Answers one message. Never rejects: errors are replies. */
  async handle(message: Uint8Array): Promise<Uint8Array> {
    const type = message[4] ?? 0;
    const tag = (message[5] ?? 0) | ((message[6] ?? 0) << 8);
    const work = this.#answer(type, tag, message);
    this.#running.set(tag, work);
    try {
      return await work;
    } catch (e) {
      return new Writer().u32(errnoOf(e)).done(RLERROR, tag);
    } finally {
      if (this.#running.get(tag) === work) this.#running.delete(tag);
    }
  }

  /** Forgets the client: everything it had open is closed. */
  async close(): Promise<void> {
    const all = [...this.#fids.values()];
    this.#fids.clear();
    this.#versioned = false;
    for (const fid of all) await this.release(fid);
  }

  // ---- for the operations ----

  fid(number: number): Fid {
    const fid = this.#fids.get(number);
    if (!fid) throw new P9Error("EBADF", `fid ${number} is not known`);
    return fid;
  }

  /** Takes a number into use. */
  add(number: number, node: Node): Fid {
    if (this.#fids.has(number)) {
      node.release();
      throw new P9Error("EINVAL", `fid ${number} is in use`);
    }
    if (this.#fids.size >= MAX_FIDS) {
      node.release();
      throw new P9Error("EMFILE");
    }
    const fid: Fid = { node };
    this.#fids.set(number, fid);
    return fid;
  }

  /** Before a file is opened: whether one more is allowed. */
  checkOpen(): void {
    let open = 0;
    for (const f of this.#fids.values()) if (f.handle) open++;
    if (open >= MAX_OPEN) throw new P9Error("EMFILE");
  }

  async clunk(number: number): Promise<void> {
    const fid = this.fid(number);
    this.#fids.delete(number);
    await this.release(fid);
  }

  async release(fid: Fid): Promise<void> {
    fid.node.release();
    await fid.handle?.close().catch(() => undefined);
  }

  writable(): void {
    if (this.dir.readOnly) throw new P9Error("EROFS");
  }

  /** Refuses devices, sockets and pipes: opening one can block or do things. */
  async regularOrFolder(node: Node): Promise<HostStat> {
    const stat = await this.dir.stat(node.entry);
    const type = stat.mode & S_IFMT;
    if (type !== S_IFREG && type !== S_IFDIR) throw new P9Error("ENXIO", "only files and folders are opened");
    return stat;
  }

  // ---- dispatch ----

  async #answer(type: number, tag: number, message: Uint8Array): Promise<Uint8Array> {
    const size = new DataView(message.buffer, message.byteOffset, message.byteLength).getUint32(0, true);
    if (size !== message.length) throw new P9Error("EPROTO", "size field does not match");
    const r = new Reader(message, 7);
    const w = new Writer();
    if (type === T.VERSION) await this.#version(r, w);
    else if (!this.#versioned) throw new P9Error("EPROTO", "no version was agreed on");
    else if (type === T.AUTH) throw new P9Error("EOPNOTSUPP");
    else if (type === T.ATTACH) await this.#attach(r, w);
    else if (type === T.FLUSH) await this.#running.get(r.u16())?.catch(() => undefined);
    else {
      const op = OPS[type];
      if (!op) throw new P9Error("EOPNOTSUPP");
      await op(this, r, w);
    }
    if (w.length > this.#msize) throw new P9Error("EPROTO", "reply is longer than agreed on");
    return w.done(type + 1, tag);
  }

  async #version(r: Reader, w: Writer): Promise<void> {
    const msize = r.u32();
    const version = r.text();
    await this.close();
    if (msize < MIN_MSIZE) throw new P9Error("EPROTO", `message size ${msize} is below ${MIN_MSIZE}`);
    this.#msize = Math.min(msize, MAX_MSIZE);
    this.#versioned = version === VERSION;
    w.u32(this.#msize).text(this.#versioned ? VERSION : "unknown");
  }

  async #attach(r: Reader, w: Writer): Promise<void> {
    const number = r.u32();
    const entry = await this.dir.root();
    const stat = await this.dir.stat(entry);
    this.add(number, new Node(entry, undefined, "").hold());
    w.qid(stat.mode, stat.inode);
  }
}
