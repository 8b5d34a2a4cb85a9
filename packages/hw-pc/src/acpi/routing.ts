import {
  and,
  type Aml,
  createDWordField,
  arg,
  call,
  device,
  eisaId,
  field,
  interrupt,
  less,
  method,
  name,
  or,
  pkg,
  ref,
  resources,
  returns,
  store,
  terms,
  when,
} from "@mimus/acpi";

/** Interrupts that PIIX3 can route a PCI line to. Source: 82371SB data sheet (1997), 2.2.9 "PIRQRC[A:D]". */
const ROUTES = [5, 10, 11];
/** Bit of a routing register: not routed. */
const OFF = 0x80;
const SLOTS = 32;
const LINKS = ["LNKA", "LNKB", "LNKC", "LNKD"] as const;
/** Where the interrupt number of a resource template with one interrupt stands, bytes. */
const NUMBER_AT = 5;

/** `_PRT`: pin of every slot to a link. The power management function, slot 1 pin A, has its own. */
export function routingTable(): Aml {
  const entries: Aml[] = [];
  for (let slot = 0; slot < SLOTS; slot++)
    for (let pin = 0; pin < 4; pin++) {
      const link = slot === 1 && pin === 0 ? "LNKS" : LINKS[(slot + pin + 3) % 4]!;
      entries.push(pkg(slot * 0x10000 + 0xffff, pin, ref(`\\_SB.${link}`), 0));
    }
  return name("_PRT", pkg(...entries));
}

/** The routing registers, and the four links of `_SB` behind them. */
export function links(): Aml {
  return terms(
    field(
      "\\_SB.PCI0.ISA.P40C",
      { width: "byte" },
      LINKS.map((_, i) => [`PRQ${i}`, 8] as const),
    ),
    method("IQST", 1, false, when(and(arg(0), OFF), returns(0x09)), returns(0x0b)),
    method(
      "IQCR",
      1,
      true,
      name("PRR0", resources(interrupt([0]))),
      createDWordField(ref("PRR0"), NUMBER_AT, "PRRI"),
      when(less(arg(0), OFF), store(arg(0), ref("PRRI"))),
      returns(ref("PRR0")),
    ),
    ...LINKS.map((link, i) =>
      device(
        link,
        name("_HID", eisaId("PNP0C0F")),
        name("_UID", i),
        name("_PRS", resources(interrupt(ROUTES))),
        method("_STA", 0, false, returns(call("IQST", ref(`PRQ${i}`)))),
        method("_DIS", 0, false, or(ref(`PRQ${i}`), OFF, ref(`PRQ${i}`))),
        method("_CRS", 0, false, returns(call("IQCR", ref(`PRQ${i}`)))),
        method("_SRS", 1, false, createDWordField(arg(0), NUMBER_AT, "PRRI"), store(ref("PRRI"), ref(`PRQ${i}`))),
      ),
    ),
    device(
      "LNKS",
      name("_HID", eisaId("PNP0C0F")),
      name("_UID", LINKS.length),
      name("_PRS", resources(interrupt([9]))),
      method("_STA", 0, false, returns(0x0b)),
      method("_DIS", 0, false),
      method("_CRS", 0, false, returns(ref("_PRS"))),
      method("_SRS", 1, false),
    ),
  );
}
