/** The second module of the package: the double extended format and the x87's instructions. */
import { decodeBase64 } from "./base64.ts";
import * as generated from "./generated/x87-wasm.ts";

/** A WebAssembly module that imports `env.memory`: its name and its binary. */
export interface X87Module {
  readonly name: "x87";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The operations, to be instantiated with the memory that holds status blocks and register files. */
export const x87Module: X87Module = { name: "x87", bytes: decodeBase64(generated.base64) };

/** Names of all exported operations. */
export const x87Exports: readonly string[] = generated.exportNames;

/** Parameters (after the address of the register file) and result of a function on a register file. */
export interface X87Signature {
  readonly params: readonly ("i32" | "i64")[];
  readonly result?: "i32" | "i64";
}

/** Every function on a register file, by name. */
export const x87Signatures: Readonly<Record<string, X87Signature>> = generated.signatures;
