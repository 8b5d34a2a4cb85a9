/** A name, value or table that ACPI cannot express: a fault of the program that builds tables. */
export class AcpiError extends Error {
  override readonly name = "AcpiError";
  readonly kind: "bad-name" | "bad-value" | "too-large";

  constructor(kind: AcpiError["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}
