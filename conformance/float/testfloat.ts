// TestFloat's text: a line `# function mode`, then a line a case: operands, result, flags (hexadecimal).

/** Cases of one function in one rounding mode. */
export interface FloatGroup {
  readonly fn: string;
  readonly mode: string;
  /** Line number of each case, counted from 1. */
  readonly lines: readonly number[];
  readonly cases: readonly FloatCase[];
}

/** Operands and result as encodings; flags 1 inexact, 2 underflow, 4 overflow, 8 divide by zero, 16 invalid. */
export interface FloatCase {
  readonly operands: readonly bigint[];
  readonly result: bigint;
  readonly flags: number;
}

/**
 * Reads the whole text.
 * @throws SyntaxError naming the line that is neither a header nor a case.
 */
export function parseTestfloat(text: string): FloatGroup[] {
  const groups: { fn: string; mode: string; lines: number[]; cases: FloatCase[] }[] = [];
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const header = /^# (\w+) (\w+)\s*$/.exec(line);
    if (header) {
      groups.push({ fn: header[1] ?? "", mode: header[2] ?? "", lines: [], cases: [] });
      return;
    }
    const words = line.trim().split(" ");
    const group = groups.at(-1);
    if (!group || words.length < 3 || !words.every((word) => /^[0-9A-Fa-f]+$/.test(word))) {
      throw new SyntaxError(`line ${index + 1}: expected "# function mode" or hexadecimal operands, result, flags`);
    }
    const numbers = words.map((word) => BigInt(`0x${word}`));
    group.lines.push(index + 1);
    group.cases.push({
      operands: numbers.slice(0, -2),
      result: numbers.at(-2) ?? 0n,
      flags: Number(numbers.at(-1)),
    });
  });
  return groups;
}
