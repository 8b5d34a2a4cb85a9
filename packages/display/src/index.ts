export { DISPLAY_KIND, DisplayConsole, MAX_SIDE } from "./console.ts";
export type { DisplayListener, Rect, Surface, TextScreen } from "./console.ts";
export { png, ppm, stored } from "./image.ts";
export type { Deflate } from "./image.ts";
export { ABS_MAX, INPUT_ROUTER, InputRouter } from "./input.ts";
export type { InputEvent, InputKind, InputSink } from "./input.ts";
export { BUTTONS, KEYS } from "./keys.ts";
