// Everything the module exports. An operation takes the address of a status block, then encodings as i64.

export * from "./f16";
export * from "./f32";
export * from "./f64";
export * from "./f128";
