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
 * from 1500 on, 2.0 s from 50,000 on; a Linux boot 8.1 and 6.5 s. With blocks compiled from 2000 on instead of 250 a riscv64 boot takes
 * 10 % less processor time (from 1000 and 5000 on: 5 %), an amd64 boot 9 %, Python's start with two modules and a short loop 24 %;
 * gzip of 3 MB 5 % more.
 */
export const DEFAULT_HOT = 2000;
export const DEFAULT_REGION_THRESHOLD = 50_000;
/** Guest instructions per region. A loop of Python statements takes a quarter less time than with 1500, and a third more with 50; kernels do not tell. */
export const DEFAULT_REGION_INSNS = 800;
/** Times that the interpreter is entered for each vCPU before it is needed, so that the host optimises it. A machine's first line comes 50 ms earlier. */
export const WARM_UP = 256;
