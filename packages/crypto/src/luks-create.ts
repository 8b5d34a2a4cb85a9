import { CryptoError } from "./errors.ts";
import type { HashName } from "./hashes.ts";
import { HASH_NAMES, isHashName } from "./hashes.ts";
import type { KdfHost } from "./kdf.ts";
import { MAX_ITERATIONS, pbkdf2 } from "./kdf.ts";
import type { KeySlot, LuksHeader } from "./luks-header.ts";
import { formatLuksHeader, KEY_SLOTS, STRIPES } from "./luks-header.ts";
import type { LuksVolume, LuksWriter } from "./luks.ts";
import { keyDigest, keyMaterial } from "./luks.ts";
import { SECTOR } from "./sectors.ts";
import { fillRandom } from "./random.ts";
import type { CipherName, IvName, ModeName, Suite } from "./suite.ts";
import { isCipherName, keySizes, sectorCipher } from "./suite.ts";

/** What making a header takes from the world. */
export interface LuksHost extends KdfHost {
  /** Fills with random bytes that nobody can guess. */
  random(into: Uint8Array): void;
  /** Milliseconds. */
  now(): number;
}

/** Choices for a new header. */
export interface LuksOptions {
  readonly suite: Suite;
  readonly hash: HashName;
  /** Length of the master key; XTS takes two halves. */
  readonly keyBytes: number;
  /** Milliseconds that opening may take on this machine. */
  readonly iterTime: number;
  /** The header has a file of its own: no payload follows it. */
  readonly detached: boolean;
}

/** Options in QEMU's names: "cipher-alg", "cipher-mode", "ivgen-alg", "ivgen-hash-alg", "hash-alg", "iter-time". */
export type LuksOptionNames = Readonly<
  Partial<Record<"cipher-alg" | "cipher-mode" | "hash-alg" | "ivgen-alg" | "ivgen-hash-alg", string | undefined>>
> & { readonly "iter-time"?: number | undefined; readonly detached?: boolean | undefined };

/** Key slots start at this multiple, bytes. */
const ALIGN = 4096;
const MIN_ITERATIONS = 1000;
const DEFAULT_ITER_TIME = 2000;
/** Iterations a millisecond where the host's clock is too coarse to tell. */
const RATE_WITHOUT_CLOCK = 100;

/** Names of `cipher-alg`: "aes-256". */
export const CIPHER_ALGS: readonly string[] = (["aes", "cast5", "serpent", "twofish"] as const).flatMap((cipher) =>
  keySizes(cipher).map((bytes) => `${cipher}-${bytes * 8}`),
);

/** Checks options given by name; defaults are QEMU's: aes-256, xts, plain64, sha256, 2000 ms. */
export function luksOptions(names: LuksOptionNames): LuksOptions {
  const alg = oneOf("cipher-alg", names["cipher-alg"] ?? "aes-256", CIPHER_ALGS);
  const [cipher, bits] = alg.split("-") as [CipherName, string];
  if (!isCipherName(cipher)) throw new CryptoError("bad-option", `cipher-alg '${alg}' is not known`);
  const mode = oneOf("cipher-mode", names["cipher-mode"] ?? "xts", ["cbc", "ctr", "ecb", "xts"]) as ModeName;
  const iv = oneOf("ivgen-alg", names["ivgen-alg"] ?? "plain64", ["essiv", "plain", "plain64"]) as IvName;
  const ivHash = iv === "essiv" ? hashOption("ivgen-hash-alg", names["ivgen-hash-alg"] ?? "sha256") : undefined;
  if (iv !== "essiv" && names["ivgen-hash-alg"] !== undefined)
    throw new CryptoError("bad-option", `ivgen-hash-alg goes with ivgen-alg essiv only, not with ${iv}`);
  const iterTime = names["iter-time"] ?? DEFAULT_ITER_TIME;
  if (!(iterTime >= 1 && iterTime <= 600_000))
    throw new CryptoError("bad-option", `iter-time ${iterTime} must be 1 to 600000 ms`);
  const keyBytes = (Number(bits) / 8) * (mode === "xts" ? 2 : 1);
  const suite: Suite = { cipher, mode, iv, ...(ivHash ? { ivHash } : {}) };
  sectorCipher(suite, new Uint8Array(keyBytes)); // refuses what does not go together
  const hash = hashOption("hash-alg", names["hash-alg"] ?? "sha256");
  return { suite, hash, keyBytes, iterTime, detached: names.detached ?? false };
}

/** Bytes that a header with all its key slots takes: where the payload starts. */
export function luksHeaderBytes(options: Pick<LuksOptions, "keyBytes">): number {
  return ALIGN + KEY_SLOTS * slotBytes(options.keyBytes);
}

/**
 * Makes a header with one key slot and writes it, {@link luksHeaderBytes} long: LUKS1 specification, section 3.1. The master key
 * is random.
 */
export async function createLuks(
  io: Pick<LuksWriter, "write">,
  options: LuksOptions,
  password: Uint8Array,
  host: LuksHost,
): Promise<LuksVolume> {
  const { suite, hash, keyBytes, iterTime } = options;
  const masterKey = randomBytes(host, keyBytes);
  const digestSalt = randomBytes(host, 32);
  const rate = await iterationRate(hash, 20, host);
  const digestIterations = iterationsFor(rate, iterTime / 8);
  const slots = Array.from({ length: KEY_SLOTS }, (_, i): KeySlot => emptySlot(ALIGN + i * slotBytes(keyBytes)));
  const draft = { suite, hash, keyBytes, digestSalt, digestIterations, slots, uuid: randomUuid(host) };
  const payloadOffset = options.detached ? 0 : luksHeaderBytes(options);
  const digest = await keyDigest(draft, masterKey, host);
  const header: LuksHeader = { ...draft, payloadOffset, digest };
  const first = slots[0]!;
  const material = await fillSlot(header, first, masterKey, password, iterTime, host);
  const all = new Uint8Array(luksHeaderBytes(options));
  all.set(formatLuksHeader(header));
  all.set(material, first.offset);
  await io.write(0, all);
  return { header, payloadOffset, masterKey, cipher: sectorCipher(suite, masterKey), slot: 0 };
}

/** Activates a slot object for a password (the header still has to be written) and returns its key material. */
export async function fillSlot(
  header: LuksHeader,
  slot: KeySlot,
  masterKey: Uint8Array,
  password: Uint8Array,
  iterTime: number,
  host: LuksHost,
): Promise<Uint8Array> {
  slot.salt = randomBytes(host, 32);
  slot.iterations = iterationsFor(await iterationRate(header.hash, header.keyBytes, host), iterTime / 2);
  slot.active = true;
  return keyMaterial(header, slot, masterKey, password, host);
}

function emptySlot(offset: number): KeySlot {
  return { active: false, iterations: 0, salt: new Uint8Array(32), offset, stripes: STRIPES };
}

function slotBytes(keyBytes: number): number {
  const sectors = Math.ceil((keyBytes * STRIPES) / SECTOR);
  return Math.ceil((sectors * SECTOR) / ALIGN) * ALIGN;
}

function iterationsFor(rate: number, ms: number): number {
  return Math.min(MAX_ITERATIONS, Math.max(MIN_ITERATIONS, Math.floor(rate * ms)));
}

/** PBKDF2 iterations a millisecond on this machine for a key of `length` bytes. */
async function iterationRate(hash: HashName, length: number, host: LuksHost): Promise<number> {
  const password = randomBytes(host, 20);
  const salt = randomBytes(host, 32);
  for (let count = MIN_ITERATIONS; ; count *= 2) {
    const start = host.now();
    await pbkdf2(hash, password, salt, count, length, host);
    const ms = host.now() - start;
    if (ms >= 25) return count / ms;
    if (ms <= 0 && count > 1 << 13) return RATE_WITHOUT_CLOCK;
  }
}

function randomBytes(host: LuksHost, length: number): Uint8Array {
  const out = new Uint8Array(length);
  fillRandom(host, out);
  return out;
}

/** A random UUID: RFC 9562 section 5.4. */
function randomUuid(host: LuksHost): string {
  const b = randomBytes(host, 16);
  b[6] = (b[6]! & 0x0f) | 0x40;
  b[8] = (b[8]! & 0x3f) | 0x80;
  const hex = Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

function hashOption(option: string, value: string): HashName {
  oneOf(option, value, HASH_NAMES);
  if (!isHashName(value)) throw new CryptoError("bad-option", `${option} '${value}' is not known`);
  return value;
}

function oneOf(option: string, value: string, all: readonly string[]): string {
  if (all.includes(value)) return value;
  throw new CryptoError("bad-option", `${option} '${value}' must be one of ${all.join(", ")}`);
}
