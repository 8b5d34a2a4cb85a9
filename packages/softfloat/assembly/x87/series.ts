// Power series in fixed point: z and the sum are fractions of 2^128, the sum is left in `high` and `low` of fixed.ts.
// The coefficients are those of the Taylor series, cut off where the next term is below 2^-95.

import { begin, less, plus } from "./fixed";

/** sin(r) / r for z = r²: 1 - z/3! + z²/5! - … */
export function sineSeries(zh: u64, zl: u64): void {
  begin(0x0000000000000000, 0x00000000024b3f31);
  less(zh, zl, 0x0000000000000000, 0x0000000746ac70b7);
  less(zh, zl, 0x0000000000000000, 0x000013f3ccdd165f);
  less(zh, zl, 0x0000000000000000, 0x002ec368262c7033);
  less(zh, zl, 0x0000000000000000, 0x5c6e3bdb73d5c62f);
  less(zh, zl, 0x0000000000000097, 0xa4da340a0ab92650);
  less(zh, zl, 0x000000000000ca96, 0x3b81856a53593028);
  less(zh, zl, 0x0000000000d73f9f, 0x399dc0f88ec32b58);
  less(zh, zl, 0x00000000b092309d, 0x43684be51c198e91);
  less(zh, zl, 0x0000006b99159fd5, 0x138e3f9d1f92e0df);
  less(zh, zl, 0x00002e3bc74aad8e, 0x671f5583911ca002);
  less(zh, zl, 0x000d00d00d00d00d, 0x00d00d00d00d00d0);
  less(zh, zl, 0x0222222222222222, 0x2222222222222222);
  less(zh, zl, 0x2aaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa);
  less(zh, zl, 0xffffffffffffffff, 0xffffffffffffffff);
}

/** cos(r) for z = r²: 1 - z/2! + z²/4! - … */
export function cosineSeries(zh: u64, zl: u64): void {
  begin(0x0000000000000000, 0x0000000042862898);
  less(zh, zl, 0x0000000000000000, 0x000000c4742fe352);
  less(zh, zl, 0x0000000000000000, 0x0001f2cf01972f57);
  less(zh, zl, 0x0000000000000000, 0x04338e5b6dfe14a5);
  less(zh, zl, 0x0000000000000007, 0x950ae900808941ea);
  less(zh, zl, 0x0000000000000b41, 0x3c31dcbecbbdd802);
  less(zh, zl, 0x00000000000d73f9, 0xf399dc0f88ec32b5);
  less(zh, zl, 0x000000000c9cba54, 0x603e4e905d6f8a2e);
  less(zh, zl, 0x00000008f76c77fc, 0x6c4bdaa26d4c3d67);
  less(zh, zl, 0x0000049f93edde27, 0xd71cbbc05b4fa999);
  less(zh, zl, 0x0001a01a01a01a01, 0xa01a01a01a01a01a);
  less(zh, zl, 0x005b05b05b05b05b, 0x05b05b05b05b05b0);
  less(zh, zl, 0x0aaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa);
  less(zh, zl, 0x8000000000000000, 0x0000000000000000);
  less(zh, zl, 0xffffffffffffffff, 0xffffffffffffffff);
}

/** (e^z - 1) / 2z: the halves of 1 + z/2! + z²/3! + … */
export function growth(zh: u64, zl: u64): void {
  begin(0x0000000000000000, 0x000000623a17f1a9);
  plus(zh, zl, 0x0000000000000000, 0x000009f9e66e8b2f);
  plus(zh, zl, 0x0000000000000000, 0x0000f96780cb97ab);
  plus(zh, zl, 0x0000000000000000, 0x001761b413163819);
  plus(zh, zl, 0x0000000000000000, 0x0219c72db6ff0a52);
  plus(zh, zl, 0x0000000000000000, 0x2e371dedb9eae317);
  plus(zh, zl, 0x0000000000000003, 0xca8574804044a0f5);
  plus(zh, zl, 0x000000000000004b, 0xd26d1a05055c9328);
  plus(zh, zl, 0x00000000000005a0, 0x9e18ee5f65deec01);
  plus(zh, zl, 0x000000000000654b, 0x1dc0c2b529ac9814);
  plus(zh, zl, 0x000000000006b9fc, 0xf9ccee07c476195a);
  plus(zh, zl, 0x00000000006b9fcf, 0x9ccee07c476195ac);
  plus(zh, zl, 0x00000000064e5d2a, 0x301f27482eb7c517);
  plus(zh, zl, 0x000000005849184e, 0xa1b425f28e0cc748);
  plus(zh, zl, 0x000000047bb63bfe, 0x3625ed5136a61eb3);
  plus(zh, zl, 0x00000035cc8acfea, 0x89c71fce8fc9706f);
  plus(zh, zl, 0x0000024fc9f6ef13, 0xeb8e5de02da7d4cc);
  plus(zh, zl, 0x0000171de3a556c7, 0x338faac1c88e5001);
  plus(zh, zl, 0x0000d00d00d00d00, 0xd00d00d00d00d00d);
  plus(zh, zl, 0x0006806806806806, 0x8068068068068068);
  plus(zh, zl, 0x002d82d82d82d82d, 0x82d82d82d82d82d8);
  plus(zh, zl, 0x0111111111111111, 0x1111111111111111);
  plus(zh, zl, 0x0555555555555555, 0x5555555555555555);
  plus(zh, zl, 0x1555555555555555, 0x5555555555555555);
  plus(zh, zl, 0x4000000000000000, 0x0000000000000000);
  plus(zh, zl, 0x8000000000000000, 0x0000000000000000);
}

/** (1 - e^-z) / 2z: the halves of 1 - z/2! + z²/3! - … */
export function decay(zh: u64, zl: u64): void {
  begin(0x0000000000000000, 0x000000623a17f1a9);
  less(zh, zl, 0x0000000000000000, 0x000009f9e66e8b2f);
  less(zh, zl, 0x0000000000000000, 0x0000f96780cb97ab);
  less(zh, zl, 0x0000000000000000, 0x001761b413163819);
  less(zh, zl, 0x0000000000000000, 0x0219c72db6ff0a52);
  less(zh, zl, 0x0000000000000000, 0x2e371dedb9eae317);
  less(zh, zl, 0x0000000000000003, 0xca8574804044a0f5);
  less(zh, zl, 0x000000000000004b, 0xd26d1a05055c9328);
  less(zh, zl, 0x00000000000005a0, 0x9e18ee5f65deec01);
  less(zh, zl, 0x000000000000654b, 0x1dc0c2b529ac9814);
  less(zh, zl, 0x000000000006b9fc, 0xf9ccee07c476195a);
  less(zh, zl, 0x00000000006b9fcf, 0x9ccee07c476195ac);
  less(zh, zl, 0x00000000064e5d2a, 0x301f27482eb7c517);
  less(zh, zl, 0x000000005849184e, 0xa1b425f28e0cc748);
  less(zh, zl, 0x000000047bb63bfe, 0x3625ed5136a61eb3);
  less(zh, zl, 0x00000035cc8acfea, 0x89c71fce8fc9706f);
  less(zh, zl, 0x0000024fc9f6ef13, 0xeb8e5de02da7d4cc);
  less(zh, zl, 0x0000171de3a556c7, 0x338faac1c88e5001);
  less(zh, zl, 0x0000d00d00d00d00, 0xd00d00d00d00d00d);
  less(zh, zl, 0x0006806806806806, 0x8068068068068068);
  less(zh, zl, 0x002d82d82d82d82d, 0x82d82d82d82d82d8);
  less(zh, zl, 0x0111111111111111, 0x1111111111111111);
  less(zh, zl, 0x0555555555555555, 0x5555555555555555);
  less(zh, zl, 0x1555555555555555, 0x5555555555555555);
  less(zh, zl, 0x4000000000000000, 0x0000000000000000);
  less(zh, zl, 0x8000000000000000, 0x0000000000000000);
}

/** artanh(s) / 2s for z = s²: the halves of 1 + z/3 + z²/5 + … */
export function logarithmSeries(zh: u64, zl: u64): void {
  begin(0x031f3831f3831f38, 0x31f3831f3831f383);
  plus(zh, zl, 0x0348348348348348, 0x3483483483483483);
  plus(zh, zl, 0x03759f22983759f2, 0x2983759f22983759);
  plus(zh, zl, 0x03a83a83a83a83a8, 0x3a83a83a83a83a83);
  plus(zh, zl, 0x03e0f83e0f83e0f8, 0x3e0f83e0f83e0f83);
  plus(zh, zl, 0x0421084210842108, 0x4210842108421084);
  plus(zh, zl, 0x0469ee58469ee584, 0x69ee58469ee58469);
  plus(zh, zl, 0x04bda12f684bda12, 0xf684bda12f684bda);
  plus(zh, zl, 0x051eb851eb851eb8, 0x51eb851eb851eb85);
  plus(zh, zl, 0x0590b21642c8590b, 0x21642c8590b21642);
  plus(zh, zl, 0x0618618618618618, 0x6186186186186186);
  plus(zh, zl, 0x06bca1af286bca1a, 0xf286bca1af286bca);
  plus(zh, zl, 0x0787878787878787, 0x8787878787878787);
  plus(zh, zl, 0x0888888888888888, 0x8888888888888888);
  plus(zh, zl, 0x09d89d89d89d89d8, 0x9d89d89d89d89d89);
  plus(zh, zl, 0x0ba2e8ba2e8ba2e8, 0xba2e8ba2e8ba2e8b);
  plus(zh, zl, 0x0e38e38e38e38e38, 0xe38e38e38e38e38e);
  plus(zh, zl, 0x1249249249249249, 0x2492492492492492);
  plus(zh, zl, 0x1999999999999999, 0x9999999999999999);
  plus(zh, zl, 0x2aaaaaaaaaaaaaaa, 0xaaaaaaaaaaaaaaaa);
  plus(zh, zl, 0x8000000000000000, 0x0000000000000000);
}

/** arctan(u) / u for z = u²: 1 - z/3 + z²/5 - … */
export function arctangentSeries(zh: u64, zl: u64): void {
  begin(0x097b425ed097b425, 0xed097b425ed097b4);
  less(zh, zl, 0x0a3d70a3d70a3d70, 0xa3d70a3d70a3d70a);
  less(zh, zl, 0x0b21642c8590b216, 0x42c8590b21642c85);
  less(zh, zl, 0x0c30c30c30c30c30, 0xc30c30c30c30c30c);
  less(zh, zl, 0x0d79435e50d79435, 0xe50d79435e50d794);
  less(zh, zl, 0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f);
  less(zh, zl, 0x1111111111111111, 0x1111111111111111);
  less(zh, zl, 0x13b13b13b13b13b1, 0x3b13b13b13b13b13);
  less(zh, zl, 0x1745d1745d1745d1, 0x745d1745d1745d17);
  less(zh, zl, 0x1c71c71c71c71c71, 0xc71c71c71c71c71c);
  less(zh, zl, 0x2492492492492492, 0x4924924924924924);
  less(zh, zl, 0x3333333333333333, 0x3333333333333333);
  less(zh, zl, 0x5555555555555555, 0x5555555555555555);
  less(zh, zl, 0xffffffffffffffff, 0xffffffffffffffff);
}
