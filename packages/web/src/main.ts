/** The page: a terminal, a screen, a form, and a machine behind a message port. */
import { Terminal } from "@xterm/xterm";
import { connect, type MachinePort } from "./link.ts";
import { bootOptions, type Fields, fieldsOf, pageOptions, PARAMETERS } from "./options.ts";
import type { FromMachine } from "./protocol.ts";
import { Screen } from "./screen.ts";
import { element, View } from "./view.ts";

/** Fields of the form that take a file as well as an address. */
const FILES = ["kernel", "initrd", "bios", "disk", "floppy", "cdrom"] as const;

const view = new View();
const terminal = new Terminal({ cols: 80, rows: 24, scrollback: 5000, convertEol: false });
const form = element<HTMLFormElement>("form");
const screen = new Screen((events) => port?.postMessage({ type: "input", events }));
let port: MachinePort | undefined;

function received(message: FromMachine): void {
  if (message.type === "output") terminal.write(message.bytes, () => port?.postMessage({ type: "drawn" }));
  else if (message.type === "screen") {
    screen.draw(message);
    port?.postMessage({ type: "shown" });
  } else view.show(message);
}

/** Keys go to the screen when there is one, else to the terminal. */
function focus(): void {
  if (screen.visible) screen.focus();
  else terminal.focus();
}

/** The form's fields, with the names of chosen files in place of addresses, and those files. */
function filled(): { fields: Fields; chosen: Map<string, Blob> } {
  const fields: Record<string, string> = {};
  const chosen = new Map<string, Blob>();
  for (const [name, value] of new FormData(form))
    if (typeof value === "string" && value.trim() !== "") fields[name] = value.trim();
  for (const name of FILES) {
    const file = element<HTMLInputElement>(`${name}-file`).files?.[0];
    if (file === undefined) continue;
    fields[name] = `file:${name}/${file.name}`;
    chosen.set(fields[name], file);
  }
  return { fields, chosen };
}

async function boot(): Promise<void> {
  view.booting();
  screen.hide();
  try {
    const { fields, chosen } = filled();
    const options = bootOptions(fields);
    const { run } = pageOptions(fields);
    terminal.reset();
    if (port === undefined) {
      const link = await connect(run, received);
      port = link.port;
      document.body.dataset["where"] = link.where;
    }
    port.postMessage({ type: "boot", options, chosen, base: location.href });
    element<HTMLDetailsElement>("setup").open = false;
    focus();
  } catch (error) {
    view.status("Not started");
    view.error(error instanceof Error ? error.message : String(error));
  }
}

function showTerminal(screenReader: boolean): void {
  terminal.options.screenReaderMode = screenReader;
  terminal.open(element("terminal"));
  // The guest gets the Tab key: a keyboard needs another way out.
  terminal.attachCustomKeyEventHandler((event) => {
    if (event.key !== "F6" || !event.shiftKey) return true;
    if (event.type === "keydown") element("what").focus();
    event.preventDefault();
    return false;
  });
  terminal.onData((text) => port?.postMessage({ type: "typed", text }));
  terminal.onBinary((text) => port?.postMessage({ type: "reported", text }));
}

function fillForm(fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) {
    const input = form.elements.namedItem(name);
    if (input instanceof HTMLInputElement && input.type === "checkbox") input.checked = value === input.value;
    else if (input instanceof HTMLInputElement || input instanceof HTMLSelectElement) input.value = value;
  }
}

function showHelp(): void {
  const list = element("parameters");
  for (const [name, meaning] of Object.entries(PARAMETERS)) {
    const [term, description] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    description.textContent = meaning;
    list.append(term, description);
  }
}

function begin(): void {
  showHelp();
  view.onControl((type) => {
    port?.postMessage({ type });
    focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void boot();
  });
  let fields: Fields = {};
  let autostart = false;
  try {
    fields = fieldsOf(location.search);
    const page = pageOptions(fields);
    autostart = page.autostart;
    showTerminal(page.screenReader);
  } catch (error) {
    showTerminal(false);
    view.status("Not started");
    view.error(error instanceof Error ? error.message : String(error));
  }
  fillForm(fields);
  if (autostart) void boot();
}

begin();
