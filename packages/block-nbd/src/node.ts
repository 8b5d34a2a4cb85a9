import type { BlockNode, BlockStatus } from "@mimus/block";
import { BlockError } from "@mimus/block";
import { ALLOCATION, CMD_FLAG, FLAG } from "@mimus/nbd";
import type { Requests } from "./links.ts";

/** Bytes that one request without data covers: it has 32 bits for them, and blocks of up to 64 KiB. */
const MOST: number = 2 ** 32 - 65536;

/** An export of an NBD server as a block node. */
export class NbdNode implements BlockNode {
  readonly name: string;
  readonly filename: string;
  readonly driver: string = "nbd";
  readonly size: number;
  readonly readOnly: boolean;
  readonly sectorSize: number;
  readonly discard?: (at: number, length: number) => Promise<void>;
  readonly writeZeroes?: (at: number, length: number, unmap: boolean) => Promise<void>;
  readonly blockStatus?: (at: number, length: number) => Promise<BlockStatus>;
  readonly #link: Requests;
  readonly #context: string;
  readonly #minimum: number;
  readonly #maximum: number;
  /** Writes of parts of blocks, one after the other: each reads, changes and writes its blocks. */
  #partial: Promise<void> = Promise.resolve();

  /** @throws BlockError "read-only" when the server allows no writes */
  constructor(name: string, filename: string, link: Requests, options: { readOnly: boolean; context: string }) {
    const { client } = link;
    this.name = name;
    this.filename = filename;
    this.#link = link;
    this.#context = options.context;
    this.#minimum = client.of.minimum;
    this.#maximum = client.of.maximum;
    this.size = client.of.size;
    this.sectorSize = Math.max(512, this.#minimum);
    this.readOnly = options.readOnly;
    if (client.can(FLAG.READ_ONLY) && !options.readOnly)
      throw new BlockError("read-only", `'${filename}': the server offers this export for reading only`);
    if (client.can(FLAG.SEND_TRIM)) this.discard = (at, length) => this.#trim(at, length);
    if (client.can(FLAG.SEND_WRITE_ZEROES)) this.writeZeroes = (at, length, unmap) => this.#zero(at, length, unmap);
    const known = client.contexts.has(this.#context);
    if (!known && this.#context !== "base:allocation")
      throw new BlockError("not-found", `'${filename}': the server has no context '${this.#context}'`);
    if (known) this.blockStatus = (at, length) => this.#status(at, length);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    if (this.#fits(at, into.length)) return this.#pieces(at, into, (from, part) => this.#read(from, part));
    const [start, whole] = this.#around(at, into.length);
    await this.#pieces(start, whole, (from, part) => this.#read(from, part));
    into.set(whole.subarray(at - start, at - start + into.length));
  }

  async write(at: number, from: Uint8Array): Promise<void> {
    const put = (to: number, part: Uint8Array): Promise<void> => this.#link.run((c) => c.write(to, part));
    if (this.#fits(at, from.length)) return this.#pieces(at, from, put);
    await this.#alone(async () => {
      const [start, whole] = this.#around(at, from.length);
      await this.#pieces(start, whole, (to, part) => this.#read(to, part));
      whole.set(from, at - start);
      await this.#pieces(start, whole, put);
    });
  }

  async flush(): Promise<void> {
    if (!this.readOnly) await this.#link.run((c) => c.flush());
  }

  async #status(at: number, length: number): Promise<BlockStatus> {
    const start = at - (at % this.#minimum);
    const end = Math.min(this.size, Math.ceil((at + length) / this.#minimum) * this.#minimum);
    const [run] = await this.#link.run((c) =>
      c.status(this.#context, start, Math.min(MOST, end - start), CMD_FLAG.REQ_ONE),
    );
    const { length: found = 0, flags = 0 } = run ?? {};
    return {
      length: Math.max(1, Math.min(length, start + found - at)),
      allocated: true,
      zero: (flags & ALLOCATION.ZERO) !== 0,
      data: (flags & ALLOCATION.HOLE) === 0,
      offset: at,
      file: this,
    };
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  #read(at: number, into: Uint8Array): Promise<void> {
    return this.#link.run((c) => c.read(at, into));
  }

  async #zero(at: number, length: number, unmap: boolean): Promise<void> {
    const [start, end] = this.#inner(at, length);
    const flags = unmap ? 0 : CMD_FLAG.NO_HOLE;
    if (start > at) await this.write(at, new Uint8Array(Math.min(start, at + length) - at));
    for (let here = start; here < end; here += MOST)
      await this.#link.run((c) => c.writeZeroes(here, Math.min(MOST, end - here), flags));
    if (at + length > Math.max(start, end))
      await this.write(Math.max(start, end), new Uint8Array(at + length - Math.max(start, end)));
  }

  async #trim(at: number, length: number): Promise<void> {
    const [start, end] = this.#inner(at, length);
    for (let here = start; here < end; here += MOST)
      await this.#link.run((c) => c.trim(here, Math.min(MOST, end - here)));
  }

  async #pieces(at: number, bytes: Uint8Array, act: (at: number, part: Uint8Array) => Promise<void>): Promise<void> {
    if (bytes.length <= this.#maximum) return bytes.length === 0 ? undefined : act(at, bytes);
    for (let done = 0; done < bytes.length; done += this.#maximum)
      await act(at + done, bytes.subarray(done, Math.min(bytes.length, done + this.#maximum)));
  }

  #fits(at: number, length: number): boolean {
    return at % this.#minimum === 0 && length % this.#minimum === 0;
  }

  /** The whole blocks around a range: where they start, and room for them. */
  #around(at: number, length: number): [start: number, room: Uint8Array] {
    const start = at - (at % this.#minimum);
    return [start, new Uint8Array(Math.ceil((at + length) / this.#minimum) * this.#minimum - start)];
  }

  /** The whole blocks inside a range; start may lie behind end. */
  #inner(at: number, length: number): [start: number, end: number] {
    const end = at + length;
    return [Math.ceil(at / this.#minimum) * this.#minimum, end - (end % this.#minimum)];
  }

  #alone(act: () => Promise<void>): Promise<void> {
    const turn = this.#partial.then(act);
    this.#partial = turn.catch(() => undefined);
    return turn;
  }
}
