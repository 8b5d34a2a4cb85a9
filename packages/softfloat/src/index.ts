import { decodeBase64 } from "./base64.ts";
import * as generated from "./generated/softfloat-wasm.ts";

export { FLAGS, POLICIES, POLICY, ROUNDING, STATUS } from "./status.ts";
export type {
  BinaryFloatOp,
  FloatComparison,
  FloatFormat,
  IntegerFormat,
  SoftfloatExports,
  UnaryFloatOp,
} from "./exports.ts";

/** A WebAssembly module that imports `env.memory`: its name and its binary. */
export interface SoftfloatModule {
  readonly name: "softfloat";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The operations, to be instantiated with the memory that holds the status blocks. */
export const softfloatModule: SoftfloatModule = { name: "softfloat", bytes: decodeBase64(generated.base64) };

/** Names of all exported operations. */
export const softfloatExports: readonly string[] = generated.exportNames;
