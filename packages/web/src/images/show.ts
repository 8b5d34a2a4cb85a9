import type { BlockNode } from "@mimus/block";

/** An element of the page. @throws when page and script do not fit together */
export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`images.html has no element '${id}'`);
  return found as T;
}

/** `"1.5 GiB"` */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${Number(value.toPrecision(4))} ${units[unit] ?? ""}`;
}

/** A node and what it stands on, as nested list items. */
export function treeOf(role: string, node: BlockNode): HTMLLIElement {
  const item = document.createElement("li");
  item.textContent = `${role}: ${node.driver ?? "?"}, ${bytesText(node.size)}${node.filename === undefined ? "" : `, ${node.filename}`}`;
  const children = Object.entries(node.children ?? {});
  if (children.length > 0) {
    const list = document.createElement("ul");
    list.append(...children.map(([name, child]) => treeOf(name, child)));
    item.append(list);
  }
  return item;
}

/** What the image says of itself, as terms and descriptions. */
export async function factsOf(node: BlockNode): Promise<HTMLElement[]> {
  const { image } = node;
  const info = await image?.info?.();
  const facts: [string, string][] = [
    ["format", node.driver ?? ""],
    ["virtual size", `${bytesText(node.size)} (${node.size} bytes)`],
  ];
  if (image?.clusterSize !== undefined) facts.push(["cluster size", bytesText(image.clusterSize)]);
  if (info?.backingFile !== undefined) facts.push(["backing file", info.backingFile]);
  if (info?.backingFormat !== undefined) facts.push(["backing format", info.backingFormat]);
  for (const key of ["encrypted", "compressed", "dirty"] as const) if (info?.[key] === true) facts.push([key, "yes"]);
  for (const [key, value] of Object.entries(info?.specific?.data ?? {}))
    facts.push([key, typeof value === "object" ? JSON.stringify(value) : String(value)]);
  return facts.flatMap(([term, text]) => [textElement("dt", term), textElement("dd", text)]);
}

/** A row of a table. */
export function rowOf(cells: readonly string[]): HTMLTableRowElement {
  const row = document.createElement("tr");
  row.append(...cells.map((cell) => textElement("td", cell)));
  return row;
}

/** A line of the legend. */
export function listItem([r, g, b]: readonly [number, number, number], text: string): HTMLLIElement {
  const item = document.createElement("li");
  const dot = document.createElement("span");
  dot.style.background = `rgb(${r} ${g} ${b})`;
  item.append(dot, text);
  return item;
}

function textElement(name: "dt" | "dd" | "td", text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
