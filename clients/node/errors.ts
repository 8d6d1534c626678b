// What can go wrong here, each as a class of its own, so that a caller can tell one from another.

/** Every error of this client. */
export class AudienceGateError extends Error {
  override name = "AudienceGateError";
}

/** The address or the key is missing, or would be sent in the clear. Nothing was sent. */
export class Misconfigured extends AudienceGateError {
  override name = "Misconfigured";
}

/** The event cannot be queued as it is. Nothing was queued. */
export class BadEvent extends AudienceGateError {
  override name = "BadEvent";
}

/** The queue holds as much as it may. The event was not queued. */
export class QueueFull extends AudienceGateError {
  override name = "QueueFull";
}

/** The function refuses the request itself, and would again: a wrong key or address. The events stay queued. */
export class Refused extends AudienceGateError {
  override name = "Refused";
  readonly status: number;
  /** The function's own name of it, if it was the function that answered. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
