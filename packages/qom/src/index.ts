export { QomError, type QomErrorKind } from "./errors.ts";
export { isUserError, type UserError } from "./user-error.ts";
export { complaint, either } from "./complaint.ts";
export { didYouMean, editDistance, nearest } from "./nearest.ts";
export { typeIsA, type ResolvedType, type TypeKind, type TypeSpec } from "./type.ts";
export {
  hex,
  identifier,
  i32,
  onOff,
  onOffAuto,
  parseNumber,
  parseOnOff,
  parseSize,
  size,
  u8,
  u16,
  u32,
  u64,
} from "./props.ts";
export { lazy } from "./lazy.ts";
export { coerce, explain, parseProps, unwrap, type Unwrapped } from "./schema.ts";
export {
  describeProps,
  describeSchema,
  helpText,
  optionsText,
  propsJsonSchema,
  type PropertyHelp,
} from "./describe.ts";
export {
  definePlugin,
  indexPlugins,
  indexReports,
  inspectPlugins,
  type Plugin,
  type PackageHints,
  type PluginIndex,
  type Provider,
  type PluginReport,
} from "./plugin.ts";
export { PLUGIN_API, readManifest, type Manifest } from "./manifest.ts";
export { Registry, type KnownType } from "./registry.ts";
export { QomObject, type InstanceProperty, type PropertyInfo } from "./object.ts";
export { Tree } from "./tree.ts";
export { createUserObject, defineObject, UserObject, type CreateObject } from "./user-object.ts";
