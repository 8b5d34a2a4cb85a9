import type { BlockNode } from "@mimus/block";
import { ToolError } from "@mimus/image-tools";
import type { DirtyBitmap } from "@mimus/nbd";

/** A bitmap that an image of the chain keeps, as it is now. @throws ToolError when there is none of the name */
export async function bitmapOf(node: BlockNode, name: string): Promise<DirtyBitmap> {
  for (let here: BlockNode | undefined = node; here !== undefined; here = here.children?.["backing"]) {
    const { bitmaps } = here.image ?? {};
    const info = (await bitmaps?.list())?.find((b) => b.name === name);
    if (bitmaps === undefined || info === undefined) continue;
    if (info.inUse) throw new ToolError(`Bitmap '${name}' is inconsistent and cannot be used`);
    return new Bits(name, info.granularity, await bitmaps.load(name));
  }
  throw new ToolError(`Bitmap '${name}' is not found`);
}

/** Bits of a loaded bitmap, one for each granule. */
class Bits implements DirtyBitmap {
  readonly name: string;
  readonly #granule: number;
  readonly #bits: Uint8Array;

  constructor(name: string, granule: number, bits: Uint8Array) {
    this.name = name;
    this.#granule = granule;
    this.#bits = bits;
  }

  run(at: number, length: number): { readonly length: number; readonly dirty: boolean } {
    const first = Math.floor(at / this.#granule);
    const dirty = this.#bit(first);
    const end = Math.ceil((at + length) / this.#granule);
    let next = first + 1;
    // Whole bytes at once where they are all alike.
    const same = dirty ? 0xff : 0;
    while (next < end && this.#bit(next) === dirty)
      next += (next & 7) === 0 && (this.#bits[next >>> 3] ?? 0) === same ? 8 : 1;
    return { length: Math.min(length, next * this.#granule - at), dirty };
  }

  #bit(index: number): boolean {
    return (((this.#bits[Math.floor(index / 8)] ?? 0) >> (index % 8)) & 1) === 1;
  }
}
