export { DecodeTreeError, type DecodeTreeErrorKind } from "./errors.ts";
export { bits, Field, sbits, ubits, type Slice } from "./field.ts";
export { type FormatPart } from "./format.ts";
export {
  defineTable,
  type Entry,
  type FieldSet,
  type InsnRow,
  type Insns,
  type Table,
  type Translators,
  type Values,
} from "./table.ts";
export { bind, Decoder, extract, Matcher, type Bound, type Way } from "./decoder.ts";
export { encode } from "./encode.ts";
export { formatInsn, parseInsn, type OperandKind, type OperandKinds } from "./text.ts";
