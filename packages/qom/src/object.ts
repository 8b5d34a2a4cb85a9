import { EventEmitter } from "eventemitter3";
import type { z } from "zod";
import { QomError } from "./errors.ts";
import { complaint } from "./complaint.ts";
import { didYouMean } from "./nearest.ts";
import { coerce } from "./schema.ts";
import { typeIsA, type ResolvedType } from "./type.ts";

/** A property that an instance answers for itself, beside those declared on its type. */
export interface InstanceProperty {
  /** For people and monitors: `"int"`, `"str"`, ... */
  readonly type: string;
  readonly description?: string;
  /** The value now. */
  get(): unknown;
  /** Changes it; absent: it can only be read. @throws an error whose message says what would be right */
  set?(value: unknown): void;
}

/** One line of `qom-list`: type is `child<T>`, `link<T>` or a value type. */
export interface PropertyInfo {
  readonly name: string;
  /** As QMP writes it: `child<T>`, `link<T>`, or a value type. */
  readonly type: string;
}

/** An object of the composition tree: typed properties, children it owns, links to objects it does not. */
export class QomObject extends EventEmitter {
  /** What it is made of. */
  readonly type: ResolvedType;
  #parent: QomObject | undefined;
  #name = "";
  readonly #children: Map<string, QomObject> = new Map();
  readonly #links: Map<string, { kind: string; target: QomObject | undefined }> = new Map();
  readonly #instance: Map<string, InstanceProperty> = new Map();
  readonly #values: Record<string, unknown>;

  /** `values` are properties already parsed by `parseProps`. @throws QomError abstract-type */
  constructor(type: ResolvedType, values: Readonly<Record<string, unknown>> = {}) {
    super();
    if (type.abstract)
      throw new QomError("abstract-type", `'${type.name}' is abstract: name a type that inherits from it`, {
        at: type.name,
      });
    this.type = type;
    this.#values = { ...values };
  }

  /** Absolute path in the tree: `/` for the root or an object that has no parent yet. */
  get path(): string {
    if (this.#parent === undefined) return "/";
    const above = this.#parent.path;
    return above === "/" ? `/${this.#name}` : `${above}/${this.#name}`;
  }

  /** The object that owns it; undefined for a root, and before it has one. */
  get parent(): QomObject | undefined {
    return this.#parent;
  }

  /** Its name under its parent; empty for a root. */
  get name(): string {
    return this.#name;
  }

  /** Whether its type is, inherits from or implements `name`. */
  isA(name: string): boolean {
    return typeIsA(this.type, name);
  }

  /**
   * Takes `child` in under `name`; `"name[*]"` picks the first free number.
   * @throws QomError duplicate-child, bad-path
   */
  addChild<T extends QomObject>(name: string, child: T): T {
    let free = name;
    if (name.endsWith("[*]")) {
      let n = 0;
      do free = `${name.slice(0, -3)}[${n++}]`;
      while (this.#has(free));
    }
    if (free === "" || free.includes("/"))
      throw new QomError("bad-path", `'${free}' cannot be a name in the tree: not empty, no '/'`, { at: this.path });
    if (this.#has(free))
      throw new QomError("duplicate-child", `${this.path} already has '${free}'; choose another name`, {
        at: this.path,
      });
    if (child.#parent !== undefined)
      throw new QomError("duplicate-child", `${child.path} already has a place in the tree`, { at: child.path });
    if ((child as QomObject) === this || this.#isUnder(child))
      throw new QomError("bad-path", `${this.path}: an object cannot contain itself`, { at: this.path });
    this.#children.set(free, child);
    child.#parent = this;
    child.#name = free;
    return child;
  }

  #isUnder(other: QomObject): boolean {
    return this.#parent !== undefined && (this.#parent === other || this.#parent.#isUnder(other));
  }

  #has(name: string): boolean {
    return this.#children.has(name) || this.#links.has(name) || this.#instance.has(name);
  }

  /** Its children in the order they were added, as [name, object]. */
  children(): Iterable<[string, QomObject]> {
    return [...this.#children];
  }

  /** The child called `name`. */
  child(name: string): QomObject | undefined {
    return this.#children.get(name);
  }

  /** Takes this object out of its parent; who links to it listens for `"unparented"`. */
  unparent(): void {
    if (this.#parent === undefined) return;
    this.#parent.#children.delete(this.#name);
    this.#parent = undefined;
    this.emit("unparented");
  }

  /** Declares a link property that takes objects of `kind` (a type or interface name). */
  addLink(name: string, kind: string, target?: QomObject): void {
    if (this.#has(name))
      throw new QomError("duplicate-child", `${this.path} already has '${name}'; choose another name`, {
        at: this.path,
      });
    this.#links.set(name, { kind, target: undefined });
    if (target !== undefined) this.setLink(name, target);
  }

  /** Points a declared link at `target`. @throws QomError unknown-property, bad-property */
  setLink(name: string, target: QomObject | undefined): void {
    const link = this.#links.get(name);
    if (link === undefined) throw this.#unknown(name);
    if (target !== undefined && !target.isA(link.kind))
      throw new QomError("bad-property", `${this.path}: '${name}' takes a ${link.kind}, not a ${target.type.name}`, {
        at: this.path,
      });
    link.target = target;
  }

  /** The object that a link points at. */
  link(name: string): QomObject | undefined {
    return this.#links.get(name)?.target;
  }

  /** Adds a property that the instance answers for itself. */
  addProperty(name: string, property: InstanceProperty): void {
    if (this.#has(name))
      throw new QomError("duplicate-child", `${this.path} already has '${name}'; choose another name`, {
        at: this.path,
      });
    this.#instance.set(name, property);
  }

  /** Takes away what `addProperty` added. */
  removeProperty(name: string): void {
    this.#instance.delete(name);
  }

  /** The values of the properties declared on the type. */
  get values(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  /** What the object chose where the user left the choice to it: the values of declared properties from now on. */
  decide(values: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(values)) {
      if (!Object.hasOwn(this.type.props.shape, name)) throw this.#unknown(name);
      this.#values[name] = value;
    }
  }

  /** The value of a property; for a child or a link, the object's path. @throws QomError unknown-property */
  getProperty(name: string): unknown {
    if (name === "type") return this.type.name;
    const instance = this.#instance.get(name);
    if (instance !== undefined) return instance.get();
    const child = this.#children.get(name);
    if (child !== undefined) return child.path;
    const link = this.#links.get(name);
    if (link !== undefined) return link.target?.path ?? "";
    if (Object.hasOwn(this.type.props.shape, name)) return this.#values[name];
    throw this.#unknown(name);
  }

  /** Validates and sets a property; option text is converted. @throws QomError unknown-property, bad-property, read-only-property */
  setProperty(name: string, value: unknown): void {
    const instance = this.#instance.get(name);
    if (instance !== undefined) {
      if (instance.set === undefined) throw this.#readOnly(name);
      instance.set(value);
      return;
    }
    if (name === "type" || this.#children.has(name) || this.#links.has(name)) throw this.#readOnly(name);
    const shape = this.type.props.shape as Readonly<Record<string, z.ZodType>>;
    const schema = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (schema === undefined) throw this.#unknown(name);
    if (!this.canSet(name)) throw this.#readOnly(name);
    const result = schema.safeParse(coerce(schema, value));
    if (!result.success)
      throw new QomError(
        "bad-property",
        `${this.path}: property '${name}' is ${JSON.stringify(value)}; ${result.error.issues.map(complaint)[0] ?? "wrong"}`,
        { at: `${this.path}.${name}`, cause: result.error },
      );
    this.#values[name] = result.data;
    this.emit("property", name, result.data);
  }

  /** Whether a declared property may still be set; a subclass says no once it is in use. */
  protected canSet(_name: string): boolean {
    return true;
  }

  /** Every property with its type: declared ones, children, links, and the instance's own. */
  listProperties(): PropertyInfo[] {
    return [
      { name: "type", type: "string" },
      ...[...this.#children].map(([name, c]) => ({ name, type: `child<${c.type.name}>` })),
      ...[...this.#links].map(([name, l]) => ({ name, type: `link<${l.kind}>` })),
      ...[...this.#instance].map(([name, p]) => ({ name, type: p.type })),
    ];
  }

  #unknown(name: string): QomError {
    const names = [...Object.keys(this.type.props.shape), ...this.#instance.keys(), ...this.#children.keys()];
    return new QomError(
      "unknown-property",
      `${this.path} (${this.type.name}) has no property '${name}'${didYouMean(name, [...names, ...this.#links.keys()])}`,
      { at: this.path },
    );
  }

  #readOnly(name: string): QomError {
    return new QomError("read-only-property", `${this.path}: property '${name}' cannot be set now`, { at: this.path });
  }
}
