/** The page of disk images: what an image is made of, and its content as raw. It only reads. */
import { BlockError, type BlockNode } from "@mimus/block";
import { allocationOf, KINDS, LEGEND, picture } from "./allocation.ts";
import { exportRaw, saveAs } from "./export.ts";
import { formats } from "./formats.ts";
import { type OpenImage, openChosen } from "./session.ts";
import { bytesText, element, factsOf, listItem, rowOf, treeOf } from "./show.ts";

const status = element("status");
const failure = element("error");
const files = element<HTMLInputElement>("files");
const top_ = element<HTMLSelectElement>("top");
const format = element<HTMLSelectElement>("format");
const secret = element<HTMLInputElement>("secret");
const source = element<HTMLSelectElement>("source");
const map = element<HTMLCanvasElement>("map");
const stop = element<HTMLButtonElement>("stop");
let open: OpenImage | undefined;
/** Work that a later choice makes void stops when this has changed. */
let turn = 0;

for (const { name } of formats().known("block-format")) format.append(new Option(name, name));
files.addEventListener("change", () => {
  top_.replaceChildren(...[...(files.files ?? [])].map((file) => new Option(file.name, file.name)));
  top_.disabled = top_.length < 2;
  void reopen();
});
for (const control of [top_, format, secret]) control.addEventListener("change", () => void reopen());
element("form").addEventListener("submit", (event) => event.preventDefault());
element("export").addEventListener("click", () => void save());
stop.addEventListener("click", () => turn++);

async function reopen(): Promise<void> {
  const mine = ++turn;
  failure.textContent = "";
  element("image").hidden = true;
  await open?.close().catch(() => undefined);
  open = undefined;
  if ((files.files?.length ?? 0) === 0) return;
  status.textContent = "Opening";
  try {
    const choice = { files: [...(files.files ?? [])], top: top_.value, format: format.value, passphrase: secret.value };
    const image = await openChosen(choice);
    if (mine !== turn) return void image.close();
    open = image;
    if (image.withoutBacking !== undefined)
      failure.textContent = `Shown without the image below: ${image.withoutBacking}`;
    await describe(image.node);
    element("image").hidden = false;
    await draw(image.node, mine);
  } catch (error) {
    failed(error, "No image is open");
  }
}

async function describe(node: BlockNode): Promise<void> {
  element("tree").replaceChildren(treeOf("image", node));
  element("facts").replaceChildren(...(await factsOf(node)));
  const snapshots = (await node.image?.snapshots?.list()) ?? [];
  const body = element("snapshots").querySelector("tbody");
  body?.replaceChildren(
    ...snapshots.map((s) =>
      rowOf([
        s.id,
        s.name,
        new Date(s.dateSec * 1000).toISOString(),
        s.diskSize === undefined ? "" : bytesText(s.diskSize),
        s.vmStateSize === 0 ? "" : bytesText(s.vmStateSize),
      ]),
    ),
  );
  source.replaceChildren(
    new Option("the disk as it is", ""),
    ...snapshots.map((s) => new Option(`snapshot ${s.id}: ${s.name}`, s.id)),
  );
}

async function draw(node: BlockNode, mine: number): Promise<void> {
  const { width, height } = map;
  const going = progress("Reading the map", mine);
  const allocation = await allocationOf(node, width * height, going);
  if (mine !== turn) return;
  const context = map.getContext("2d");
  context?.putImageData(new ImageData(picture(allocation, width, height), width, height), 0, 0);
  map.setAttribute(
    "aria-label",
    `Allocation map: ${KINDS.map((k) => `${LEGEND[k].text} ${bytesText(allocation.bytes[k])}`).join(", ")}`,
  );
  element("cell").textContent = `${allocation.extents} ranges; a dot is ${bytesText(allocation.cellBytes)}`;
  element("legend").replaceChildren(
    ...KINDS.map((k) => listItem(LEGEND[k].colour, `${LEGEND[k].text}: ${bytesText(allocation.bytes[k])}`)),
  );
  status.textContent = "Open, read-only";
}

async function save(): Promise<void> {
  if (open === undefined) return;
  const { node } = open;
  const mine = turn;
  failure.textContent = "";
  try {
    const sink = await saveAs(`${top_.value.replace(/\.[^.]*$/, "")}.raw`);
    const from = source.value === "" ? node : await node.image?.snapshots?.open(source.value, "exported");
    if (from === undefined) return;
    stop.disabled = false;
    const whole = await exportRaw(from, sink, progress("Exporting", mine));
    if (from !== node) await from.close();
    status.textContent = whole ? `Exported ${bytesText(from.size)}` : "The export was stopped";
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) failed(error, "The export failed");
  } finally {
    stop.disabled = true;
  }
}

/** Shows how far the work is, and lets the page live; false when the work is void. */
function progress(what: string, mine: number): (share: number) => Promise<boolean> {
  let last = performance.now();
  return async (share) => {
    if (performance.now() - last > 50) {
      status.textContent = `${what}: ${Math.floor(share * 100)} %`;
      await new Promise((resolve) => setTimeout(resolve, 0));
      last = performance.now();
    }
    return mine === turn;
  };
}

function failed(error: unknown, then: string): void {
  failure.textContent = error instanceof BlockError || error instanceof DOMException ? error.message : String(error);
  status.textContent = then;
  if (!(error instanceof BlockError)) reportError(error);
}
