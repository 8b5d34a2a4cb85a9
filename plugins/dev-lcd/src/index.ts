import { definePlugin, type Plugin } from "@mimus/qom";
import { acmeLcd } from "./acme-lcd.ts";

export { acmeLcd } from "./acme-lcd.ts";
export { Lcd, type LcdSurroundings } from "./lcd.ts";

const plugin: Plugin = definePlugin({ name: "@mimus-example/dev-lcd", types: [acmeLcd] });
export default plugin;
