import * as c from "./constants.ts";
import { bitmapsInUse } from "./bitmap-directory.ts";
import { checkImage } from "./check.ts";
import { flushAll } from "./flush.ts";
import type { Qcow2Node } from "./node.ts";

/** The image becomes writable: repairs after a crash, and forgets what other programs would have kept up to date. */
export async function beginSession(node: Qcow2Node): Promise<void> {
  const { img } = node;
  const { header } = img;
  if ((header.incompatible & c.INCOMPAT_DIRTY) !== 0 && (header.incompatible & c.INCOMPAT_CORRUPT) === 0) {
    img.ctx.warn(`qcow2: '${img.filename}' was not closed properly: repairing its refcounts`);
    await checkImage(node, "all");
  }
  const [, low] = header.autoclear;
  const keep = low & (c.AUTOCLEAR_BITMAPS | (img.external ? c.AUTOCLEAR_DATA_FILE_RAW : 0));
  if (header.autoclear[0] !== 0 || keep !== low) {
    header.autoclear = [0, keep >>> 0];
    await img.writeHeader();
  }
  img.touched = false;
  img.beforeWrite = () => firstWrite(node);
}

/** Before the first write: what must be known of an image that is not closed properly. */
async function firstWrite(node: Qcow2Node): Promise<void> {
  const { img } = node;
  if (img.touched) return;
  let changed = await bitmapsInUse(img);
  if (img.tuning.lazyRefcounts && (img.header.incompatible & c.INCOMPAT_DIRTY) === 0) {
    img.header.incompatible |= c.INCOMPAT_DIRTY;
    await img.writeHeader();
    changed = true;
  }
  if (changed) await img.file.flush();
  img.touched = true;
}

/** Everything is in the file, which is marked as properly closed. Under the mutex, with nobody inside. */
export async function endSession(node: Qcow2Node): Promise<void> {
  const { img } = node;
  if ((img.header.incompatible & c.INCOMPAT_CORRUPT) !== 0) {
    // What was written before the error was found is kept, as far as it goes.
    await flushAll(img).catch(() => undefined);
    return;
  }
  const dirty = (img.header.incompatible & c.INCOMPAT_DIRTY) !== 0;
  if (
    !dirty &&
    !img.touched &&
    img.map.cache.dirty + img.refs.cache.dirty + img.l1.dirty.size + img.refs.pending.length === 0
  )
    return;
  await flushAll(img);
  if ((img.header.incompatible & c.INCOMPAT_DIRTY) !== 0) {
    img.header.incompatible &= ~c.INCOMPAT_DIRTY;
    await img.switchHeader();
  }
}
