import { DecodeTreeError } from "./errors.ts";

/**
 * A piece of an operand format. `suffix` is printed right after the mnemonic; the parts of `optional` are
 * printed only when its operands print as something, and may be left out in source text.
 */
export type FormatPart =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "suffix"; readonly name: string }
  | { readonly kind: "optional"; readonly parts: readonly FormatPart[] };

/**
 * Read a format such as `"rd, imm(rs1)"`: field names stand for operands, `+name` glues an operand to the
 * mnemonic, `[...]` is optional, `'...'` quotes a literal word; all else is literal.
 */
export function parseFormat(text: string, fields: ReadonlySet<string>, at: string): FormatPart[] {
  const parts: FormatPart[] = [];
  const token = /\+(\w+)\s*|\[([^\]]*)\]|([A-Za-z_]\w*)|'([^']*)'|([^A-Za-z_+['][^A-Za-z_+[']*)/gy;
  while (token.lastIndex < text.length) {
    const from = token.lastIndex;
    const m = token.exec(text);
    if (!m) throw new DecodeTreeError("syntax", `format "${text}" is not readable at offset ${from}`, at);
    const name = m[1] ?? m[3];
    if (name !== undefined) {
      if (!fields.has(name))
        throw new DecodeTreeError("unknown-format-field", `format names "${name}", not a field`, at);
      parts.push({ kind: m[1] === undefined ? "field" : "suffix", name });
    } else if (m[2] !== undefined) parts.push({ kind: "optional", parts: parseFormat(m[2], fields, at) });
    else parts.push({ kind: "literal", text: m[4] ?? m[5] ?? "" });
  }
  return parts;
}
