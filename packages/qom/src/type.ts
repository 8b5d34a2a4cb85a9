import type { z } from "zod";

/** What family a type belongs to: `"device"`, `"machine"`, `"cpu"`, `"object"`, `"chardev"`, `"block-format"`, … */
export type TypeKind = string;

/** A type as its package declares it. Types without zod generics, so that declarations stay small. */
export interface TypeSpec {
  /** What users and other types call it: lower case with hyphens, or the part's own name. */
  readonly name: string;
  /** What sort of thing it is. */
  readonly kind: TypeKind;
  /** Name of the type it inherits from; `"object"` when absent. */
  readonly parent?: string;
  /** Only there to be inherited from. */
  readonly abstract?: boolean;
  /** Names of stateless interfaces that it implements, besides the inherited ones. */
  readonly interfaces?: readonly string[];
  /** A few words for help. */
  readonly summary?: string;
  /** Whether a user may create one by name (`-device`, `-object`). Default: true unless abstract. */
  readonly userCreatable?: boolean;
  /** Its own properties; the registry merges the inherited ones. */
  readonly props?: z.ZodObject;
  /** Class data: factories and capabilities, inherited key by key and overridable. */
  readonly class?: Readonly<Record<string, unknown>>;
  /** Types that this one needs registered first (its ancestors); registered with it when they are not yet known. */
  readonly bases?: readonly TypeSpec[];
}

/** A registered type with everything it inherits. */
export interface ResolvedType {
  /** Its own name; never an alias. */
  readonly name: string;
  readonly kind: TypeKind;
  /** As its package declared it. */
  readonly spec: TypeSpec;
  /** What it inherits from; undefined for a root. */
  readonly parent: ResolvedType | undefined;
  /** No object is of this type itself. */
  readonly abstract: boolean;
  /** A user may create one by name. */
  readonly userCreatable: boolean;
  /** A few words for help; empty when the package gives none. */
  readonly summary: string;
  /** Names of its ancestors, nearest first, without itself. */
  readonly ancestors: readonly string[];
  /** Names of all interfaces, inherited ones included. */
  readonly interfaces: ReadonlySet<string>;
  /** All properties: own ones first, then inherited ones. Rejects unknown names. */
  readonly props: z.ZodObject;
  /** Class data, inherited ones included. */
  readonly class: Readonly<Record<string, unknown>>;
  /** The plugin that registered it. */
  readonly from: string;
}

/** Whether `type` is, inherits from or implements `name`. */
export function typeIsA(type: ResolvedType, name: string): boolean {
  return type.name === name || type.ancestors.includes(name) || type.interfaces.has(name);
}
