import { z } from "zod";
import { QomError } from "./errors.ts";
import { lazy } from "./lazy.ts";
import { didYouMean } from "./nearest.ts";
import type { PackageHints, Plugin, PluginIndex } from "./plugin.ts";
import { typeIsA, type ResolvedType, type TypeSpec } from "./type.ts";

interface Entry {
  readonly spec: TypeSpec;
  readonly from: string;
  resolved?: ResolvedType;
}

/** A type that exists for the user: registered, or named by an installed package's manifest. */
export interface KnownType {
  readonly name: string;
  readonly kind: string;
  /** The package that has it. */
  readonly package: string;
  /** The type itself, once its package is loaded. */
  readonly type?: ResolvedType;
  /** Another name that it goes by. */
  readonly alias?: string;
}

const OBJECT: TypeSpec = { name: "object", kind: "object", abstract: true, summary: "root of the type tree" };
const CONTAINER: TypeSpec = { name: "container", kind: "object", userCreatable: false, summary: "holds children" };

/** The types of one program. A value: make as many as you like; importing a package registers nothing. */
export class Registry {
  readonly #entries: Map<string, Entry> = new Map();
  /** Alias → name of the type. A type's own name goes before an alias. */
  readonly #aliases: Map<string, string> = new Map();
  readonly #plugins: Set<Plugin> = new Set();
  #index: PluginIndex = new Map();
  #load: ((pkg: string) => Promise<Plugin>) | undefined;
  readonly #loading: Map<string, Promise<void>> = new Map();
  #hints: PackageHints = new Map();

  constructor() {
    this.register(OBJECT, "@mimus/qom");
    this.register(CONTAINER, "@mimus/qom");
  }

  /**
   * Registers a plugin's types (and those of the plugins it uses); a second time does nothing.
   * @throws QomError duplicate-type, naming both plugins
   */
  use(plugin: Plugin): this {
    if (this.#plugins.has(plugin)) return this;
    this.#plugins.add(plugin);
    for (const other of plugin.uses ?? []) this.use(other);
    for (const type of plugin.types) this.register(type, plugin.name);
    return this;
  }

  /** The plugins loaded so far, in order. */
  get plugins(): readonly Plugin[] {
    return [...this.#plugins];
  }

  /**
   * Registers one type. The same object a second time does nothing; its parent may come later.
   * @throws QomError duplicate-type
   */
  register(type: TypeSpec, from = "the program"): void {
    const existing = this.#entries.get(type.name);
    if (existing?.spec === type) return;
    if (existing !== undefined)
      throw new QomError(
        "duplicate-type",
        existing.from === from
          ? `type '${type.name}' is registered twice by ${from}`
          : `type '${type.name}' is registered by both ${existing.from} and ${from}; load only one of them, or install what both bring along only once`,
        { at: type.name },
      );
    if (type.name === "" || /[\s,=/]/.test(type.name))
      throw new QomError("bad-type", `'${type.name}' cannot be a type name: no spaces, commas, '=' or '/'`, {
        at: type.name,
      });
    for (const base of type.bases ?? []) if (this.#entries.get(base.name)?.spec !== base) this.register(base, from);
    this.#entries.set(type.name, { spec: type, from });
    const alias = type.class?.["alias"];
    if (typeof alias === "string" && !this.#aliases.has(alias)) this.#aliases.set(alias, type.name);
  }

  /** The entry of a name or an alias. */
  #entry(name: string): Entry | undefined {
    return this.#entries.get(name) ?? this.#entries.get(this.#aliases.get(name) ?? "");
  }

  /**
   * The type called `name`, by its name or an alias (class data `alias`), or undefined when it is not registered.
   * @throws QomError bad-type when its declaration is wrong or its parent is missing
   */
  get(name: string): ResolvedType | undefined {
    const entry = this.#entry(name);
    if (entry === undefined) return undefined;
    return (entry.resolved ??= this.#resolve(entry, []));
  }

  /**
   * The type called `name`, of `kind` when given.
   * @throws QomError unknown-type with the nearest names, or the package to install or load
   */
  require(name: string, kind?: string): ResolvedType {
    const type = this.get(name);
    if (type !== undefined && (kind === undefined || type.kind === kind)) return type;
    throw this.#unknown(name, kind, type);
  }

  /** Registered types sorted by name; `concrete` leaves the abstract ones out. */
  list(filter: { kind?: string; implements?: string; concrete?: boolean } = {}): ResolvedType[] {
    const types: ResolvedType[] = [];
    for (const name of [...this.#entries.keys()].toSorted()) {
      const type = this.get(name)!;
      if (filter.kind !== undefined && type.kind !== filter.kind) continue;
      if (filter.implements !== undefined && !typeIsA(type, filter.implements)) continue;
      if (filter.concrete === true && type.abstract) continue;
      types.push(type);
    }
    return types;
  }

  /** Whether a type is registered, or an installed package has it, also one that no user names. */
  has(name: string, kind: string): boolean {
    return this.get(name)?.kind === kind || this.#provider(name, kind) !== undefined;
  }

  /** Everything a user may name: registered concrete types, and those that installed packages promise. Sorted by name. */
  known(kind?: string): KnownType[] {
    const found: Map<string, KnownType> = new Map();
    for (const [key, provider] of this.#index) {
      const [of, name] = splitKey(key);
      if ((kind !== undefined && of !== kind) || provider.internal === true || provider.aliasOf !== undefined) continue;
      found.set(key, { name, kind: of, package: provider.package });
    }
    for (const [key, { aliasOf }] of this.#index) {
      const [of, alias] = splitKey(key);
      const type = aliasOf === undefined ? undefined : found.get(`${of}:${aliasOf}`);
      if (type !== undefined) found.set(`${of}:${aliasOf}`, { ...type, alias });
    }
    for (const type of this.list({ concrete: true, ...(kind === undefined ? {} : { kind }) })) {
      const alias = type.spec.class?.["alias"];
      found.set(`${type.kind}:${type.name}`, {
        name: type.name,
        kind: type.kind,
        package: type.from,
        type,
        ...(typeof alias === "string" ? { alias } : {}),
      });
    }
    return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  /** Whether the type called `name` is, inherits from or implements `ancestorOrInterface`; false for an unknown name. */
  isA(name: string, ancestorOrInterface: string): boolean {
    const type = this.get(name);
    return type !== undefined && typeIsA(type, ancestorOrInterface);
  }

  /** Makes the types of installed packages known by name; `load` imports a package when `ensure` first needs it. */
  setIndex(index: PluginIndex, load: (pkg: string) => Promise<Plugin>): void {
    this.#index = index;
    this.#load = load;
  }

  /** Tells which packages, not installed here, provide which types (`"cpu:rv64" → package`): only used in error messages. */
  setHints(hints: PackageHints): void {
    this.#hints = hints;
  }

  /**
   * The type called `name`; imports the installed package that provides it, and those of its ancestors, when needed.
   * @throws QomError unknown-type, bad-plugin
   */
  async ensure(name: string, kind?: string): Promise<ResolvedType> {
    if (this.#entry(name) === undefined) await this.#import(this.#provider(name, kind));
    for (let spec = this.#entry(name)?.spec; spec?.parent !== undefined;) {
      const parent: string = spec.parent;
      if (!this.#entries.has(parent)) await this.#import(this.#provider(parent, undefined));
      spec = this.#entries.get(parent)?.spec;
    }
    return this.require(name, kind);
  }

  /** The installed package that promises a type. */
  #provider(name: string, kind: string | undefined): string | undefined {
    return find(this.#index, name, kind)?.package;
  }

  async #import(pkg: string | undefined): Promise<void> {
    const load = this.#load;
    if (pkg === undefined || load === undefined) return;
    let loading = this.#loading.get(pkg);
    if (loading === undefined) {
      loading = load(pkg).then(
        (plugin) => {
          if (!Array.isArray(plugin?.types))
            throw new QomError(
              "bad-plugin",
              `${pkg} does not export a plugin by default (definePlugin({ name, types }))`,
              {
                at: pkg,
              },
            );
          this.use(plugin);
        },
        (cause: unknown) => {
          const why = cause instanceof Error ? cause.message : String(cause);
          throw new QomError("bad-plugin", `cannot load plugin ${pkg}: ${why}`, { at: pkg, cause });
        },
      );
      this.#loading.set(pkg, loading);
    }
    await loading;
  }

  #unknown(name: string, kind: string | undefined, wrongKind: ResolvedType | undefined): QomError {
    const what = kind ?? "type";
    if (wrongKind !== undefined)
      return new QomError("unknown-type", `'${name}' is a ${wrongKind.kind}, not a ${what}`, { at: name });
    const provider = this.#provider(name, kind);
    if (provider !== undefined) {
      const message = this.#loading.has(provider)
        ? `${provider} promises ${what} '${name}' in its package.json but does not define it`
        : `${what} '${name}' is provided by ${provider}, which is not loaded`;
      return new QomError("unknown-type", message, { at: name });
    }
    const hint = find(this.#hints, name, kind);
    if (hint !== undefined)
      return new QomError("unknown-type", `${what} '${name}' is in package ${hint}; install it: npm install ${hint}`, {
        at: name,
      });
    const candidates = this.known(kind).map((k) => k.name);
    return new QomError("unknown-type", `there is no ${what} '${name}'${didYouMean(name, candidates)}`, { at: name });
  }

  #resolve(entry: Entry, below: readonly string[]): ResolvedType {
    if (entry.resolved !== undefined) return entry.resolved;
    const { spec, from } = entry;
    if (below.includes(spec.name))
      throw new QomError(
        "bad-type",
        `type '${spec.name}' inherits from itself (${[...below, spec.name].join(" → ")})`,
        {
          at: spec.name,
        },
      );
    const parentName = spec.parent ?? (spec.name === "object" ? undefined : "object");
    const parentEntry = parentName === undefined ? undefined : this.#entries.get(parentName);
    if (parentName !== undefined && parentEntry === undefined) {
      const pkg = this.#provider(parentName, undefined) ?? find(this.#hints, parentName, undefined);
      throw new QomError(
        "bad-type",
        `type '${spec.name}' of ${from} inherits from '${parentName}', which is not registered` +
          (pkg === undefined ? "" : `; ${pkg} provides it`),
        { at: spec.name },
      );
    }
    const parent = parentEntry && (parentEntry.resolved ??= this.#resolve(parentEntry, [...below, spec.name]));
    const abstract = spec.abstract ?? false;
    return {
      name: spec.name,
      kind: spec.kind,
      spec,
      parent,
      abstract,
      userCreatable: !abstract && (spec.userCreatable ?? true),
      summary: spec.summary ?? "",
      ancestors: parent === undefined ? [] : [parent.name, ...parent.ancestors],
      interfaces: new Set([...(parent?.interfaces ?? []), ...(spec.interfaces ?? [])]),
      props: mergeProps(spec.props, parent?.props),
      class: { ...parent?.class, ...spec.class },
      from,
    };
  }
}

/** What a map of `"kind:name"` holds for a name of a kind, or of any kind. */
function find<T>(map: ReadonlyMap<string, T>, name: string, kind: string | undefined): T | undefined {
  if (kind !== undefined) return map.get(`${kind}:${name}`);
  for (const [key, value] of map) if (splitKey(key)[1] === name) return value;
  return undefined;
}

function splitKey(key: string): [kind: string, name: string] {
  const colon = key.indexOf(":");
  return [key.slice(0, colon), key.slice(colon + 1)];
}

/** What a type without properties has; one for all, since most types inherit nothing else. */
const noProps = lazy(() => z.strictObject({}));

/** Own properties first, inherited after; an own property replaces an inherited one of its name; checks of both apply. */
function mergeProps(own: z.ZodObject | undefined, inherited: z.ZodObject | undefined): z.ZodObject {
  if (own === undefined) return inherited ?? noProps();
  if (inherited === undefined || inherited === noProps()) return own.strict();
  const rest = Object.fromEntries(Object.entries(inherited.shape).filter(([name]) => !Object.hasOwn(own.shape, name)));
  const merged = own.safeExtend(rest).strict() as z.ZodObject;
  const checks = (inherited.def.checks ?? []) as never[];
  return checks.length === 0 ? merged : (merged.check(...checks) as z.ZodObject);
}
