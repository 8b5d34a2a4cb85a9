#!/usr/bin/env node
import { fileURLToPath } from "node:url";

import { CodeStore } from "./scripts/code-store.ts";
import { NO_FACTS } from "./scripts/facts.ts";
import { shareWithModules } from "./scripts/outside.ts";
import { ScriptLoader } from "./scripts/script-loader.ts";

const [given = "", ...argv] = process.argv.slice(2);
const command = /^(?:qemu-|mimus-)?([a-z][a-z\d_-]*)$/.exec(given)?.[1];
/** A built command loads its modules as scripts, one that runs from sources as Node does. */
const store = import.meta.url.endsWith(".js") ? openStore() : undefined;
const scripts = store && loader(store);
const facts = store?.facts ?? NO_FACTS;

/** Loads a part of the command: `built` beside this file, or its source. */
async function part<T>(built: string, source: () => Promise<T>): Promise<T> {
  return scripts === undefined ? source() : (scripts.load(here(built)) as T);
}

function openStore(): CodeStore {
  // Tools have a verb, of which each is another program.
  const verb = argv.find((arg) => /^[a-z]+$/.test(arg));
  const name = [command ?? "help", ...(command === "img" && verb !== undefined ? [verb] : [])].join("-");
  return new CodeStore(name, here("."));
}

function loader(from: CodeStore): ScriptLoader {
  const own: ScriptLoader = new ScriptLoader(from, here("zod.js"), () =>
    shareWithModules(own, new URL("whole-zod.js", import.meta.url).href),
  );
  return own;
}

function here(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

if (command === "img" || command === "io")
  await (await part("tool.js", () => import("./tool.ts"))).runTool(command, argv, facts);
else if (command === "nbd" || command === "storage-daemon")
  await (await part("run-server.js", () => import("./run-server.ts"))).runServer(command, argv);
// Programs start without what machines need, schemas above all: half of a cold start.
else if (
  command === undefined ||
  command.includes("-") ||
  command === "plugins" ||
  command === "help" ||
  !(await (await part("program.js", () => import("./user/command.ts"))).userCommand(command, argv))
)
  await (await part("run.js", () => import("./run.ts"))).run([given, ...argv], facts);
