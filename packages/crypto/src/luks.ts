import { afMerge, afSplit } from "./af.ts";
import { CryptoError } from "./errors.ts";
import type { KdfHost } from "./kdf.ts";
import { pbkdf2 } from "./kdf.ts";
import type { KeySlot, LuksHeader } from "./luks-header.ts";
import { LUKS_HEADER, materialBytes, parseLuksHeader } from "./luks-header.ts";
import { fillRandom } from "./random.ts";
import type { SectorCipher } from "./sectors.ts";
import { sectorCipher } from "./suite.ts";

const DIGEST = 20;

/** Where a LUKS header lies: offsets count from its first byte. A block node has this shape. */
export interface LuksReader {
  /** Fills `into` with bytes of the header from `at` on. */
  read(at: number, into: Uint8Array): Promise<void>;
}

/** A header's place that can be written. */
export interface LuksWriter extends LuksReader {
  /** Writes bytes at `at` of the header. */
  write(at: number, from: Uint8Array): Promise<void>;
}

/** An unlocked header. */
export interface LuksVolume {
  readonly header: LuksHeader;
  /** Bytes from the start of the header to the first encrypted sector. */
  readonly payloadOffset: number;
  /** What the payload is encrypted with: keep it from logs. */
  readonly masterKey: Uint8Array;
  /** For sectors of the payload, the first one being number 0. */
  readonly cipher: SectorCipher;
  /** Index of the key slot that the password opened. */
  readonly slot: number;
}

/** Reads and checks a header without a password: for `info`. `name`: of the image, for messages. */
export async function readLuks(io: LuksReader, name: string): Promise<LuksHeader> {
  const head = new Uint8Array(LUKS_HEADER);
  await io.read(0, head);
  return parseLuksHeader(head, name);
}

/**
 * Reads a header and opens it. @throws CryptoError "permission" when the password opens no key slot, else as
 * {@link parseLuksHeader} does.
 */
export async function openLuks(
  io: LuksReader,
  name: string,
  password: Uint8Array,
  host: KdfHost = {},
): Promise<LuksVolume> {
  return unlockLuks(io, await readLuks(io, name), name, password, host);
}

/** What the material of a slot says under the key of a password: the master key, or anything when the password is another. */
export type SlotKey = (header: LuksHeader, slot: KeySlot, key: Uint8Array, material: Uint8Array) => Uint8Array;

/** Deciphered, then its stripes merged: LUKS1 specification, section 2.4. */
export const slotKey: SlotKey = (header, slot, key, material) => {
  sectorCipher(header.suite, key).decrypt(material, 0);
  return afMerge(material, slot.stripes, header.hash);
};

/** Opens a header that has been read. `keyOf`: in place of the specification's way, which takes milliseconds. */
export async function unlockLuks(
  io: LuksReader,
  header: LuksHeader,
  name: string,
  password: Uint8Array,
  host: KdfHost = {},
  keyOf: SlotKey = slotKey,
): Promise<LuksVolume> {
  for (const [slot, s] of header.slots.entries()) {
    if (!s.active) continue;
    const masterKey = await tryKeySlot(io, header, s, password, host, keyOf);
    if (masterKey)
      return {
        header,
        payloadOffset: header.payloadOffset,
        masterKey,
        cipher: sectorCipher(header.suite, masterKey),
        slot,
      };
  }
  throw new CryptoError("permission", `'${name}': Invalid password, cannot unlock any keyslot`);
}

/** The master key when the password is that of the slot: LUKS1 specification, section 3.2, figure 5. */
export async function tryKeySlot(
  io: LuksReader,
  header: LuksHeader,
  slot: KeySlot,
  password: Uint8Array,
  host: KdfHost,
  keyOf: SlotKey = slotKey,
): Promise<Uint8Array | undefined> {
  const key = await pbkdf2(header.hash, password, slot.salt, slot.iterations, header.keyBytes, host);
  const material = new Uint8Array(materialBytes(header));
  await io.read(slot.offset, material);
  const candidate = keyOf(header, slot, key, material);
  const seen = await keyDigest(header, candidate, host);
  return seen.every((byte, i) => byte === header.digest[i]) ? candidate : undefined;
}

/** What the header keeps to recognise the master key. */
export function keyDigest(
  header: Pick<LuksHeader, "hash" | "digestSalt" | "digestIterations">,
  masterKey: Uint8Array,
  host: KdfHost,
): Promise<Uint8Array> {
  return pbkdf2(header.hash, masterKey, header.digestSalt, header.digestIterations, DIGEST, host);
}

/** The master key as key material of a slot: encrypted under the slot's password, split in stripes. */
export async function keyMaterial(
  header: LuksHeader,
  slot: KeySlot,
  masterKey: Uint8Array,
  password: Uint8Array,
  host: KdfHost & { random(into: Uint8Array): void },
): Promise<Uint8Array> {
  const key = await pbkdf2(header.hash, password, slot.salt, slot.iterations, header.keyBytes, host);
  const material = afSplit(masterKey, slot.stripes, header.hash, (into) => fillRandom(host, into));
  sectorCipher(header.suite, key).encrypt(material, 0);
  return material;
}
