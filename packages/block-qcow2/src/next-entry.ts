/** Index of the first entry of a table, from the one at `at` on, whose first two words and last word are not all zero; the table's length when there is none. All in words, an entry has `step`. */
export function nextEntry(words: Int32Array, at: number, step: number): number {
  let i = at;
  const more = step - 1;
  while (i < words.length && (words[i]! | words[i + 1]! | words[i + more]!) === 0) i += step;
  return i;
}
