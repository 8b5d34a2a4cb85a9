// oxlint-disable max-lines -- a table, written out
// Source: R. Anderson, E. Biham, L. Knudsen, "Serpent: A Proposal for the Advanced Encryption Standard" (1998), appendix A.5.
// Each box is its table's algebraic normal form over 32 columns at once, with sums that occur more than once taken out.

/** One box on four words, in place. */
export type Box = (w: Int32Array) => void;

function s0(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const abc = ab & c;
  const acd = ac & d;
  const bcd = bc & d;
  const t0 = abc ^ ac;
  const t1 = bcd ^ t0;
  const t2 = a ^ acd;
  const t3 = ab ^ d;
  const t4 = bc ^ t1;
  const t5 = t2 ^ t4;
  w[0] = ~(c ^ t3 ^ t5);
  w[1] = ~(bd ^ t5);
  w[2] = b ^ bd ^ t1 ^ t3;
  w[3] = a ^ ad ^ b ^ c ^ d;
}

function s1(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abd = ab & d;
  const acd = ac & d;
  const bcd = bc & d;
  const t0 = acd ^ bcd;
  const t1 = a ^ t0;
  const t2 = ad ^ b;
  const t3 = ab ^ c;
  const t4 = abd ^ ac;
  const t5 = d ^ t3;
  w[0] = ~(bc ^ cd ^ t1 ^ t2);
  w[1] = ~(bd ^ t1 ^ t4 ^ t5);
  w[2] = ~(b ^ t5);
  w[3] = ~(d ^ t0 ^ t2 ^ t4);
}

function s2(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ac & b;
  const abd = ad & b;
  const acd = ac & d;
  const t0 = b ^ c;
  const t1 = a ^ abc;
  const t2 = abd ^ acd;
  const t3 = bc ^ cd;
  const t4 = t0 ^ t1;
  const t5 = t2 ^ t3;
  w[0] = ac ^ d ^ t0;
  w[1] = ad ^ t4 ^ t5;
  w[2] = a ^ b ^ bd ^ d ^ t5;
  w[3] = ~(bd ^ t4);
}

function s3(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const acd = ac & d;
  const bcd = bc & d;
  const t0 = a ^ acd;
  const t1 = b ^ cd;
  const t2 = t0 ^ t1;
  const t3 = ad ^ t2;
  const t4 = ab ^ abc;
  const t5 = c ^ d;
  const t6 = t4 ^ t5;
  w[0] = bc ^ bcd ^ d ^ t3;
  w[1] = abd ^ ac ^ t3;
  w[2] = a ^ abd ^ bd ^ t6;
  w[3] = ac ^ t2 ^ t6;
}

function s4(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const acd = ac & d;
  const bcd = bc & d;
  const t0 = bd ^ c;
  const t1 = a ^ bc;
  const t2 = ab ^ t0;
  const t3 = ad ^ b;
  const t4 = bcd ^ cd;
  const t5 = t1 ^ t4;
  w[0] = ~(d ^ t2 ^ t3);
  w[1] = ac ^ acd ^ bd ^ d ^ t5;
  w[2] = abc ^ abd ^ t2 ^ t5;
  w[3] = abd ^ t0 ^ t1 ^ t3;
}

function s5(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const acd = ac & d;
  const bcd = bd & c;
  const t0 = b ^ d;
  const t1 = ab ^ bd;
  const t2 = ad ^ c;
  const t3 = t0 ^ t2;
  const t4 = abd ^ cd;
  w[0] = ~(t1 ^ t3);
  w[1] = ~(a ^ c ^ d ^ t1 ^ t4);
  w[2] = ~(ac ^ acd ^ bcd ^ t0 ^ t4);
  w[3] = ~(a ^ abc ^ acd ^ t3);
}

function s6(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const bcd = bc & d;
  const t0 = abc ^ bcd;
  const t1 = b ^ c;
  const t2 = a ^ abd;
  const t3 = ac ^ d;
  const t4 = bc ^ t0;
  const t5 = t1 ^ t3;
  const t6 = t2 ^ t4;
  const t7 = ab ^ cd;
  w[0] = ~(t5 ^ t6);
  w[1] = ~(ad ^ t1);
  w[2] = ~(bd ^ c ^ t6 ^ t7);
  w[3] = t0 ^ t5 ^ t7;
}

function s7(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const acd = ac & d;
  const bcd = bc & d;
  const t0 = ad ^ c;
  const t1 = b ^ t0;
  const t2 = ab ^ acd;
  const t3 = bcd ^ bd;
  const t4 = abd ^ d;
  const t5 = ac ^ t1;
  const t6 = a ^ abc;
  w[0] = ~(cd ^ t0 ^ t2 ^ t3);
  w[1] = bc ^ t2 ^ t4 ^ t5;
  w[2] = t1 ^ t3 ^ t4 ^ t6;
  w[3] = t5 ^ t6;
}

function i0(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abd = ab & d;
  const acd = ac & d;
  const bcd = bc & d;
  const t0 = acd ^ bcd;
  const t1 = ab ^ c;
  const t2 = abd ^ bc;
  const t3 = bd ^ t0;
  const t4 = cd ^ t2;
  const t5 = a ^ b;
  w[0] = ~(ad ^ t1 ^ t3 ^ t4);
  w[1] = ac ^ c ^ t3 ^ t5;
  w[2] = ~(d ^ t1 ^ t5);
  w[3] = ~(a ^ d ^ t0 ^ t4);
}

function i1(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const abc = ab & c;
  const acd = ac & d;
  const bcd = bc & d;
  const t0 = abc ^ acd;
  const t1 = b ^ t0;
  const t2 = a ^ bd;
  const t3 = bcd ^ t1;
  const t4 = c ^ d;
  w[0] = ~(ab ^ t2 ^ t3);
  w[1] = ad ^ bd ^ t3 ^ t4;
  w[2] = ~(a ^ ac ^ bc ^ d ^ t1);
  w[3] = t2 ^ t4;
}

function i2(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const acd = ad & c;
  const t0 = ab ^ acd;
  const t1 = a ^ bd;
  const t2 = b ^ c;
  const t3 = abd ^ ad;
  const t4 = t0 ^ t3;
  w[0] = bc ^ t1 ^ t2;
  w[1] = cd ^ t2 ^ t4;
  w[2] = ~(c ^ d ^ t1 ^ t4);
  w[3] = ~(abc ^ bc ^ d ^ t0);
}

function i3(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const acd = ac & d;
  const bcd = bc & d;
  const t0 = ad ^ bc;
  const t1 = a ^ c;
  const t2 = bcd ^ d;
  const t3 = bd ^ t0;
  const t4 = abc ^ b;
  const t5 = abd ^ ac;
  const t6 = cd ^ t5;
  w[0] = t1 ^ t2 ^ t3;
  w[1] = acd ^ c ^ t0 ^ t2 ^ t4;
  w[2] = ab ^ acd ^ t3 ^ t6;
  w[3] = ad ^ t1 ^ t4 ^ t6;
}

function i4(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const acd = ac & d;
  const t0 = abd ^ b;
  const t1 = ad ^ c;
  const t2 = a ^ d;
  const t3 = acd ^ t1;
  const t4 = cd ^ t0;
  const t5 = ab ^ ac;
  w[0] = ~(t2 ^ t3 ^ t4);
  w[1] = d ^ t3 ^ t5;
  w[2] = ~(abc ^ bd ^ c ^ t0 ^ t2 ^ t5);
  w[3] = ab ^ t1 ^ t4;
}

function i5(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const abc = ab & c;
  const abd = ab & d;
  const acd = ac & d;
  const t0 = a ^ abd;
  const t1 = bc ^ d;
  const t2 = t0 ^ t1;
  const t3 = abc ^ ad;
  const t4 = b ^ t3;
  const t5 = ab ^ c;
  w[0] = t2;
  w[1] = ac ^ t2 ^ t4;
  w[2] = acd ^ bd ^ t0 ^ t5;
  w[3] = ~(t4 ^ t5);
}

function i6(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const bcd = bc & d;
  const t0 = abd ^ bc;
  const t1 = bcd ^ t0;
  const t2 = a ^ t1;
  const t3 = ab ^ abc;
  const t4 = ac ^ d;
  const t5 = b ^ c;
  w[0] = ~(t2 ^ t3 ^ t4);
  w[1] = ~(t4 ^ t5);
  w[2] = ~(b ^ bd ^ cd ^ t2);
  w[3] = ~(ad ^ cd ^ d ^ t1 ^ t3 ^ t5);
}

function i7(w: Int32Array): void {
  const a = w[0]!;
  const b = w[1]!;
  const c = w[2]!;
  const d = w[3]!;
  const ab = a & b;
  const ac = a & c;
  const bc = b & c;
  const ad = a & d;
  const bd = b & d;
  const cd = c & d;
  const abc = ab & c;
  const abd = ab & d;
  const acd = ac & d;
  const bcd = bc & d;
  const t0 = a ^ bc;
  const t1 = abd ^ b;
  const t2 = bcd ^ bd;
  const t3 = cd ^ t1;
  const t4 = t0 ^ t2;
  const t5 = acd ^ d;
  const t6 = ad ^ c;
  w[0] = ~(t3 ^ t4);
  w[1] = ~(t4 ^ t5 ^ t6);
  w[2] = ac ^ t3 ^ t5;
  w[3] = ab ^ abc ^ abd ^ bd ^ t6;
}

/** S0 to S7. */
export const BOXES: readonly Box[] = [s0, s1, s2, s3, s4, s5, s6, s7];
/** Their inverses. */
export const INVERSES: readonly Box[] = [i0, i1, i2, i3, i4, i5, i6, i7];
