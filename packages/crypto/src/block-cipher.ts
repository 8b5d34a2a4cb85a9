/**
 * A block cipher with its key. Blocks are little-endian 32-bit words in place: what a typed array over the bytes shows on
 * every machine that runs JavaScript.
 */
export interface BlockCipher {
  /** 32-bit words in a block: 4, or 2 for ciphers of 64 bits. */
  readonly words: 2 | 4;
  /** Encrypts one block in place; `at`: index of its first word. */
  encrypt(block: Int32Array, at: number): void;
  /** Decrypts one block in place. */
  decrypt(block: Int32Array, at: number): void;
}

/** The bytes of a key as little-endian words. */
export function keyWords(key: Uint8Array): Int32Array {
  return new Int32Array(new Uint8Array(key).buffer);
}

/** Runs a cipher on bytes that may lie at any address, in place; whole blocks. */
export function onWords(bytes: Uint8Array, work: (words: Int32Array) => void): void {
  if ((bytes.byteOffset & 3) === 0) {
    work(new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2));
    return;
  }
  const copy = new Uint8Array(bytes); // not slice(): that of Node's Buffer does not copy
  work(new Int32Array(copy.buffer));
  bytes.set(copy);
}
