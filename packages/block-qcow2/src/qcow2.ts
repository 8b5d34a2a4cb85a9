import { defineFormat } from "@mimus/block";
import type { BlockFormat } from "@mimus/block";
import { MAGIC } from "./constants.ts";
import { createImageIn } from "./create.ts";
import { measureImage } from "./measure.ts";
import { Qcow2Node } from "./node.ts";
import { loadImage } from "./open.ts";
import type { OpenOptions } from "./options.ts";
import { AMEND_OPTIONS, createOptions, openOptions } from "./options.ts";
import { beginSession } from "./session.ts";

/** The qcow2 image format, versions 2 and 3. */
export const qcow2: BlockFormat = defineFormat({
  name: "qcow2",
  summary: "QEMU copy-on-write image, version 2 or 3",
  options: openOptions,
  children: ["data-file"],
  probe(head) {
    if (head.length < 8) return 0;
    const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
    return view.getUint32(0) === MAGIC && view.getUint32(4) >= 2 ? 100 : 0;
  },
  async open(file, options, ctx) {
    const node = new Qcow2Node(await loadImage(file, options as unknown as OpenOptions, ctx));
    if (!ctx.readOnly) await beginSession(node);
    return node;
  },
  create: createImageIn,
  createOptions,
  measure: measureImage,
  amendOptions: AMEND_OPTIONS,
});
