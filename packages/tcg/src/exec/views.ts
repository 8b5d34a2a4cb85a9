/** Views of the machine memory. */
export interface Views {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  /** Undefined on memory of one thread: there nobody sees an access half done. */
  readonly words: BigInt64Array | undefined;
}
