import { INCOMPAT_DIRTY } from "./constants.ts";
import type { Image } from "./image.ts";
import type { Refcounts } from "./refcounts.ts";

/**
 * Makes everything written so far stable, in an order that survives a cut at any point:
 * data, refcounts and new tables; then the refcount table; then what points at them (L2 entries, L1 entries); and only then
 * are clusters given out again that nothing points at any more. Under the image's mutex.
 */
export async function flushMetadata(img: Image): Promise<void> {
  const { file, refs, map } = img;
  const lazy = isLazy(img);
  const linking = map.cache.dirty > 0 || img.l1.dirty.size > 0;
  const freeing = refs.pending.length > 0;
  if (!lazy || freeing || refs.cache.crowded) await refs.cache.write();
  await map.cache.write((piece) => img.freshTables.has(piece.at - (piece.at % img.clusterSize)));
  if (img.external) await img.data.flush();
  if (refs.dirty.size > 0) {
    await refs.cache.write();
    await file.flush();
    await writeTable(img, refs);
  }
  await file.flush();
  if (linking) {
    await map.cache.write();
    await writeL1(img);
    await file.flush();
    img.freshTables.clear();
  }
  if (freeing || img.quarantine) await giveUp(img);
}

/** Refcounts may be late: the dirty bit says so. */
function isLazy(img: Image): boolean {
  return img.tuning.lazyRefcounts && (img.header.incompatible & INCOMPAT_DIRTY) !== 0;
}

/** Nothing stable points at what was given up before this flush: it becomes free once requests that might use it have ended. */
async function giveUp(img: Image): Promise<void> {
  const { refs, gate } = img;
  const waiting = img.quarantine;
  if (waiting && gate.inside(waiting.generation) === 0) {
    img.quarantine = undefined;
    await refs.release(waiting.list);
  }
  if (refs.pending.length > 0 && img.quarantine === undefined) {
    const list = refs.pending;
    refs.pending = [];
    if (gate.empty) await refs.release(list);
    else img.quarantine = { list, generation: gate.turn() };
  }
  if (!isLazy(img)) await refs.cache.write();
}

async function writeTable(img: Image, refs: Refcounts): Promise<void> {
  const bytes = new Uint8Array(refs.table.buffer, refs.table.byteOffset, refs.table.byteLength);
  for (const sector of [...refs.dirty].toSorted((a, b) => a - b)) {
    await img.event("refblock_alloc_hookup");
    await img.file.write(refs.at + sector * 512, bytes.slice(sector * 512, (sector + 1) * 512));
  }
  refs.dirty.clear();
}

/** Writes changed sectors of the active L1 table. */
export async function writeL1(img: Image): Promise<void> {
  const { l1 } = img;
  for (const sector of [...l1.dirty].toSorted((a, b) => a - b)) {
    await img.event("l1_update");
    await img.file.write(l1.at + sector * 512, l1.bytes.slice(sector * 512, (sector + 1) * 512));
  }
  l1.dirty.clear();
}

/** Writes everything when nobody else is in the image: closing, and before and after operations on the whole of it. */
export async function flushAll(img: Image): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await flushMetadata(img);
    if (img.refs.pending.length === 0 && img.quarantine === undefined) break;
  }
  await img.refs.cache.write();
  await img.file.flush();
}

/** Writes before there are so many changes that memory would grow. */
export async function relieve(img: Image): Promise<void> {
  if (img.map.cache.crowded || img.refs.cache.crowded || img.refs.pending.length > 16384) await flushMetadata(img);
}
