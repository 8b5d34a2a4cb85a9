/** Limits that hold where the options name none. */

const MIB = 1024 * 1024;

/** Bytes for descriptors and bytecode. */
export const DEFAULT_TB_SIZE: number = 32 * MIB;
/** Least bytes for them, whatever the options say. */
export const LEAST_TB_SIZE: number = MIB / 4;
/** Bytes of WebAssembly above which all code is thrown away. */
export const DEFAULT_CODE_CAP: number = 64 * MIB;

/**
 * Executions of an interpreted block until it is compiled, and of a compiled one until a region is built around it: about
 * what has then been spent on the slower tier is what the faster one costs to make. Python's start takes 2.5 s with regions
 * from 1500 on, 2.0 s from 50,000 on; a Linux boot 8.1 and 6.5 s.
 */
export const DEFAULT_HOT = 250;
export const DEFAULT_REGION_THRESHOLD = 50_000;
