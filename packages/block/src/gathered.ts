import { Lanes } from "./lanes.ts";
import { type BlockNode, totalLength } from "./node.ts";

/** Most bytes that are gathered into one request. */
const MOST = 1 << 18;
/** Lanes that are kept: as many requests of a disk may be in flight. */
const KEPT = 16;

/**
 * Vectored requests to a node that takes one buffer: a guest's pages, 4 KiB each, become few requests and not hundreds, each of which
 * would look its place up.
 */
export class Gathered {
  readonly #node: BlockNode;
  readonly #lanes: Lanes = new Lanes(MOST, KEPT);

  constructor(node: BlockNode) {
    this.#node = node;
  }

  async read(at: number, into: readonly Uint8Array[]): Promise<void> {
    for (const part of parts(into)) {
      const bytes = totalLength(part);
      if (part.length === 1) await this.#node.read(at, part[0]!);
      else {
        const lane = this.#lanes.take();
        await this.#node.read(at, lane.subarray(0, bytes));
        let done = 0;
        for (const piece of part) {
          piece.set(lane.subarray(done, done + piece.length));
          done += piece.length;
        }
        this.#lanes.give(lane);
      }
      at += bytes;
    }
  }

  async write(at: number, from: readonly Uint8Array[]): Promise<void> {
    for (const part of parts(from)) {
      const bytes = totalLength(part);
      if (part.length === 1) await this.#node.write(at, part[0]!);
      else {
        const lane = this.#lanes.take();
        let done = 0;
        for (const piece of part) {
          lane.set(piece, done);
          done += piece.length;
        }
        await this.#node.write(at, lane.subarray(0, bytes));
        this.#lanes.give(lane);
      }
      at += bytes;
    }
  }
}

/** Neighbours that have room in a lane together; a larger one stays alone. */
function* parts(list: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  for (let first = 0; first < list.length;) {
    let next = first + 1;
    let bytes = list[first]!.length;
    while (next < list.length && bytes + list[next]!.length <= MOST) bytes += list[next++]!.length;
    yield list.slice(first, next);
    first = next;
  }
}
