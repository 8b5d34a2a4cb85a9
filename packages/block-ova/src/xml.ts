/** An element: local name and attributes without their prefixes, children that are elements, text. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const MOST_DEPTH = 64;
const MOST_ELEMENTS = 50_000;
const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };
const TOKEN =
  /<!--[^]*?-->|<\?[^]*?\?>|<!\[CDATA\[[^]*?\]\]>|<!|<\/([\w.:-]+)\s*>|<([\w.:-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|[^<]+|</gy;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/**
 * Reads a document, well-formed XML 1.0 without a document type: entities of its own cannot be defined, so that nothing
 * grows. Depth and number of elements are bounded. @throws RangeError
 */
export function parseXml(source: string): XmlElement {
  const root: XmlElement = { name: "", attributes: new Map(), children: [], text: "" };
  const open: XmlElement[] = [root];
  let count = 0;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(source); match; match = TOKEN.exec(source)) {
    const [token, closing, name, attributes = "", empty] = match;
    const top = open.at(-1) ?? root;
    if (closing !== undefined) {
      if (top.name !== local(closing)) throw new RangeError(`</${closing}> closes <${top.name}>`);
      open.pop();
    } else if (name !== undefined) {
      if (++count > MOST_ELEMENTS) throw new RangeError(`more than ${MOST_ELEMENTS} elements`);
      const element: XmlElement = { name: local(name), attributes: attributesOf(attributes), children: [], text: "" };
      top.children.push(element);
      if (empty !== "/") open.push(element);
      if (open.length > MOST_DEPTH) throw new RangeError(`deeper than ${MOST_DEPTH} elements`);
    } else if (token === "<" || token === "<!") throw new RangeError(`markup at ${match.index} is not understood`);
    else if (token.startsWith("<![CDATA[")) top.text += token.slice(9, -3);
    else if (!token.startsWith("<")) top.text += decode(token);
  }
  if (open.length !== 1) throw new RangeError(`<${open.at(-1)?.name ?? ""}> is not closed`);
  const [first] = root.children;
  if (!first) throw new RangeError("there is no element");
  return first;
}

function attributesOf(source: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const [, name = "", double, single] of source.matchAll(ATTRIBUTE))
    out.set(local(name), decode(double ?? single ?? ""));
  return out;
}

function local(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}

function decode(source: string): string {
  return source.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w{1,8}));/g, (all, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name as string] ?? (all as string);
    const code = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  });
}
