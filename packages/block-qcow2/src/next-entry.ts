/** Index of the first entry of a table, from the one at `at` on, that is not zero; the table's length when there is none. All in words, an entry has `step`. */
export function nextEntry(words: Int32Array, at: number, step: number): number {
  let i = at;
  while (i < words.length && (words[i]! | words[i + 1]!) === 0) i += step;
  return i;
}
