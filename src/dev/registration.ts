/** Lambda's rules for who may register as an extension, and for what. */

export type ExtensionEvent = "INVOKE" | "SHUTDOWN";

/** Lambda's own limit. */
const MAX_EXTENSIONS = 10;

export interface Registration {
  readonly name: string;
  readonly external: boolean;
  readonly events: readonly ExtensionEvent[];
}

/** A 403 of the Extensions API. */
export interface Refusal {
  readonly errorType: string;
  readonly message: string;
}

export interface RegistrationRules {
  readonly managedInstances: boolean;
  /** True once the runtime has asked for its first invocation. */
  readonly closed: boolean;
  readonly takenNames: readonly string[];
}

/** The registration, or Lambda's reason to refuse it. */
export function checkRegistration(
  name: string,
  external: boolean,
  events: unknown,
  rules: RegistrationRules,
): Registration | Refusal {
  if (name === "") return refusal("Extension.InvalidExtensionName", "Empty extension name");
  if (!Array.isArray(events)) return refusal("InvalidRequestFormat", "events is not a list");
  if (rules.managedInstances && !external && events.length > 0) {
    return refusal("Extension.InvalidEventType", "No events allowed for internal extensions");
  }
  const wanted: ExtensionEvent[] = [];
  for (const event of events) {
    if (event === "SHUTDOWN" && !external) {
      const message = "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension";
      return refusal("Extension.InvalidEventType", message);
    }
    if (event !== "SHUTDOWN" && (event !== "INVOKE" || rules.managedInstances)) {
      return refusal("Extension.InvalidEventType", `${String(event)}: ErrorInvalidEventType`);
    }
    wanted.push(event);
  }
  return roomFor(name, external, rules) ?? { name, external, events: wanted };
}

function roomFor(name: string, external: boolean, rules: RegistrationRules): Refusal | undefined {
  if (rules.closed && !external) {
    return refusal("Extension.RegistrationClosed", "Extension registration closed already");
  }
  if (rules.takenNames.includes(name)) {
    const message = "Extension with this name already registered";
    return refusal("Extension.InvalidExtensionState", message);
  }
  if (rules.takenNames.length >= MAX_EXTENSIONS) {
    return refusal("Extension.TooManyExtensions", `Extension limit (${MAX_EXTENSIONS}) reached`);
  }
  return undefined;
}

function refusal(errorType: string, message: string): Refusal {
  return { errorType, message };
}
