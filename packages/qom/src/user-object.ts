import type { z } from "zod";
import { QomError } from "./errors.ts";
import { lazy } from "./lazy.ts";
import { QomObject } from "./object.ts";
import type { Registry } from "./registry.ts";
import { parseProps } from "./schema.ts";
import type { Tree } from "./tree.ts";
import type { TypeSpec } from "./type.ts";

/** Makes the working part of a user-creatable object; `context` is whatever the program gives to its objects. */
export type CreateObject = (props: Record<string, unknown>, id: string, context: unknown) => unknown;

/** An object made by `-object` or `object-add`. */
export class UserObject extends QomObject {
  /** What the type's `create` returned. */
  impl: unknown;
}

/** Declares a type for `-object` (a secret, a memory back end, a source of random numbers). */
export function defineObject<P extends z.ZodObject>(spec: {
  name: string;
  summary: string;
  parent?: string;
  interfaces?: readonly string[];
  /** A function: made when the type is first used. */
  props?: P | (() => P);
  class?: Readonly<Record<string, unknown>>;
  create(props: z.output<P>, id: string, context: unknown): unknown;
}): TypeSpec {
  const { create, props, class: data, ...rest } = spec;
  const type: TypeSpec = { ...rest, kind: "object", class: { ...data, create } };
  if (props !== undefined) Object.defineProperty(type, "props", { get: lazy(props), enumerable: true });
  return type;
}

/**
 * Creates a user-creatable object of kind `"object"` under `/objects/<id>`, as `object-add` does.
 * @throws QomError unknown-type, not-user-creatable, bad-property, duplicate-child
 */
export function createUserObject(
  registry: Registry,
  tree: Tree,
  typeName: string,
  id: string,
  raw: Readonly<Record<string, unknown>>,
  context?: unknown,
): UserObject {
  const type = registry.require(typeName, "object");
  if (!type.userCreatable)
    throw new QomError(
      type.abstract ? "abstract-type" : "not-user-creatable",
      `'${typeName}' cannot be created by name`,
      {
        at: typeName,
      },
    );
  const props = parseProps(type, raw, `${typeName} '${id}'`);
  const object = new UserObject(type, props);
  const objects = tree.container("/objects");
  if (objects.child(id) !== undefined)
    throw new QomError("duplicate-child", `there is already an object '${id}'; choose another id`, { at: id });
  const create = type.class["create"] as CreateObject | undefined;
  object.impl = create?.(props, id, context);
  return objects.addChild(id, object);
}
