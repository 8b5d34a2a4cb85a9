import { Bitmap, DirtyBitmap } from "./dirty-bitmap.ts";
import { BlockError } from "./errors.ts";
import type { GraphNode } from "./graph-node.ts";

/** The dirty bitmaps of all nodes of a graph. */
export class Bitmaps {
  readonly #of: WeakMap<GraphNode, Map<string, DirtyBitmap>> = new WeakMap();

  /** The bitmaps of a node, in order of adding. */
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

  /** Removes a bitmap, from the image too when it is kept there. @throws BlockError "not-found", "in-use" */
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
      if (!node.readOnly) await bitmaps.use?.(info.name);
    }
  }

  async #drop(node: GraphNode, name: string): Promise<void> {
    const { bitmaps } = node.image ?? {};
    if ((await bitmaps?.list())?.some((b) => b.name === name)) await bitmaps?.remove(name);
  }

  /** The node is about to become read-only, or can be written from now on. */
  async reopening(node: GraphNode, readOnly: boolean): Promise<void> {
    if (readOnly) return this.store(node);
    const { bitmaps } = node.image ?? {};
    for (const { name, inUse } of (await bitmaps?.list()) ?? [])
      if (!inUse && this.#of.get(node)?.has(name)) await bitmaps?.use?.(name);
  }

  /** Writes persistent bitmaps into the image: before it closes or becomes read-only. */
  async store(node: GraphNode): Promise<void> {
    const { bitmaps } = node.image ?? {};
    const kept = this.list(node).filter((b) => b.persistent && !b.inconsistent);
    if (!bitmaps || node.readOnly || kept.length === 0) return;
    const stored = await bitmaps.list();
    for (const { name, granularity, enabled, bits } of kept) {
      let old = stored.find((b) => b.name === name);
      if (old && old.granularity !== granularity) {
        await bitmaps.remove(name);
        old = undefined;
      }
      if (old && old.auto !== enabled) await bitmaps.setAuto(name, enabled);
      // At no time is one in the image that looks up to date and is not.
      await (old ? bitmaps.store(name, bits.pack()) : bitmaps.add(name, granularity, enabled, bits.pack()));
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
