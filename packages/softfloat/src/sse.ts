/** The third module of the package: operations of SSE and AVX on vectors in memory, with MXCSR. */
import { decodeBase64 } from "./base64.ts";
import * as generated from "./generated/sse-wasm.ts";

/** A WebAssembly module that imports `env.memory`. Its functions take the addresses of a block of operands and of MXCSR. */
export const sseModule: { readonly name: "sse"; readonly bytes: Uint8Array<ArrayBuffer> } = {
  name: "sse",
  bytes: decodeBase64(generated.base64),
};

/**
 * Byte offsets in the block that its functions work on: three operands and the result; which part of a wider operation
 * this is (i32: 0 whole, 1 first, 2 second half; 0 again after the second); how long the block is.
 */
export const SSE_BLOCK = { a: 0, b: 16, c: 32, result: 48, part: 76, size: 80 } as const;
