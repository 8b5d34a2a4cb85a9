import { MAX_STRING } from "../constants.ts";
import { decode, u32 } from "../bytes.ts";
import type { ExportedBitmap, NbdExport } from "./export.ts";

/** What a client chose to ask for in NBD_CMD_BLOCK_STATUS. Source: section "Metadata querying". */
export interface MetaContext {
  readonly id: number;
  readonly name: string;
  readonly kind: "allocation" | "depth" | "bitmap";
  readonly bitmap?: ExportedBitmap;
}

const BASE = "base:allocation";
const DEPTH = "qemu:allocation-depth";
const BITMAP = "qemu:dirty-bitmap:";

/** Every context of an export. */
export function contextsOf(of: NbdExport): MetaContext[] {
  const all: Omit<MetaContext, "id">[] = [{ name: BASE, kind: "allocation" }];
  if (of.allocationDepth === true) all.push({ name: DEPTH, kind: "depth" });
  for (const bitmap of of.bitmaps ?? []) all.push({ name: BITMAP + bitmap.name, kind: "bitmap", bitmap });
  return all.map((context, id) => ({ ...context, id }));
}

/** A namespace, or a part of one, stands for all that is in it: "base:", "qemu:", "qemu:dirty-bitmap:". Only when listing. */
export function matches(name: string, query: string, listing: boolean): boolean {
  if (name === query) return true;
  return listing && (query === "base:" || query === "qemu:" || query === BITMAP) && name.startsWith(query);
}

/** What NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT carry: an export's name and queries. */
export interface ContextRequest {
  readonly name: string;
  readonly queries: readonly string[];
}

/** Why option data is wrong: one line for the client. */
export class BadOption extends Error {}

/** @throws BadOption */
export function parseContexts(data: Uint8Array): ContextRequest {
  const strings: string[] = [];
  let at = 0;
  const text = (what: string): void => {
    const found = stringAt(data, at, what);
    strings.push(found.text);
    at = found.end;
  };
  text("export name");
  if (at + 4 > data.length) throw new BadOption("the number of queries is missing");
  const count = u32(data, at);
  at += 4;
  for (let n = 0; n < count; n++) text(`query ${n}`);
  if (at !== data.length) throw new BadOption(`${data.length - at} bytes follow the last query`);
  const [name = "", ...queries] = strings;
  return { name, queries };
}

/** A string behind its length of 32 bits. @throws BadOption */
export function stringAt(data: Uint8Array, at: number, what: string): { text: string; end: number } {
  if (at + 4 > data.length) throw new BadOption(`the length of ${what} is missing`);
  const length = u32(data, at);
  if (length > MAX_STRING) throw new BadOption(`${what} of ${length} bytes: at most ${MAX_STRING}`);
  const end = at + 4 + length;
  if (end > data.length) throw new BadOption(`${what} of ${length} bytes ends beyond the option`);
  const text = decode(data.subarray(at + 4, end));
  if (text === undefined) throw new BadOption(`${what} is not UTF-8`);
  return { text, end };
}
