/** What a person can mend: its message says what is in the way and what to do. */
export class Refusal extends Error {
  /** The exit code. */
  code = 1;
}

/** Words that the command line does not understand. */
export class UsageError extends Refusal {
  code = 2;
}
