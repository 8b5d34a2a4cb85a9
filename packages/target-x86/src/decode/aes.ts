// Rows of AES, VAES, PCLMULQDQ, VPCLMULQDQ and SHA.
// Source: Intel SDM volume 2 (2023).
import { defineRows } from "./notation.ts";

/** Rows of AES, VAES, PCLMULQDQ, VPCLMULQDQ and SHA. */
export const aesRows = defineRows([
  { name: "aesenc", enc: "66 0F 38 DC /r", operands: "Vx,Wx", feature: "aes", flags: "aligned" },
  { name: "vaesenc", enc: "VEX.128.66.0F38.WIG DC /r", operands: "Vx,Hx,Wx", feature: "aes" },
  { name: "vaesenc", enc: "VEX.256.66.0F38.WIG DC /r", operands: "Vx,Hx,Wx", feature: "vaes" },
  { name: "aesenclast", enc: "66 0F 38 DD /r", operands: "Vx,Wx", feature: "aes", flags: "aligned" },
  { name: "vaesenclast", enc: "VEX.128.66.0F38.WIG DD /r", operands: "Vx,Hx,Wx", feature: "aes" },
  { name: "vaesenclast", enc: "VEX.256.66.0F38.WIG DD /r", operands: "Vx,Hx,Wx", feature: "vaes" },
  { name: "aesdec", enc: "66 0F 38 DE /r", operands: "Vx,Wx", feature: "aes", flags: "aligned" },
  { name: "vaesdec", enc: "VEX.128.66.0F38.WIG DE /r", operands: "Vx,Hx,Wx", feature: "aes" },
  { name: "vaesdec", enc: "VEX.256.66.0F38.WIG DE /r", operands: "Vx,Hx,Wx", feature: "vaes" },
  { name: "aesdeclast", enc: "66 0F 38 DF /r", operands: "Vx,Wx", feature: "aes", flags: "aligned" },
  { name: "vaesdeclast", enc: "VEX.128.66.0F38.WIG DF /r", operands: "Vx,Hx,Wx", feature: "aes" },
  { name: "vaesdeclast", enc: "VEX.256.66.0F38.WIG DF /r", operands: "Vx,Hx,Wx", feature: "vaes" },
  { name: "aesimc", enc: "66 0F 38 DB /r", operands: "Vdq,Wdq", feature: "aes", flags: "aligned" },
  { name: "vaesimc", enc: "VEX.128.66.0F38.WIG DB /r", operands: "Vdq,Wdq", feature: "aes" },
  { name: "aeskeygenassist", enc: "66 0F 3A DF /r ib", operands: "Vdq,Wdq,Ib", feature: "aes", flags: "aligned" },
  { name: "vaeskeygenassist", enc: "VEX.128.66.0F3A.WIG DF /r ib", operands: "Vdq,Wdq,Ib", feature: "aes" },
  { name: "pclmulqdq", enc: "66 0F 3A 44 /r ib", operands: "Vx,Wx,Ib", feature: "pclmulqdq", flags: "aligned" },
  { name: "vpclmulqdq", enc: "VEX.128.66.0F3A.WIG 44 /r ib", operands: "Vx,Hx,Wx,Ib", feature: "pclmulqdq" },
  { name: "vpclmulqdq", enc: "VEX.256.66.0F3A.WIG 44 /r ib", operands: "Vx,Hx,Wx,Ib", feature: "vpclmulqdq" },
  { name: "sha1nexte", enc: "NP 0F 38 C8 /r", operands: "Vdq,Wdq", feature: "sha-ni" },
  { name: "sha1msg1", enc: "NP 0F 38 C9 /r", operands: "Vdq,Wdq", feature: "sha-ni" },
  { name: "sha1msg2", enc: "NP 0F 38 CA /r", operands: "Vdq,Wdq", feature: "sha-ni" },
  { name: "sha256msg1", enc: "NP 0F 38 CC /r", operands: "Vdq,Wdq", feature: "sha-ni" },
  { name: "sha256msg2", enc: "NP 0F 38 CD /r", operands: "Vdq,Wdq", feature: "sha-ni" },
  { name: "sha256rnds2", enc: "NP 0F 38 CB /r", operands: "Vdq,Wdq,XMM0", feature: "sha-ni" },
  { name: "sha1rnds4", enc: "NP 0F 3A CC /r ib", operands: "Vdq,Wdq,Ib", feature: "sha-ni" },
]); // prettier-ignore
