import "node:fs";
import { testkit } from "@mimus/testkit";
/*
import "@mimus/cli";
*/
// import "@mimus/cli";
export { testkit };
