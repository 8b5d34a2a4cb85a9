/** The image formats that the page reads: a page cannot look for installed packages. */
import blockPlugin from "@mimus/block";
import bochsPlugin from "@mimus/block-bochs";
import cloopPlugin from "@mimus/block-cloop";
import cowPlugin from "@mimus/block-cow";
import dmgPlugin from "@mimus/block-dmg";
import luksPlugin from "@mimus/block-luks";
import ovaPlugin from "@mimus/block-ova";
import parallelsPlugin from "@mimus/block-parallels";
import qcowPlugin from "@mimus/block-qcow";
import qcow2Plugin from "@mimus/block-qcow2";
import qedPlugin from "@mimus/block-qed";
import vdiPlugin from "@mimus/block-vdi";
import vhdxPlugin from "@mimus/block-vhdx";
import vmdkPlugin from "@mimus/block-vmdk";
import vpcPlugin from "@mimus/block-vpc";
import { Registry } from "@mimus/qom";

const PLUGINS = [
  blockPlugin,
  bochsPlugin,
  cloopPlugin,
  cowPlugin,
  dmgPlugin,
  luksPlugin,
  ovaPlugin,
  parallelsPlugin,
  qcowPlugin,
  qcow2Plugin,
  qedPlugin,
  vdiPlugin,
  vhdxPlugin,
  vmdkPlugin,
  vpcPlugin,
];

/** A registry with every format. */
export function formats(): Registry {
  const registry = new Registry();
  for (const plugin of PLUGINS) registry.use(plugin);
  return registry;
}
