import { decodeLatin1 } from "@mimus/bits";
import { CryptoError } from "./errors.ts";
import type { HashName } from "./hashes.ts";
import { isHashName } from "./hashes.ts";
import { MAX_ITERATIONS } from "./kdf.ts";
import { SECTOR } from "./sectors.ts";
import type { IvName, ModeName, Suite } from "./suite.ts";
import { isCipherName, keySizes } from "./suite.ts";

// Source: LUKS1 On-Disk Format Specification 1.2.3, section 2.1 "Partition header" and figures 1 to 3.

/** Bytes of the header itself. */
export const LUKS_HEADER = 592;
/** Passwords that a LUKS1 header has room for. */
export const KEY_SLOTS = 8;
/** Pieces of a key; the only number that is in use. */
export const STRIPES = 4000;
const MAGIC: readonly number[] = [0x4c, 0x55, 0x4b, 0x53, 0xba, 0xbe];
const ENABLED = 0x00ac71f3;
const DISABLED = 0x0000dead;
const FIRST_SLOT = 208;
const SLOT = 48;

/** A place for the master key under one password. */
export interface KeySlot {
  /** Holds the master key under some password. */
  active: boolean;
  /** Of PBKDF2, for the password: 1 to {@link MAX_ITERATIONS}. */
  iterations: number;
  /** 32 bytes. */
  salt: Uint8Array;
  /** Of the key material, bytes from the start of the header. */
  readonly offset: number;
  /** Pieces that the master key is spread over ({@link afSplit}). */
  readonly stripes: number;
}

/** A LUKS1 header whose every field is inside its bounds. */
export interface LuksHeader {
  /** How the payload is encrypted. */
  readonly suite: Suite;
  /** Of all key derivation. */
  readonly hash: HashName;
  /** Bytes from the start of the header; 0 = the header is apart from its data. */
  readonly payloadOffset: number;
  /** Length of the master key. */
  readonly keyBytes: number;
  /** 20 bytes that show whether a master key is the right one. */
  readonly digest: Uint8Array;
  /** 32 bytes. */
  readonly digestSalt: Uint8Array;
  /** Of PBKDF2, for the digest. */
  readonly digestIterations: number;
  readonly uuid: string;
  /** {@link KEY_SLOTS} of them. */
  readonly slots: readonly KeySlot[];
}

/** True when the bytes begin as a LUKS header of any version does. */
export function hasLuksMagic(head: Uint8Array): boolean {
  return head.length >= 8 && MAGIC.every((byte, i) => head[i] === byte);
}

/** Reads and checks the {@link LUKS_HEADER} bytes. `name`: of the image, for messages. */
export function parseLuksHeader(bytes: Uint8Array, name: string): LuksHeader {
  if (!hasLuksMagic(bytes)) throw new CryptoError("not-this-format", `'${name}': no LUKS header`, 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint16(6);
  if (version !== 1)
    throw new CryptoError(
      "unsupported-feature",
      `'${name}': LUKS version ${version} is not supported (only version 1 is)`,
      6,
    );
  if (bytes.length < LUKS_HEADER) throw wrong(name, "header", `${bytes.length} bytes`, `must be ${LUKS_HEADER}`, 0);
  const hash = text(bytes, 72, 32, "hash-spec", name);
  if (!isHashName(hash)) throw unsupported(name, "hash-spec", hash, 72);
  const suite = parseSuite(
    text(bytes, 8, 32, "cipher-name", name),
    text(bytes, 40, 32, "cipher-mode", name),
    hash,
    name,
  );
  const keyBytes = view.getUint32(108);
  checkKeySize(suite, keyBytes, name);
  const payload = view.getUint32(104);
  const header: LuksHeader = {
    suite,
    hash,
    payloadOffset: payload * SECTOR,
    keyBytes,
    digest: new Uint8Array(bytes.subarray(112, 132)),
    digestSalt: new Uint8Array(bytes.subarray(132, 164)),
    digestIterations: iterations(view.getUint32(164), "mk-digest-iter", name, 164),
    uuid: text(bytes, 168, 40, "uuid", name),
    slots: Array.from({ length: KEY_SLOTS }, (_, i) => parseSlot(bytes, view, i, keyBytes, name)),
  };
  checkPlaces(header, name);
  return header;
}

/** The header as bytes. */
export function formatLuksHeader(h: LuksHeader): Uint8Array {
  const bytes = new Uint8Array(LUKS_HEADER);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(6, 1);
  putText(bytes, 8, h.suite.cipher);
  putText(bytes, 40, modeText(h.suite));
  putText(bytes, 72, h.hash);
  view.setUint32(104, h.payloadOffset / SECTOR);
  view.setUint32(108, h.keyBytes);
  bytes.set(h.digest, 112);
  bytes.set(h.digestSalt, 132);
  view.setUint32(164, h.digestIterations);
  putText(bytes, 168, h.uuid);
  for (const [i, slot] of h.slots.entries()) {
    const at = FIRST_SLOT + i * SLOT;
    view.setUint32(at, slot.active ? ENABLED : DISABLED);
    view.setUint32(at + 4, slot.iterations);
    bytes.set(slot.salt, at + 8);
    view.setUint32(at + 40, slot.offset / SECTOR);
    view.setUint32(at + 44, slot.stripes);
  }
  return bytes;
}

/** Bytes of a slot's key material. */
export function materialBytes(h: LuksHeader): number {
  return h.keyBytes * STRIPES;
}

/** "xts-plain64", "cbc-essiv:sha256", "ecb". */
export function modeText({ mode, iv, ivHash }: Suite): string {
  return iv === undefined ? mode : `${mode}-${iv}${ivHash === undefined ? "" : `:${ivHash}`}`;
}

function parseSuite(cipher: string, spec: string, hash: HashName, name: string): Suite {
  if (!isCipherName(cipher)) throw unsupported(name, "cipher-name", cipher, 8);
  const [mode = "", ivSpec] = split(spec, "-");
  if (!isMode(mode)) throw unsupported(name, "cipher-mode", spec, 40);
  if (mode === "ecb" && ivSpec === undefined) return { cipher, mode };
  const [iv = "", ivHash] = split(ivSpec ?? "", ":");
  if (!isIv(iv)) throw unsupported(name, "cipher-mode", spec, 40);
  if (iv !== "essiv") return { cipher, mode, iv };
  const chosen = ivHash ?? hash;
  if (!isHashName(chosen)) throw unsupported(name, "cipher-mode", spec, 40);
  return { cipher, mode, iv, ivHash: chosen };
}

function isMode(mode: string): mode is ModeName {
  return mode === "cbc" || mode === "ctr" || mode === "ecb" || mode === "xts";
}

function isIv(iv: string): iv is IvName {
  return iv === "plain" || iv === "plain64" || iv === "essiv";
}

function checkKeySize(suite: Suite, bytes: number, name: string): void {
  const sizes = keySizes(suite.cipher).map((n) => (suite.mode === "xts" ? 2 * n : n));
  if (!sizes.includes(bytes))
    throw wrong(
      name,
      "key-bytes",
      String(bytes),
      `must be ${sizes.join(", ")} for ${suite.cipher} in ${suite.mode}`,
      108,
    );
}

function parseSlot(bytes: Uint8Array, view: DataView, index: number, keyBytes: number, name: string): KeySlot {
  const at = FIRST_SLOT + index * SLOT;
  const field = (what: string): string => `key slot ${index} ${what}`;
  const state = view.getUint32(at);
  if (state !== ENABLED && state !== DISABLED)
    throw wrong(name, field("state"), `0x${state.toString(16)}`, "must be 0xac71f3 or 0xdead", at);
  const stripes = view.getUint32(at + 44);
  if (stripes !== STRIPES) throw wrong(name, field("stripes"), String(stripes), `must be ${STRIPES}`, at + 44);
  const sector = view.getUint32(at + 40);
  if (sector * SECTOR < LUKS_HEADER)
    throw wrong(name, field("offset"), `${sector} sectors`, "must be behind the header (2 sectors)", at + 40);
  if (sector + Math.ceil((keyBytes * STRIPES) / SECTOR) > 0xffffffff)
    throw wrong(name, field("offset"), `${sector} sectors`, "must end within 2^32 sectors", at + 40);
  const active = state === ENABLED;
  const count = view.getUint32(at + 4);
  return {
    active,
    iterations: active ? iterations(count, field("iterations"), name, at + 4) : count,
    salt: new Uint8Array(bytes.subarray(at + 8, at + 40)),
    offset: sector * SECTOR,
    stripes,
  };
}

/** Key material lies before the payload, and no two slots share a sector. */
function checkPlaces(h: LuksHeader, name: string): void {
  const length = Math.ceil(materialBytes(h) / SECTOR) * SECTOR;
  for (const [i, a] of h.slots.entries()) {
    const at = FIRST_SLOT + i * SLOT + 40;
    if (h.payloadOffset > 0 && a.offset + length > h.payloadOffset)
      throw wrong(
        name,
        `key slot ${i} end`,
        String(a.offset + length),
        `must be at most payload-offset ${h.payloadOffset}`,
        at,
      );
    for (const [j, b] of h.slots.entries())
      if (j > i && a.offset < b.offset + length && b.offset < a.offset + length)
        throw wrong(name, `key slot ${j} offset`, String(b.offset), `overlaps key slot ${i} at ${a.offset}`, at);
  }
}

function iterations(value: number, field: string, name: string, at: number): number {
  if (value >= 1 && value <= MAX_ITERATIONS) return value;
  throw wrong(name, field, String(value), `must be 1 to ${MAX_ITERATIONS}`, at);
}

function text(bytes: Uint8Array, at: number, length: number, field: string, name: string): string {
  const end = bytes.subarray(at, at + length).indexOf(0);
  if (end < 0) throw wrong(name, field, "without an end", `must end with 0 within ${length} bytes`, at);
  return decodeLatin1(bytes.subarray(at, at + end));
}

function putText(bytes: Uint8Array, at: number, value: string): void {
  for (let i = 0; i < value.length; i++) bytes[at + i] = value.charCodeAt(i);
}

function split(value: string, by: string): [string, string | undefined] {
  const at = value.indexOf(by);
  return at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
}

function wrong(name: string, field: string, value: string, rule: string, at: number): CryptoError {
  return new CryptoError("corrupt", `'${name}': LUKS ${field} ${value} ${rule}`, at);
}

function unsupported(name: string, field: string, value: string, at: number): CryptoError {
  return new CryptoError("unsupported-feature", `'${name}': LUKS ${field} '${value}' is not supported`, at);
}
