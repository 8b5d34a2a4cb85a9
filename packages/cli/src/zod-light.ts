/** zod's names, of which the common ones need no zod: see schemas/light.ts. The build adds all others to it. */
import { makers, real } from "./schemas/light.ts";

/** Whatever zod calls `name`, once it is used. */
export function later(name: string): unknown {
  const maker = makers[name];
  if (maker !== undefined) return maker;
  const found = (): object => real()[name] as object;
  return new Proxy(function later() {}, {
    get: (_, key) => {
      const value: unknown = Reflect.get(found(), key);
      return value;
    },
    has: (_, key) => Reflect.has(found(), key),
    ownKeys: () => Reflect.ownKeys(found()),
    getOwnPropertyDescriptor(_, key) {
      const property = Reflect.getOwnPropertyDescriptor(found(), key);
      return property && { ...property, configurable: true };
    },
    apply: (_, self, args) => Reflect.apply(found() as () => unknown, self, args) as unknown,
    construct: (_, args) => Reflect.construct(found() as new () => object, args),
  });
}

/** zod's namespace. */
export const z: Readonly<Record<string, unknown>> = new Proxy(makers as Readonly<Record<string, unknown>>, {
  get: (known, key) => (Object.hasOwn(known, key) ? known[key as string] : real()[key as string]),
  has: (known, key) => key in known || key in real(),
});
export default z;
