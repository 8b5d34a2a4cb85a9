// Source: Intel SDM volume 2 (2023), chapters 3 to 5: the instructions' own pages.
import { defineRows } from "./notation.ts";

/** POPCNT, LZCNT, BMI1, BMI2, ADX; CRC32 is a row of SSE4.2. */
export const bmiRows = defineRows([
  { name: "popcnt", enc: "F3 0F B8 /r", operands: "Gv,Ev", feature: "popcnt" },
  { name: "tzcnt", enc: "F3 0F BC /r", operands: "Gv,Ev", feature: "bmi1" },
  { name: "lzcnt", enc: "F3 0F BD /r", operands: "Gv,Ev", feature: "abm" },
  { name: "adcx", enc: "66 0F 38 F6 /r", operands: "Gy,Ey", feature: "adx" },
  { name: "adox", enc: "F3 0F 38 F6 /r", operands: "Gy,Ey", feature: "adx" },
  { name: "andn", enc: "VEX.LZ.NP.0F38 F2 /r", operands: "Gy,By,Ey", feature: "bmi1" },
  { name: "blsr", enc: "VEX.LZ.NP.0F38 F3 /1", operands: "By,Ey", feature: "bmi1" },
  { name: "blsmsk", enc: "VEX.LZ.NP.0F38 F3 /2", operands: "By,Ey", feature: "bmi1" },
  { name: "blsi", enc: "VEX.LZ.NP.0F38 F3 /3", operands: "By,Ey", feature: "bmi1" },
  { name: "bextr", enc: "VEX.LZ.NP.0F38 F7 /r", operands: "Gy,Ey,By", feature: "bmi1" },
  { name: "bzhi", enc: "VEX.LZ.NP.0F38 F5 /r", operands: "Gy,Ey,By", feature: "bmi2" },
  { name: "pext", enc: "VEX.LZ.F3.0F38 F5 /r", operands: "Gy,By,Ey", feature: "bmi2" },
  { name: "pdep", enc: "VEX.LZ.F2.0F38 F5 /r", operands: "Gy,By,Ey", feature: "bmi2" },
  { name: "mulx", enc: "VEX.LZ.F2.0F38 F6 /r", operands: "Gy,By,Ey", feature: "bmi2" },
  { name: "shlx", enc: "VEX.LZ.66.0F38 F7 /r", operands: "Gy,Ey,By", feature: "bmi2" },
  { name: "sarx", enc: "VEX.LZ.F3.0F38 F7 /r", operands: "Gy,Ey,By", feature: "bmi2" },
  { name: "shrx", enc: "VEX.LZ.F2.0F38 F7 /r", operands: "Gy,Ey,By", feature: "bmi2" },
  { name: "rorx", enc: "VEX.LZ.F2.0F3A F0 /r ib", operands: "Gy,Ey,Ib", feature: "bmi2" },
]);
