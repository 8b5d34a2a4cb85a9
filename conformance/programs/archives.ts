function base64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

/** Source: POSIX.1-2017, pax, "ustar Interchange Format". */
function tar(members: readonly (readonly [string, string])[]): Uint8Array {
  let text = "";
  for (const [name, content] of members) {
    const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;
    const fields = [
      name.padEnd(100, "\0"),
      octal(0o640, 8),
      octal(0, 8),
      octal(0, 8),
      octal(content.length, 12),
      octal(1e9, 12),
    ];
    const head = fields.join("");
    const tail = `0${"\0".repeat(100)}ustar\x0000`.padEnd(512 - 156, "\0");
    const sum = [...`${head}        ${tail}`].reduce((s, c) => s + c.charCodeAt(0), 0);
    text += `${head}${sum.toString(8).padStart(6, "0")}\0 ${tail}${content.padEnd(Math.ceil(content.length / 512) * 512, "\0")}`;
  }
  return new TextEncoder().encode(`${text}${"\0".repeat(1024)}`);
}

/** Source: cpio(5), "New ASCII Format". */
function cpio(members: readonly (readonly [string, string])[]): Uint8Array {
  const directory = ["c", "", 0o40755] as const;
  const all = [
    directory,
    ...members.map(([name, content]) => [name, content, 0o100644] as const),
    ["TRAILER!!!", "", 0] as const,
  ];
  let text = "";
  all.forEach(([name, content, mode], i) => {
    const fields = [i + 1, mode, 0, 0, 1, 1e9, content.length, 0, 0, 0, 0, name.length + 1, 0];
    text += `070701${fields.map((f) => f.toString(16).padStart(8, "0")).join("")}${name}\0`;
    text = text.padEnd(Math.ceil(text.length / 4) * 4, "\0") + content;
    text = text.padEnd(Math.ceil(text.length / 4) * 4, "\0");
  });
  return new TextEncoder().encode(text);
}

/** One line, compressed, with a wrong checksum in one; archives with known owners and times. */
export const ARCHIVES: Readonly<Record<string, Uint8Array>> = {
  "fixed.gz": base64("H4sIAAAAAAACA/NIzcnJ11EIzy/KSVHkAgCEnui0DgAAAA=="),
  "broken.gz": base64("H4sIAAAAAAACA/NIzcnJ11EIzy/KSVHkAgCEnui1DgAAAA=="),
  "fixed.bz2": base64("QlpoOTFBWSZTWVGI0HkAAAJVgAAQYAQAQAYEkIAgACIGgyCAaaaJFmjqQbs7xdyRThQkFGI0HkA="),
  "fixed.xz": base64(
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQANSGVsbG8sIHdvcmxkIQoAAADDrZSzF/YMygABJg4IG+AEH7bzfQEAAAAABFla",
  ),
  "fixed.tar": tar([
    ["t/a.txt", "first file\n"],
    ["t/b.bin", "x".repeat(1000)],
  ]),
  "fixed.cpio": cpio([
    ["c/one", "1111\n"],
    ["c/two", "22"],
  ]),
};
