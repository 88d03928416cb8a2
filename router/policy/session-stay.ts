/** What the session of a request says to the choice of its rung. It moves a choice up, never down. */
export interface SessionStay {
  /** The rung that the session is on, 0 the cheapest. */
  readonly rung: number;
  /** For each rung below it, cheapest first, whether going down there is worth what it costs. */
  readonly worth: readonly boolean[];
  /** Its model has failed so often that a stronger one goes on. */
  readonly rescue: boolean;
}

/** What the policy chose. */
interface Chosen {
  readonly rung: number;
  readonly unrestricted: number;
}

/** Which rungs can take the request. */
interface Usable {
  readonly rungs: number;
  /** Ascending; undefined if all can. */
  readonly allowed: readonly number[] | undefined;
  /** True for a cascade: only replies of the rung that the policy chose are judged. */
  readonly strongestAlone: boolean;
}

/** The next rung up from that of the session, if its model has failed; undefined if it has not, there is none, or the choice is a downgrade. */
export function rescueRung(
  chosen: Chosen,
  { rung, rescue }: SessionStay,
  usable: Usable,
): number | undefined {
  if (!rescue || isDowngrade(chosen)) return undefined;
  for (let one = rung + 1; one < usable.rungs; one++) if (isUsable(one, usable)) return one;
  return undefined;
}

/** Whether the session stays on its rung, above the policy's choice. A choice that is a downgrade already is left alone. */
export function staysInSession(chosen: Chosen, { rung, worth }: SessionStay, usable: Usable): boolean {
  if (chosen.rung >= rung || isDowngrade(chosen)) return false;
  return worth[chosen.rung] !== true && isUsable(rung, usable);
}

function isDowngrade({ rung, unrestricted }: Chosen): boolean {
  return rung < unrestricted;
}

function isUsable(rung: number, { rungs, allowed, strongestAlone }: Usable): boolean {
  return (allowed === undefined || allowed.includes(rung)) && (!strongestAlone || rung === rungs - 1);
}
