/** Checks the import statements of every package against the layers of the architecture. Usage: node tools/layers.ts [root] */
import { existsSync, globSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** Lowest first. A package imports from lower layers; from its own only where `inside` says so, and never its own prefix. */
const LAYERS = [
  { name: "object model", match: /^qom$/ },
  {
    name: "core",
    match:
      /^(bits|decodetree|softfloat|acpi|tcg|machine-core|compress|crypto|block|nbd|chardev|net|display|audio|migration)$/,
    inside: true,
  },
  { name: "buses", match: /^bus-/ },
  { name: "parts", match: /^(target|dev|block|net|accel|chardev|display|audio|guest)-/ },
  { name: "machines", match: /^hw-/ },
  { name: "system", match: /^(system|monitor|gdbstub|linux-user|image-tools|storage-daemon)$/, inside: true },
  { name: "hosts", match: /^host-/ },
  { name: "applications", match: /^(cli|web)$/ },
] as const;
type LayerName = (typeof LAYERS)[number]["name"] | "tests";

/** What a layer must not know although it lies lower. */
const BLIND: { from: RegExp; to: RegExp; why: string }[] = [
  { from: /^hw-/, to: /^target-/, why: "a board names its CPU by QOM type name" },
  {
    from: /^(system|monitor|gdbstub|linux-user|image-tools|storage-daemon)$/,
    to: /^(hw|dev|target|accel|block|net)-/,
    why: "the system knows no concrete part",
  },
  { from: /^host-/, to: /^(hw|dev|target|accel|bus)-/, why: "a host implements interfaces of the core" },
  {
    from: /^cli$/,
    to: /^(hw|dev|target|accel|block|net|bus|guest)-/,
    why: "the command finds parts by their manifests",
  },
];
const BUILTIN = new Set(builtinModules);
const PEERS = new Set(["@mimus/qom", "@mimus/machine-core"]);

interface Package {
  readonly dir: string;
  /** Name of its directory: what the layers are told by. */
  readonly short: string;
  readonly name: string;
  readonly plugin: boolean;
  readonly layer: LayerName | undefined;
  readonly json: Readonly<Record<string, Record<string, unknown> | undefined>>;
}

/** One import statement. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
}

/** What breaks a rule, as `file:line: sentence`. */
export interface Report {
  readonly files: number;
  readonly violations: readonly string[];
}

/** The names of the layers, highest first, and the tests, which stand beside them. */
export const LAYER_NAMES: readonly LayerName[] = [...LAYERS.map((l) => l.name).toReversed(), "tests"];

/** The layer of a package, told by the name of its directory; undefined: it belongs to none. */
export function layerOf(short: string): LayerName | undefined {
  return short === "testkit" ? "tests" : LAYERS.find((l) => l.match.test(short))?.name;
}

function height(layer: LayerName): number {
  return LAYERS.findIndex((l) => l.name === layer);
}

/** The specifiers of all import and export-from statements and literal `import()` calls in `source`. */
export function importsOf(source: string): Import[] {
  const code = source
    .replaceAll(/\/\*[\s\S]*?\*\//g, (c) => c.replaceAll(/[^\n]/g, " "))
    .replaceAll(/^\s*\/\/.*$/gm, "");
  const found: Import[] = [];
  const statement = /(?:^|[;}])[ \t]*(?:import|export)\b(?:[^;"'`()]*?\bfrom)?\s*["']([^"'\n]+)["']/gm;
  for (const pattern of [statement, /\bimport\(\s*["'`]([^"'`\n]+)["'`]/g])
    for (const match of code.matchAll(pattern)) {
      const at = match.index + match[0].length;
      found.push({ specifier: match[1] ?? "", line: code.slice(0, at).split("\n").length });
    }
  return found.toSorted((a, b) => a.line - b.line);
}

function isTest(path: string): boolean {
  return /\.(test|bench|nightly)\.ts$/.test(path) || /(^|\/)(tests?|bench|scripts|assembly)\//.test(path);
}

function packagesIn(root: string): Package[] {
  const files = globSync(["packages/*/package.json", "plugins/*/package.json"], { cwd: root }).toSorted();
  return files.map((file) => {
    const dir = join(root, dirname(file));
    const short = dirname(file).split(sep).at(-1) ?? "";
    const json = JSON.parse(readFileSync(join(root, file), "utf8")) as Package["json"];
    const plugin = file.startsWith("plugins");
    return { dir, short, name: String(json["name"]), plugin, layer: layerOf(short), json };
  });
}

/** Checks every package under `root`. */
export function checkLayers(root: string): Report {
  const packages = packagesIn(root);
  const byName = new Map(packages.map((p) => [p.name, p]));
  const violations: string[] = [];
  let files = 0;
  for (const p of packages) {
    const where = relative(root, p.dir);
    if (p.layer === undefined) {
      violations.push(`${where}: '${p.short}' belongs to no layer; name it after one or add it to tools/layers.ts`);
      continue;
    }
    if (p.json["sideEffects"] !== (false as never))
      violations.push(`${where}/package.json: "sideEffects" must be false`);
    violations.push(...checkLib(p, where));
    for (const file of globSync("**/*.{ts,tsx,mts}", {
      cwd: p.dir,
      exclude: ["**/node_modules/**", "**/dist/**"],
    }).toSorted()) {
      if (!/^(src|tests)\//.test(file.replaceAll(sep, "/"))) continue;
      files++;
      const path = join(p.dir, file);
      for (const found of importsOf(readFileSync(path, "utf8"))) {
        const why = judge(p, file.replaceAll(sep, "/"), path, found.specifier, byName);
        if (why !== undefined) violations.push(`${relative(root, path)}:${found.line}: ${why}`);
      }
    }
  }
  return { files, violations };
}

/** Below the hosts the compiler knows neither Node nor the DOM: the tsconfig says so. */
function checkLib(p: Package, where: string): string[] {
  if (p.layer === undefined || p.layer === "tests" || height(p.layer) >= height("hosts")) return [];
  const file = join(p.dir, "tsconfig.json");
  const config = existsSync(file) ? readFileSync(file, "utf8") : "";
  return /"extends":\s*"(\.\.\/)+tsconfig\.core\.json"/.test(config) && !/"(lib|types)":/.test(config)
    ? []
    : [`${where}/tsconfig.json: a package below the hosts extends tsconfig.core.json and sets no "lib" or "types"`];
}

function judge(
  p: Package,
  file: string,
  path: string,
  specifier: string,
  byName: ReadonlyMap<string, Package>,
): string | undefined {
  const test = isTest(file);
  if (specifier.startsWith(".")) {
    const inside = relative(p.dir, resolve(dirname(path), specifier));
    return inside.startsWith("..")
      ? `'${specifier}' leaves the package; import the other package by its name`
      : undefined;
  }
  const core = p.layer !== "tests" && p.layer !== undefined && height(p.layer) < height("hosts");
  if (specifier.startsWith("node:") || BUILTIN.has(specifier))
    return core && !test
      ? `${p.short} (${p.layer}) imports '${specifier}'; below the hosts nothing knows Node`
      : undefined;

  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  if (name === p.name) return undefined;
  const undeclared = declared(p, name, test);
  const other = byName.get(name);
  if (other === undefined) {
    if (name.startsWith("@mimus/")) return `'${name}' is not a package of this workspace`;
    return undeclared;
  }
  const subpath = `.${specifier.slice(name.length)}`;
  if (other.json["exports"]?.[subpath] === undefined)
    return `'${specifier}' reaches into ${other.name}; import what it exports`;
  return (test ? undefined : judgeLayer(p, other)) ?? undeclared;
}

function judgeLayer(p: Package, other: Package): string | undefined {
  const from = `${p.short} (${p.layer})`;
  const to = `${other.name} (${other.plugin ? "a plugin" : other.layer})`;
  if (other.plugin) return `${from} imports ${to}; plugins are found, never imported`;
  if (other.layer === "tests") return `${from} imports ${to}; only tests do`;
  if (p.layer === "tests" || p.layer === undefined || other.layer === undefined)
    return other.layer !== undefined && height(other.layer) > height("buses")
      ? `${from} imports ${to}; suites know the core only`
      : undefined;
  const blind = BLIND.find((b) => b.from.test(p.short) && b.to.test(other.short));
  if (blind !== undefined) return `${from} imports ${to}; ${blind.why}`;
  if (other.layer === "hosts")
    return p.layer === "applications" ? undefined : `${from} imports ${to}; only applications choose a host`;
  const [mine, theirs] = [height(p.layer), height(other.layer)];
  if (theirs < mine) return undefined;
  const layer = LAYERS[mine];
  if (theirs === mine && layer !== undefined && "inside" in layer) return undefined;
  return theirs === mine
    ? `${from} imports its sibling ${to}; move what both need to a lower layer`
    : `${from} imports ${to}; a package imports from lower layers only`;
}

/** An import that package.json does not declare, or declares as the wrong kind of dependency. */
function declared(p: Package, name: string, test: boolean): string | undefined {
  const has = (field: string): boolean => p.json[field]?.[name] !== undefined;
  if (test) return undefined;
  if (!has("dependencies") && !has("peerDependencies") && !has("optionalDependencies"))
    return `'${name}' is not among the dependencies of ${p.name}`;
  if (PEERS.has(name) && p.layer !== "applications" && !has("peerDependencies"))
    return `'${name}' must be a peer dependency of ${p.name}, so that one copy exists`;
  return undefined;
}

if (import.meta.main) {
  const root = process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url));
  const { files, violations } = checkLayers(resolve(root));
  for (const violation of violations) console.log(violation);
  if (files === 0) console.log(`layers: no source file under ${root}: this is not the workspace`);
  else
    console.log(`layers: ${files} files, ${violations.length === 0 ? "all in order" : `${violations.length} wrong`}`);
  process.exitCode = files === 0 || violations.length > 0 ? 1 : 0;
}
