export {
  alignDown,
  alignUp,
  bit,
  ctz,
  deposit,
  extract,
  extractSigned,
  isPowerOfTwo,
  popcount,
  signExtend,
} from "./extract.ts";
export { swap, swap16, swap32, viewOf } from "./endian.ts";
export { bigFromHalves, fromHalves, high32, low32, mul32, readU64, writeU64 } from "./u64.ts";
export { decodeLatin1, decodeUtf8, encodeUtf8, hex } from "./text.ts";
