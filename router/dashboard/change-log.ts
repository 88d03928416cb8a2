import { CHANGES, type Change, changeRecord } from '../records/index.ts';
import { risingId } from '../rising-id.ts';
import type { DashboardParts } from './dashboard-parts.ts';
import type { DashboardChange } from './page.ts';
import type { Outcome, Visitor } from './sessions.ts';

/** Ids and names of folders; whatever else a form holds is not written down. */
const NAME = /^[\w.:/@-]{1,200}$/;

interface MadeChange {
  readonly wanted: DashboardChange;
  readonly form: URLSearchParams;
  readonly visitor: Visitor;
  readonly parts: DashboardParts;
  readonly run: () => Promise<Outcome>;
}

/**
 * Makes a change and writes down who made it and its outcome: in the log of the process, and in the state if there is one.
 * @returns its outcome; if the state could not keep the record, it says so
 * @throws what `run` throws
 */
export async function recordedChange({ wanted, form, visitor, parts, run }: MadeChange): Promise<Outcome> {
  const named = wanted.subject === undefined ? '' : (form.get(wanted.subject) ?? '');
  const subject = NAME.test(named) ? named : undefined;
  const known = {
    id: `change_${risingId()}`,
    who: visitor.name,
    change: wanted.path,
    role: wanted.role,
    subject,
  };
  const record = (outcome: Change['outcome'], text: string) =>
    keep({ ...known, timeMs: Date.now(), outcome, text });

  /** @returns a sentence if the state could not keep it */
  async function keep(change: Change): Promise<string | undefined> {
    parts.onChange(change);
    if (wanted.isUnlisted) return undefined;
    try {
      await parts.gateway?.state?.log.append(CHANGES, [changeRecord(change, visitor.keyId)]);
      return undefined;
    } catch {
      return 'The state could not keep the record of it: it is in the log of the process alone.';
    }
  }

  try {
    const outcome = await run();
    const trouble = await record(outcome.kind === 'note' ? 'done' : 'refused', outcome.text);
    return trouble === undefined ? outcome : { ...outcome, text: `${outcome.text} ${trouble}` };
  } catch (error) {
    await record('failed', 'The change broke off.');
    throw error;
  }
}
