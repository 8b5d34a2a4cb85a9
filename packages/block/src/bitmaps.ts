import { Bitmap, DirtyBitmap } from "./dirty-bitmap.ts";
import { BlockError } from "./errors.ts";
import type { GraphNode } from "./graph-node.ts";

/** The dirty bitmaps of all nodes of a graph. */
export class Bitmaps {
  readonly #of: WeakMap<GraphNode, Map<string, DirtyBitmap>> = new WeakMap();

  list(node: GraphNode): DirtyBitmap[] {
    return [...(this.#of.get(node)?.values() ?? [])];
  }

  /** @throws BlockError "not-found" */
  get(node: GraphNode, name: string): DirtyBitmap {
    const found = this.#of.get(node)?.get(name);
    if (!found) throw new BlockError("not-found", `Dirty bitmap '${name}' not found`);
    return found;
  }

  /** @throws BlockError "in-use", "bad-option" */
  async add(
    node: GraphNode,
    name: string,
    how: { granularity?: number; persistent?: boolean; disabled?: boolean } = {},
  ): Promise<DirtyBitmap> {
    if (name === "") throw new BlockError("bad-option", "Bitmap name cannot be empty");
    if (this.#of.get(node)?.has(name)) throw new BlockError("in-use", `Bitmap already exists: ${name}`);
    const granularity = how.granularity ?? Math.min(65536, Math.max(4096, node.image?.clusterSize ?? 65536));
    if (granularity < 512 || granularity > 2 ** 31 || (granularity & (granularity - 1)) !== 0)
      throw new BlockError("bad-option", "Granularity must be power of 2 and at least 512");
    if (how.persistent) {
      const { bitmaps } = node.image ?? {};
      if (!bitmaps)
        throw new BlockError(
          "unsupported-feature",
          `Block driver '${node.driver}' does not support persistent bitmaps`,
        );
    }
    const made = this.#put(node, new DirtyBitmap(node, name, granularity));
    made.persistent = how.persistent ?? false;
    made.enabled = how.disabled !== true;
    return made;
  }

  async remove(node: GraphNode, name: string): Promise<void> {
    const bitmap = this.get(node, name).check({ inconsistent: false });
    if (bitmap.persistent) await this.#drop(node, name);
    this.forget(bitmap);
  }

  /** Takes a bitmap away; its record in the image stays. */
  forget(bitmap: DirtyBitmap): void {
    bitmap.remove();
    this.#of.get(bitmap.node)?.delete(bitmap.name);
  }
  /** Puts back what {@link forget} took. */
  restore(bitmap: DirtyBitmap): void {
    bitmap.node.hooks.add(bitmap);
    this.#put(bitmap.node, bitmap);
  }

  /** Takes over the bitmaps that the image keeps. */
  async load(node: GraphNode): Promise<void> {
    const { bitmaps } = node.image ?? {};
    if (!bitmaps) return;
    for (const info of await bitmaps.list()) {
      if (this.#of.get(node)?.has(info.name)) continue;
      const made = this.#put(node, new DirtyBitmap(node, info.name, info.granularity));
      made.persistent = true;
      made.enabled = info.auto && !info.inUse;
      made.inconsistent = info.inUse;
      if (info.inUse) continue;
      made.bits.unpack(await bitmaps.load(info.name));
      // Until it is stored again the image has none: after a crash a stale one would be worse.
      if (!node.readOnly) await bitmaps.remove(info.name);
    }
  }

  async #drop(node: GraphNode, name: string): Promise<void> {
    const { bitmaps } = node.image ?? {};
    if ((await bitmaps?.list())?.some((b) => b.name === name)) await bitmaps?.remove(name);
  }

  /** Writes persistent bitmaps into the image: before it closes or becomes read-only. */
  async store(node: GraphNode): Promise<void> {
    const { bitmaps } = node.image ?? {};
    if (!bitmaps || node.readOnly) return;
    for (const bitmap of this.list(node)) {
      if (!bitmap.persistent || bitmap.inconsistent) continue;
      await this.#drop(node, bitmap.name);
      await bitmaps.add(bitmap.name, bitmap.granularity, bitmap.enabled);
      await bitmaps.store(bitmap.name, bitmap.bits.pack());
    }
  }

  /** Adds the bits of `sources` to `target`. @returns what undoes it. @throws BlockError */
  merge(target: DirtyBitmap, sources: readonly (DirtyBitmap | Bitmap)[]): () => void {
    target.check();
    const sum = new Bitmap(target.bits.size, target.granularity);
    sum.merge(target.bits);
    for (const source of sources) {
      const bits = source instanceof Bitmap ? source : source.check({ busy: false }).bits;
      if (bits.size !== target.bits.size)
        throw new BlockError(
          "bad-option",
          `Bitmaps are of different sizes (destination size is ${target.bits.size} bytes, source size is ${bits.size} bytes) and can't be merged`,
        );
      sum.merge(bits);
    }
    const old = target.swap(sum);
    return () => void target.swap(old);
  }

  #put(node: GraphNode, bitmap: DirtyBitmap): DirtyBitmap {
    let all = this.#of.get(node);
    if (!all) this.#of.set(node, (all = new Map()));
    all.set(bitmap.name, bitmap);
    return bitmap;
  }
}
