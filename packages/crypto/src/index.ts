export { Aes } from "./aes.ts";
export { afMerge, afSplit } from "./af.ts";
export type { BlockCipher } from "./block-cipher.ts";
export { Cast5 } from "./cast5.ts";
export { CryptoError } from "./errors.ts";
export type { CryptoErrorKind } from "./errors.ts";
export { digest, digestSize, HASH_NAMES, isHashName } from "./hashes.ts";
export type { HashName } from "./hashes.ts";
export { essiv, plain, plain64 } from "./iv.ts";
export type { IvGenerator } from "./iv.ts";
export { MAX_ITERATIONS, pbkdf2 } from "./kdf.ts";
export type { KdfHost } from "./kdf.ts";
export { cbc, ctr, ecb, SECTOR, xts } from "./sectors.ts";
export type { SectorCipher } from "./sectors.ts";
export { Serpent } from "./serpent.ts";
export { blockCipher, isCipherName, keySizes, legacyQcowCipher, sectorCipher } from "./suite.ts";
export type { CipherName, IvName, ModeName, Suite } from "./suite.ts";
export { Twofish } from "./twofish.ts";
export {
  formatLuksHeader,
  hasLuksMagic,
  KEY_SLOTS,
  LUKS_HEADER,
  modeText,
  parseLuksHeader,
  STRIPES,
} from "./luks-header.ts";
export type { KeySlot, LuksHeader } from "./luks-header.ts";
export { describeLuks } from "./luks-info.ts";
export { openLuks, readLuks, slotKey, unlockLuks } from "./luks.ts";
export type { LuksReader, LuksVolume, LuksWriter, SlotKey } from "./luks.ts";
export { amendLuks } from "./luks-amend.ts";
export type { LuksChange, LuksStorage } from "./luks-amend.ts";
export { CIPHER_ALGS, createLuks, luksHeaderBytes, luksOptions } from "./luks-create.ts";
export type { LuksHost, LuksOptionNames, LuksOptions } from "./luks-create.ts";
