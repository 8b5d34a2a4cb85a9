import { asBlockError, BlockError } from "@mimus/block";
import type { BlockNode, FormatHost } from "@mimus/block";
import type { LuksHeader, LuksReader } from "@mimus/crypto";
import { CRYPT_AES, CRYPT_LUKS, CRYPT_NONE } from "./constants.ts";
import type { Extensions } from "./extensions.ts";
import { readAt } from "./file-access.ts";
import type { Header } from "./header.ts";
import type { Cipher, Image } from "./image.ts";
import type { CreateOptions } from "./options.ts";

/** Ciphers and hashes: a fifth of what opening an image takes, for the few that are encrypted. */
export function ciphers(): Promise<typeof import("@mimus/crypto")> {
  return import("@mimus/crypto");
}

/** The LUKS header inside an image, as the encryption header extension places it. */
export function luksStorage(
  file: BlockNode,
  place: { at: number; length: number },
  filename: string,
): LuksReader & { write(at: number, from: Uint8Array): Promise<void>; flush(): Promise<void> } {
  const inside = (at: number, length: number): void => {
    if (at + length > place.length)
      throw new BlockError("corrupt", `'${filename}': LUKS header ends beyond its ${place.length} bytes`, {
        at: place.at,
      });
  };
  return {
    async read(at, into) {
      inside(at, into.length);
      await readAt(file, place.at + at, into);
    },
    async write(at, from) {
      inside(at, from.length);
      await file.write(place.at + at, from);
    },
    flush: () => file.flush(),
  };
}

/** Unlocks an encrypted image. @throws BlockError "bad-option" without its secret, "permission" for a wrong one */
export async function openCipher(
  file: BlockNode,
  header: Header,
  ext: Extensions,
  encrypt: { readonly format?: "aes" | "luks" | undefined; readonly "key-secret"?: string | undefined } | undefined,
  filename: string,
  host: FormatHost,
  readOnly: boolean,
): Promise<Cipher | undefined> {
  if (header.crypt === CRYPT_NONE) {
    if (encrypt) throw new BlockError("bad-option", `'${filename}' is not encrypted: encrypt.* does not apply`);
    // To take what is encrypted for content would be worse than to refuse.
    if (ext.encryption)
      throw new BlockError("corrupt", `'${filename}': crypt_method 0 must be 2 with an encryption header extension`, {
        at: 32,
      });
    return undefined;
  }
  const format = header.crypt === CRYPT_AES ? "aes" : "luks";
  if (encrypt?.format !== undefined && encrypt.format !== format)
    throw new BlockError("bad-option", `'${filename}': encrypt.format must be ${format}, not ${encrypt.format}`);
  if (header.crypt === CRYPT_LUKS) await luksHeader(file, ext, filename);
  const secret = encrypt?.["key-secret"];
  if (secret === undefined) {
    const locked = (): never => {
      throw new BlockError(
        "bad-option",
        `Parameter 'encrypt.key-secret' is required for cipher: '${filename}' is encrypted`,
      );
    };
    // Information, checks and maps need no key.
    return readOnly ? { encrypt: locked, decrypt: locked, physical: false } : locked();
  }
  const password = await host.secret(secret);
  const { legacyQcowCipher, openLuks } = await ciphers();
  if (header.crypt === CRYPT_AES) {
    const cipher = legacyQcowCipher(password);
    return bind(cipher, false);
  }
  const volume = await openLuks(luksStorage(file, luksPlace(ext, filename), filename), filename, password, host);
  return bind(volume.cipher, true);
}

function bind(
  cipher: { encrypt(b: Uint8Array, sector: number): void; decrypt(b: Uint8Array, sector: number): void },
  physical: boolean,
): Cipher {
  return {
    encrypt: (bytes, sector) => cipher.encrypt(bytes, sector),
    decrypt: (bytes, sector) => cipher.decrypt(bytes, sector),
    physical,
  };
}

/** Where the LUKS header lies. @throws BlockError "corrupt" when the image does not say */
export function luksPlace(ext: Extensions, filename: string): { at: number; length: number } {
  if (ext.encryption) return ext.encryption;
  throw new BlockError("corrupt", `'${filename}': crypt_method 2 (LUKS) needs the encryption header extension`, {
    at: 32,
  });
}

/** The LUKS header, checked. @throws BlockError */
async function luksHeader(file: BlockNode, ext: Extensions, filename: string): Promise<LuksHeader> {
  const place = luksPlace(ext, filename);
  const { readLuks } = await ciphers();
  try {
    return await readLuks(luksStorage(file, place, filename), filename);
  } catch (error) {
    throw asBlockError(error, `'${filename}': LUKS header`, place.at);
  }
}

/** What `info` says of the encryption, in QEMU's names. */
export async function encryptionInfo(img: Image): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (img.header.crypt === CRYPT_NONE) return undefined;
  if (img.header.crypt === CRYPT_AES) return { format: "aes" };
  const h = await luksHeader(img.file, img.ext, img.filename);
  return {
    format: "luks",
    "cipher-alg": `${h.suite.cipher}-${(h.keyBytes * 8) / (h.suite.mode === "xts" ? 2 : 1)}`,
    "cipher-mode": h.suite.mode,
    "ivgen-alg": h.suite.iv,
    ...(h.suite.ivHash === undefined ? {} : { "ivgen-hash-alg": h.suite.ivHash }),
    "hash-alg": h.hash,
    "payload-offset": h.payloadOffset,
    "master-key-iters": h.digestIterations,
    uuid: h.uuid,
    slots: h.slots.map((s) => ({
      active: s.active,
      ...(s.active ? { iters: s.iterations, stripes: s.stripes } : {}),
      "key-offset": s.offset,
    })),
  };
}

/** Encryption of a new image: its method, bytes of its header, and what writes that and gives the cipher. */
export interface NewEncryption {
  readonly crypt: number;
  readonly headerBytes: number;
  write(file: BlockNode, at: number): Promise<Cipher>;
}

/** What the create options ask for. @throws BlockError "bad-option" */
export async function newEncryption(
  o: CreateOptions,
  filename: string,
  host: FormatHost,
): Promise<NewEncryption | undefined> {
  const format = o["encrypt.format"] ?? (o.encryption ? "aes" : undefined);
  if (format === undefined) return undefined;
  if (format === "aes")
    throw new BlockError(
      "unsupported-feature",
      "New images with the AES format of old are not made: it is broken. Use encrypt.format=luks",
    );
  const text = (key: string): string | undefined => o[`encrypt.${key}`] as string | undefined;
  const { createLuks, luksHeaderBytes, luksOptions } = await ciphers();
  const options = luksOptions({
    "cipher-alg": text("cipher-alg"),
    "cipher-mode": text("cipher-mode"),
    "hash-alg": text("hash-alg"),
    "ivgen-alg": text("ivgen-alg"),
    "ivgen-hash-alg": text("ivgen-hash-alg"),
    "iter-time": o["encrypt.iter-time"] as number | undefined,
  });
  const length = luksHeaderBytes(options);
  return {
    crypt: CRYPT_LUKS,
    headerBytes: length,
    async write(file, at) {
      const secret = o["encrypt.key-secret"];
      if (secret === undefined)
        throw new BlockError("bad-option", "Parameter 'encrypt.key-secret' is required for cipher");
      const io = luksStorage(file, { at, length }, filename);
      return bind((await createLuks(io, options, await host.secret(secret), host)).cipher, true);
    },
  };
}
