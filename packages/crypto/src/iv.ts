import type { BlockCipher } from "./block-cipher.ts";

/** Fills `iv` (four little-endian words; ciphers of 64 bits use the first two) for a sector. */
export type IvGenerator = (sector: number, iv: Int32Array) => void;

/** The sector number modulo 2^32, little-endian, then zeroes. */
export const plain: IvGenerator = (sector, iv) => {
  iv[0] = sector | 0;
  iv[1] = 0;
  iv[2] = 0;
  iv[3] = 0;
};

/** The sector number in 64 bits, little-endian, then zeroes. */
export const plain64: IvGenerator = (sector, iv) => {
  iv[0] = sector | 0;
  iv[1] = (sector / 2 ** 32) | 0;
  iv[2] = 0;
  iv[3] = 0;
};

/** The 64-bit sector number encrypted under a hash of the key ("ESSIV"): `cipher` has that hash as its key. */
export function essiv(cipher: BlockCipher): IvGenerator {
  return (sector, iv) => {
    plain64(sector, iv);
    cipher.encrypt(iv, 0);
  };
}
