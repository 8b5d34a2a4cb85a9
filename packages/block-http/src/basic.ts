const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Value of the header `Authorization`. Source: RFC 7617; characters of the password are bytes. */
export function basic(username: string, password: string): string {
  const bytes = [...username].flatMap(utf8).concat(58, ...[...password].map((c) => c.charCodeAt(0) & 0xff));
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = bytes.slice(i, i + 3);
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    const digit = (shift: number): string => DIGITS[(bits >> shift) & 63] as string;
    out += digit(18) + digit(12) + (b === undefined ? "=" : digit(6)) + (c === undefined ? "=" : digit(0));
  }
  return `Basic ${out}`;
}

function utf8(char: string): number[] {
  const c = encodeURIComponent(char);
  return c.length === 1
    ? [c.charCodeAt(0)]
    : c.startsWith("%")
      ? c
          .slice(1)
          .split("%")
          .map((h) => Number.parseInt(h, 16))
      : [...c].map((x) => x.charCodeAt(0));
}
