/** Options of QEMU 7.2 that are not there, with what to use instead where something is. Source: `qemu-system-x86_64 -help`. */
const ABSENT: Readonly<Record<string, string>> = {
  "add-fd": "",
  audio: "there is no sound",
  "audio-help": "there is no sound",
  audiodev: "there is no sound",
  chroot: "",
  compat: "",
  curses: "use -display curses",
  daemonize: "",
  "dump-vmstate": "",
  echr: "",
  "enable-kvm": "guests are translated (-accel tcg)",
  "full-screen": "",
  gdb: "there is no debugger's port",
  incoming: "there is no migration",
  iscsi: "",
  k: "the keyboard is the host's",
  loadvm: "there are no snapshots of machines",
  "mem-path": "",
  "mem-prealloc": "",
  mtdblock: "use -drive if=mtd where a board has such a place",
  numa: "",
  "only-migratable": "",
  portrait: "",
  preconfig: "",
  rotate: "",
  runas: "",
  s: "there is no debugger's port",
  sd: "use -drive if=sd where a board has such a place",
  spice: "use -display web",
  tpmdev: "",
  trace: "use -d",
  usb: "there is no USB",
  usbdevice: "there is no USB",
  vnc: "use -display web",
};

/** What to say of an option of QEMU's that is not there: "not available; use -display web"; undefined for any other name. */
export function absentOption(name: string): string | undefined {
  const instead = Object.hasOwn(ABSENT, name) ? ABSENT[name] : undefined;
  if (instead === undefined) return undefined;
  return instead === "" ? "not available here" : `not available here: ${instead}`;
}
