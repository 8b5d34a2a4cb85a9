import type { BlockFormat, BlockNode, FormatContext, FormatHost, ImageOps } from "@mimus/block";
import { BlockError, defineFormat, takeSpace } from "@mimus/block";
import type { LuksHeader, LuksVolume } from "@mimus/crypto";
import {
  CIPHER_ALGS,
  createLuks,
  describeLuks,
  HASH_NAMES,
  hasLuksMagic,
  LUKS_HEADER,
  luksHeaderBytes,
  luksOptions,
  readLuks,
  SECTOR,
  unlockLuks,
} from "@mimus/crypto";
import { z } from "zod";
import { amend } from "./amend.ts";
import { LuksNode } from "./luks-node.ts";

const options = z.strictObject({
  "key-secret": z.string().optional().describe("ID of the secret that provides the keyslot passphrase"),
});

const createOptions = z.strictObject({
  "cipher-alg": z.enum(CIPHER_ALGS).optional().describe("Name of encryption cipher algorithm"),
  "cipher-mode": z.enum(["cbc", "ctr", "ecb", "xts"]).optional().describe("Name of encryption cipher mode"),
  "hash-alg": z.enum(HASH_NAMES).optional().describe("Name of encryption hash algorithm"),
  "iter-time": z.coerce.number().int().optional().describe("Time to spend in PBKDF in milliseconds"),
  "ivgen-alg": z.enum(["essiv", "plain", "plain64"]).optional().describe("Name of IV generator algorithm"),
  "ivgen-hash-alg": z.enum(HASH_NAMES).optional().describe("Name of IV generator hash algorithm"),
  "key-secret": z.string().optional().describe("ID of the secret that provides the keyslot passphrase"),
  preallocation: z
    .enum(["off", "falloc", "full"])
    .default("off")
    .describe("Preallocation mode (allowed values: off, falloc, full)"),
});

/** The same format, whose key slots are opened by `unlock`. */
export const luksWith = (unlock: typeof unlockLuks): BlockFormat =>
  defineFormat({
    name: "luks",
    summary: "LUKS encrypted disk, version 1",
    options,
    children: ["header"],
    probe: (head) => (hasLuksMagic(head) && head[6] === 0 && head[7] === 1 ? 100 : 0),
    open: (file, given, ctx) => open(file, given, ctx, unlock),
    createOptions,
    create: async (file, size, given, ctx) => {
      const { "key-secret": secret, preallocation, ...names } = createOptions.parse(given);
      if (secret === undefined) throw new BlockError("bad-option", "Parameter 'key-secret' is required for cipher");
      const choices = luksOptions(names);
      const start = luksHeaderBytes(choices);
      if (!Number.isSafeInteger(start + size))
        throw new BlockError("bad-option", `'${ctx.filename}': size ${size} must be at most ${2 ** 53 - 1 - start}`);
      // The empty slots stay holes of the file.
      const sparse = { write: (at: number, from: Uint8Array) => file.write(at, withoutZeroEnd(from)) };
      await createLuks(sparse, choices, await ctx.host.secret(secret), ctx.host);
      const end = start + Math.ceil(size / SECTOR) * SECTOR;
      if (file.resize) await file.resize(end);
      else if (file.size < end) await file.write(end - SECTOR, new Uint8Array(SECTOR));
      await takeSpace(file, start, end, preallocation);
      await file.flush();
    },
    measure: async (size, given) => {
      const { "key-secret": _, preallocation: _how, ...names } = createOptions.parse(given);
      const all = luksHeaderBytes(luksOptions(names)) + Math.ceil(size / SECTOR) * SECTOR;
      return { required: all, fullyAllocated: all };
    },
    amendOptions: ["iter-time", "keyslot", "new-secret", "old-secret", "state"],
  });

/** LUKS, version 1: an encrypted disk behind a header with its keys. */
export const luks: BlockFormat = luksWith(unlockLuks);

async function open(
  file: BlockNode,
  { "key-secret": secret }: z.output<typeof options>,
  ctx: FormatContext,
  unlock: typeof unlockLuks,
) {
  const header = ctx.children["header"];
  const place = header ?? file;
  if (place.size < LUKS_HEADER)
    throw new BlockError("not-this-format", `'${ctx.filename}': ${place.size} bytes hold no LUKS header`);
  const head = await readLuks(place, ctx.filename);
  const start = header ? 0 : head.payloadOffset;
  checkPlace(head, place, start, file, ctx);
  if (secret === undefined && !ctx.readOnly)
    throw new BlockError("bad-option", `'${ctx.filename}': Parameter 'key-secret' is required for cipher`);
  const volume =
    secret === undefined ? undefined : await unlock(place, head, ctx.filename, await ctx.host.secret(secret), ctx.host);
  return new LuksNode({
    name: ctx.name,
    readOnly: ctx.readOnly,
    file,
    start,
    cipher: volume?.cipher,
    header,
    image: operations(head, volume, place, ctx.host),
  });
}

function withoutZeroEnd(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return bytes.subarray(0, Math.ceil(end / SECTOR) * SECTOR);
}

function checkPlace(head: LuksHeader, place: BlockNode, start: number, file: BlockNode, ctx: FormatContext): void {
  if (place === file && start === 0)
    throw new BlockError("corrupt", `'${ctx.filename}': LUKS payload-offset 0 needs a header apart from its data`);
  if (start > file.size)
    throw new BlockError(
      "corrupt",
      `'${ctx.filename}': LUKS payload-offset ${start} must be at most the file's ${file.size}`,
    );
  for (const [i, slot] of head.slots.entries())
    if (slot.active && slot.offset + head.keyBytes * slot.stripes > place.size)
      throw new BlockError(
        "corrupt",
        `'${ctx.filename}': LUKS key slot ${i} at ${slot.offset} must end inside the file's ${place.size} bytes`,
      );
}

function operations(head: LuksHeader, volume: LuksVolume | undefined, place: BlockNode, host: FormatHost): ImageOps {
  return {
    info: async () => ({ encrypted: true, specific: { type: "luks", data: describeLuks(head) } }),
    ...(volume ? { amend: (given) => amend(place, volume, given, host) } : {}),
  };
}
