export { adcDecompress } from "./adc.ts";
export { bzip2Decompress } from "./bzip2.ts";
export type { Codecs } from "./codecs.ts";
export { inflateRaw, inflateZlib } from "./inflate.ts";
export { lzfseDecompress } from "./lzfse.ts";
export { DecodeError } from "./output.ts";
export { portable } from "./portable.ts";
export { xzDecompress } from "./xz.ts";
export { zstdFrame } from "./zstd-frame.ts";
