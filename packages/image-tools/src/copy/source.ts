import { chainStatus, ownStatus } from "@mimus/block";
import type { BlockNode, HostFile } from "@mimus/block";

interface Part {
  readonly node: BlockNode;
  /** First byte of the image that is read. */
  readonly from: number;
  /** Where it stands in the whole. */
  readonly start: number;
  readonly size: number;
}

/** What a copy reads. */
export interface Readable {
  readonly size: number;
  read(at: number, into: Uint8Array): Promise<void>;
  /** What the next stretch is: "below" = as the target has it already. */
  status(at: number, length: number): Promise<{ kind: "data" | "zero" | "below"; length: number }>;
  /** Where all bytes of a stretch lie as they are in one file of the host. */
  place?(at: number, length: number): Promise<{ readonly file: HostFile; readonly at: number } | undefined>;
}

/** Images one after the other, read as one. */
export class Source implements Readable {
  readonly size: number;
  readonly #parts: readonly Part[];
  readonly #topOnly: boolean;

  /** `topOnly`: what the image itself does not hold is left to the target's backing file. */
  constructor(parts: readonly { node: BlockNode; from?: number; size?: number }[], topOnly: boolean) {
    let start = 0;
    this.#parts = parts.map(({ node, from = 0, size = node.size - from }) => {
      const part = { node, from, start, size };
      start += size;
      return part;
    });
    this.size = start;
    this.#topOnly = topOnly;
  }

  read(at: number, into: Uint8Array): Promise<void> {
    const part = this.#at(at);
    const there = part.start + part.size - at;
    if (into.length <= there) return part.node.read(part.from + at - part.start, into);
    return this.#pieces(at, into);
  }

  async status(at: number, length: number): Promise<{ kind: "data" | "zero" | "below"; length: number }> {
    const part = this.#at(at);
    const most = Math.min(length, part.start + part.size - at);
    const where = part.from + at - part.start;
    if (!this.#topOnly) {
      const s = await chainStatus(part.node, where, most);
      return { kind: s.zero ? "zero" : "data", length: s.length };
    }
    const s = await ownStatus(part.node, where, most);
    return { kind: s.present ? (s.zero ? "zero" : "data") : "below", length: s.length };
  }

  async place(at: number, length: number): Promise<{ readonly file: HostFile; readonly at: number } | undefined> {
    const part = this.#at(at);
    if (at + length > part.start + part.size) return undefined;
    const s = await chainStatus(part.node, part.from + at - part.start, length);
    const file = s.file?.hostFile;
    const whole = s.length >= length && s.data && !s.compressed && s.offset !== undefined;
    return whole && file !== undefined ? { file, at: s.offset } : undefined;
  }

  #at(at: number): Part {
    for (const part of this.#parts) if (at < part.start + part.size) return part;
    throw new RangeError(`no image at ${at}`);
  }

  async #pieces(at: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length;) {
      const part = this.#at(at + done);
      const piece = Math.min(into.length - done, part.start + part.size - at - done);
      await part.node.read(part.from + at + done - part.start, into.subarray(done, done + piece));
      done += piece;
    }
  }
}
