/** Limits that hold where the options name none. */

const MIB = 1024 * 1024;

/** Bytes for descriptors and bytecode. */
export const DEFAULT_TB_SIZE: number = 32 * MIB;
/** Least bytes for them, whatever the options say. */
export const LEAST_TB_SIZE: number = MIB / 4;
/** Bytes of WebAssembly above which all code is thrown away. */
export const DEFAULT_CODE_CAP: number = 64 * MIB;
