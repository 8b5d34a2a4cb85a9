import type { Content } from "./case.ts";

export { ARCHIVES } from "./archives.ts";

const WORDS =
  `pear apple fig banana cherry apple date fig elderberry grape honeydew apple kiwi lemon mango nectarine`.split(" ");

/** Bytes that do not compress to nothing and are the same everywhere (a linear congruential generator). */
function noise(length: number): Uint8Array {
  let x = 12345;
  return Uint8Array.from({ length }, () => {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    return (x >>> 16) & 0xff;
  });
}

const table = Array.from({ length: 40 }, (_, i) => {
  const name = WORDS[i % WORDS.length] ?? "";
  return `${i + 1} ${name} ${(i * 37) % 101} ${((i * 7919) % 1000) / 8}`;
}).join("\n");

const TEXT = `The quick brown fox jumps over the lazy dog.
  Indented line, with\ttabs\tin it.

A very long line that goes on and on and on so that folding and formatting have something to do with it at 40 columns or so.
Ünïcödé: αβγ δεζ — 日本語 🙂
last line without a newline`;

/** What every case finds in its work directory. */
export const FIXTURES: Readonly<Record<string, Content>> = {
  "words.txt": `${WORDS.join("\n")}\n`,
  "table.txt": `${table}\n`,
  "text.txt": TEXT,
  "numbers.txt": "10\n9\n2\n33\n1\n-5\n1e3\n0.5\n2K\n1M\n",
  "empty.txt": "",
  "noise.bin": noise(20_000),
  "repeat.txt": "abcabcabd\n".repeat(3000),
  "csv.txt": 'id,name,score\n1,ann,3.5\n2,bob,\n3,"c, d",9\n',
  "left.txt": "a 1\nb 2\nc 3\ne 5\n",
  "right.txt": "a x\nc y\nd z\ne w\n",
  "dir/one": "1\n",
  "dir/two": "22\n",
  "dir/sub/three": "333\n",
};
