// Source: Intel SDM volume 2 (2023), appendix A table A-2.
import { defineRows } from "./notation.ts";

/** String instructions; those of ports are rows of the system chapter. */
export const stringRows = defineRows([
  { name: "movs", enc: "A4", operands: "Yb,Xb", flags: "rep" },
  { name: "movs", enc: "A5", operands: "Yv,Xv", flags: "rep" },
  { name: "cmps", enc: "A6", operands: "Xb,Yb", flags: "repz" },
  { name: "cmps", enc: "A7", operands: "Xv,Yv", flags: "repz" },
  { name: "stos", enc: "AA", operands: "Yb,AL", flags: "rep" },
  { name: "stos", enc: "AB", operands: "Yv,rAX", flags: "rep" },
  { name: "lods", enc: "AC", operands: "AL,Xb", flags: "rep" },
  { name: "lods", enc: "AD", operands: "rAX,Xv", flags: "rep" },
  { name: "scas", enc: "AE", operands: "AL,Yb", flags: "repz" },
  { name: "scas", enc: "AF", operands: "rAX,Yv", flags: "repz" },
]);
