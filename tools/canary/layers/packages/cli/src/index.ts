import { qom } from "@mimus/qom";
import hw from "@mimus/hw-x";
import lcd from "@mimus-example/dev-lcd";
import fs from "node:fs";
import ghost from "@mimus/ghost";
export { fs, ghost, hw, lcd, qom };
