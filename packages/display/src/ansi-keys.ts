/** A key with what is held meanwhile, as {@link KEYS} names them. */
export type Chord = readonly string[];

/** Characters of a US keyboard and their keys; capitals are shifted. */
const PLAIN: Readonly<Record<string, string>> = {
  " ": "spc",
  "-": "minus",
  "=": "equal",
  "[": "bracket_left",
  "]": "bracket_right",
  ";": "semicolon",
  "'": "apostrophe",
  "`": "grave_accent",
  "\\": "backslash",
  ",": "comma",
  ".": "dot",
  "/": "slash",
  "\r": "ret",
  "\n": "ret",
  "\t": "tab",
  "\u007f": "backspace",
  "\b": "backspace",
};
const SHIFTED: Readonly<Record<string, string>> = {
  "!": "1",
  "@": "2",
  "#": "3",
  $: "4",
  "%": "5",
  "^": "6",
  "&": "7",
  "*": "8",
  "(": "9",
  ")": "0",
  _: "minus",
  "+": "equal",
  "{": "bracket_left",
  "}": "bracket_right",
  ":": "semicolon",
  '"': "apostrophe",
  "~": "grave_accent",
  "|": "backslash",
  "<": "comma",
  ">": "dot",
  "?": "slash",
};

/** Final letters of control sequences. Source: ECMA-48; XTerm Control Sequences, "PC-style function keys". */
const LETTERS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  P: "f1",
  Q: "f2",
  R: "f3",
  S: "f4",
  Z: "tab",
};
/** Numbers before a tilde. */
const NUMBERS: Readonly<Record<number, string>> = {
  1: "home",
  2: "insert",
  3: "delete",
  4: "end",
  5: "pgup",
  6: "pgdn",
  7: "home",
  8: "end",
  11: "f1",
  12: "f2",
  13: "f3",
  14: "f4",
  15: "f5",
  17: "f6",
  18: "f7",
  19: "f8",
  20: "f9",
  21: "f10",
  23: "f11",
  24: "f12",
};

const ESCAPE = "\u001b";
/** What follows the escape character. */
const SEQUENCE = /^(?:\[|O)(\d*)(?:;(\d+))?([A-Za-z~])/;

/** The keys that a user typed at a terminal, from the characters that it sends. A lone escape is the key of that name. */
export function typedKeys(text: string): Chord[] {
  const chords: Chord[] = [];
  for (let at = 0; at < text.length;) {
    const sequence = text[at] === ESCAPE ? SEQUENCE.exec(text.slice(at + 1, at + 16)) : null;
    if (sequence !== null) {
      at += 1 + sequence[0].length;
      const key = sequence[3] === "~" ? NUMBERS[Number(sequence[1])] : LETTERS[sequence[3]!];
      const held = Number(sequence[2] ?? "1") - 1;
      if (key === undefined) continue;
      const shift = held & 1 || sequence[3] === "Z";
      chords.push([...(shift ? ["shift"] : []), ...(held & 2 ? ["alt"] : []), ...(held & 4 ? ["ctrl"] : []), key]);
      continue;
    }
    const c = text[at++]!;
    if (c !== ESCAPE) {
      const chord = character(c);
      if (chord !== undefined) chords.push(chord);
      continue;
    }
    const next = text[at];
    const chord = next === undefined || next === ESCAPE ? undefined : character(next);
    if (chord === undefined) chords.push(["esc"]);
    else {
      at++;
      chords.push(["alt", ...chord]);
    }
  }
  return chords;
}

function character(c: string): Chord | undefined {
  if (/[a-z0-9]/.test(c)) return [c];
  if (/[A-Z]/.test(c)) return ["shift", c.toLowerCase()];
  const plain = PLAIN[c];
  if (plain !== undefined) return [plain];
  const shifted = SHIFTED[c];
  if (shifted !== undefined) return ["shift", shifted];
  const code = c.charCodeAt(0);
  if (code >= 1 && code <= 26) return ["ctrl", String.fromCharCode(code + 96)];
  if (code === 0) return ["ctrl", "spc"];
  if (code >= 28 && code <= 31) return ["ctrl", ["backslash", "bracket_right", "6", "minus"][code - 28]!];
  return undefined;
}
