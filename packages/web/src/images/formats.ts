/** The image formats that the page reads: a page cannot look for installed packages. */
import block from "@mimus/block";
import bochs from "@mimus/block-bochs";
import cloop from "@mimus/block-cloop";
import cow from "@mimus/block-cow";
import dmg from "@mimus/block-dmg";
import luks from "@mimus/block-luks";
import ova from "@mimus/block-ova";
import parallels from "@mimus/block-parallels";
import qcow from "@mimus/block-qcow";
import qcow2 from "@mimus/block-qcow2";
import qed from "@mimus/block-qed";
import vdi from "@mimus/block-vdi";
import vhdx from "@mimus/block-vhdx";
import vmdk from "@mimus/block-vmdk";
import vpc from "@mimus/block-vpc";
import { Registry } from "@mimus/qom";

const PLUGINS = [block, bochs, cloop, cow, dmg, luks, ova, parallels, qcow, qcow2, qed, vdi, vhdx, vmdk, vpc];

/** A registry with every format. */
export function formats(): Registry {
  const registry = new Registry();
  for (const plugin of PLUGINS) registry.use(plugin);
  return registry;
}
