// Operations of SSE, AVX and their extensions on vectors in memory.

export { sse_dp32, sse_dp64, sse_f32, sse_f64, sse_fma32, sse_fma64 } from "./arithmetic";
export { sse_cmp32, sse_cmp64, sse_comi32, sse_comi64 } from "./compare";
export {
  sse_approximate, sse_f16_f32, sse_f32_f16, sse_f32_f64, sse_f32_i32, sse_f32_i64, sse_f64_f32, sse_f64_i32,
  sse_f64_i64, sse_i32_f32, sse_i64_f32, sse_i64_f64, sse_round32, sse_round64,
} from "./convert";
export { sse_aes, sse_aesKeygen } from "./aes";
export { sse_clmul, sse_crc32 } from "./carryless";
export { sse_sha1, sse_sha256 } from "./sha";
export { sse_strings } from "./strings";
