/**
 * An error that says to the person at the command line what was wrong, where, and what would be right: it is shown as one line,
 * without a stack. Anything else that is thrown is a fault of the program. A field and no base class: packages (and two copies of this
 * one) need nothing in common to declare it.
 */
export interface UserError extends Error {
  /** Always true: how such an error is told from a mistake in a program. */
  readonly forUser: true;
}

/** Whether an error is a {@link UserError}. */
export function isUserError(error: unknown): error is UserError {
  return error instanceof Error && "forUser" in error && error.forUser === true;
}
