import { CP437 } from "./code-page.ts";
import type { TextScreen } from "./console.ts";

const ESC = "\u001b[";
/** A terminal's number of a VGA colour: red and blue change places. */
const COLOR: readonly number[] = [0, 4, 2, 6, 1, 5, 3, 7];

/** Draws a text screen on a terminal with ECMA-48 control functions: only what has changed since the last time. */
export class AnsiScreen {
  #cells: Uint16Array = new Uint16Array(0);
  #columns = 0;
  #rows = 0;
  #note = "";
  #cursorShown = false;
  #cursorRow: number | undefined;
  #cursorColumn: number | undefined;

  /** What to send to the terminal, which has `columns` and `rows`; a larger screen is cut. */
  draw(screen: TextScreen | string, columns: number, rows: number): string {
    if (typeof screen === "string") {
      if (this.#note === screen) return "";
      this.#note = screen;
      this.#columns = 0;
      return `${ESC}0m${ESC}2J${ESC}H${ESC}?25l${screen}`;
    }
    const width = Math.min(columns, screen.columns);
    const height = Math.min(rows, screen.rows);
    let out = "";
    if (width !== this.#columns || height !== this.#rows || this.#note !== "") {
      this.#note = "";
      this.#columns = width;
      this.#rows = height;
      this.#cells = new Uint16Array(width * height).fill(0xffff);
      out = `${ESC}0m${ESC}2J`;
    }
    let attribute = -1;
    let [atRow, atColumn] = [-1, -1];
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const cell = screen.cells[row * screen.columns + column]!;
        const at = row * width + column;
        if (this.#cells[at] === cell) continue;
        this.#cells[at] = cell;
        if (atRow !== row || atColumn !== column) out += `${ESC}${row + 1};${column + 1}H`;
        if (cell >> 8 !== attribute) out += colors((attribute = cell >> 8));
        out += CP437[cell & 0xff]!;
        [atRow, atColumn] = [row, column + 1];
      }
    const { cursor } = screen;
    const shows = cursor !== undefined && cursor.row < height && cursor.column < width;
    if (
      out !== "" ||
      shows !== this.#cursorShown ||
      cursor?.row !== this.#cursorRow ||
      cursor?.column !== this.#cursorColumn
    ) {
      [this.#cursorShown, this.#cursorRow, this.#cursorColumn] = [shows, cursor?.row, cursor?.column];
      out += shows ? `${ESC}${cursor.row + 1};${cursor.column + 1}H${ESC}?25h` : `${ESC}?25l`;
    }
    return out;
  }

  /** Everything is drawn anew the next time: the terminal has another size, or somebody else wrote on it. */
  forget(): void {
    this.#columns = 0;
    this.#note = "";
  }
}

/** The colours of a VGA attribute. */
function colors(attribute: number): string {
  const fore = attribute & 15;
  const back = (attribute >> 4) & 7;
  return `${ESC}0;${(fore & 8 ? 90 : 30) + COLOR[fore & 7]!};${40 + COLOR[back]!}${attribute & 0x80 ? ";5" : ""}m`;
}
