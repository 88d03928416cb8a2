import {
  type CreatedKey,
  createKey,
  createStateKey,
  ROLES,
  type Role,
  readKeys,
  readStateKeys,
  revokeKey,
  revokeStateKey,
  type StoredKey,
  type WantedKey,
} from '../access/index.ts';
import { PlimsollError } from '../errors.ts';
import { type Html, html, type Part } from '../markup.ts';
import { COMMAND } from '../package.ts';
import type { Documents } from '../state/index.ts';
import { confirmed, confirmedForm } from './confirmed-form.ts';
import type { DashboardParts } from './dashboard-parts.ts';
import { DASH, day } from './format.ts';
import type { DashboardChange, PageContext } from './page.ts';
import { table, unseenHeading } from './table.ts';

const DAY_MS = 86_400_000;
const MAX_DAYS = 36_500;

/** Where the keys are. */
type Place = { readonly file: string } | { readonly documents: Documents };

/** Who may use the server. */
export async function keysPage(context: PageContext): Promise<Html> {
  const { parts, visitor, nowMs } = context;
  const heading = html`<div class="heading"><h1>Keys</h1></div>`;
  const place = placeOf(parts);
  if (place === undefined) {
    return html`${heading}<section class="panel"><p>Requests need no key here. <code>${COMMAND} keys create</code> makes the first one, and <code>access.keys_file</code> in the configuration names its file.</p></section>`;
  }
  const keys = 'file' in place ? readKeys(place.file) : await readStateKeys(place.documents);
  const newest = [...keys].reverse();
  return html`${heading}
<p class="lead">A key is shown once, when it is made: only its hash is stored. A revoked one is refused within a second.</p>
<div class="columns"><div class="panel flush">${table(
    'Keys',
    ['Name', 'Id', 'Role here', 'Team', 'Profile', 'Made', 'Until', 'State', unseenHeading('Change')],
    newest.map((key) => keyRow(key, context, nowMs)),
  )}</div>
${visitor.formToken !== undefined && createForm(context)}</div>`;
}

function placeOf({ config, gateway }: DashboardParts): Place | undefined {
  const { keysFile, keysInState } = config().access;
  if (gateway?.access === undefined) return undefined;
  if (keysFile !== undefined) return { file: keysFile };
  return keysInState && gateway.state ? { documents: gateway.state.documents } : undefined;
}

function keyRow(key: StoredKey, context: PageContext, nowMs: number): Part[] {
  const { id, name, role, team, profile, created, expires, revoked } = key;
  const isOver = expires !== undefined && Date.parse(expires) <= nowMs;
  const state = revoked !== undefined ? `revoked ${day(revoked)}` : isOver ? 'expired' : 'valid';
  const form =
    revoked === undefined &&
    context.visitor.formToken !== undefined &&
    confirmedForm(context, {
      action: 'revoke-key',
      fields: { id },
      name: 'Revoke',
      question: `Refuse ${name} from now on. This cannot be undone.`,
      button: 'Revoke the key',
    });
  return [
    name,
    html`<code>${id}</code>`,
    role ?? DASH,
    team ?? DASH,
    profile ?? DASH,
    day(created),
    expires === undefined ? DASH : day(expires),
    state,
    form,
  ];
}

function createForm({ visitor, parts }: PageContext): Html {
  const profiles = Object.keys(parts.config().profiles);
  return html`<section class="panel"><h2>A new key</h2><form method="post" action="/dashboard/create-key" class="fields">
<input type="hidden" name="form" value="${visitor.formToken}">
<label for="name">Who or what uses it</label><input id="name" name="name" required maxlength="100" autocomplete="off">
<label for="role">Role on this page</label><select id="role" name="role"><option value="">none: it calls models only</option>${ROLES.map((role) => html`<option>${role}</option>`)}</select>
<label for="team">Team, for limits</label><input id="team" name="team" maxlength="100" pattern="[\\w.@+\\-]*" autocomplete="off">
${profiles.length > 0 && html`<label for="profile">Only for the profile</label><select id="profile" name="profile"><option value="">any</option>${profiles.map((name) => html`<option>${name}</option>`)}</select>`}
<label for="days">Days that it is valid</label><input id="days" name="days" type="number" min="1" max="${MAX_DAYS}" placeholder="for ever" inputmode="numeric">
<button class="primary">Make the key</button>
</form></section>`;
}

/** Makes a key; it is shown on the next page, and nowhere else. */
export const createKeyChange: DashboardChange = {
  path: 'create-key',
  role: 'admin',
  back: 'keys',
  malformed: unknownRole,
  async run(form, { parts, nowMs }) {
    const place = requirePlace(parts);
    const wanted = wantedKey(form, parts, nowMs);
    const made: CreatedKey =
      'file' in place ? createKey(place.file, wanted) : await createStateKey(place.documents, wanted);
    const text = `The key of ${made.stored.name} is below. Copy it now: it is shown this once.`;
    return { kind: 'note', text, secret: made.key };
  },
};

function wantedKey(form: URLSearchParams, { config }: DashboardParts, nowMs: number): WantedKey {
  const given = (field: string) => form.get(field)?.trim() || undefined;
  const role = ROLES.find((one) => one === given('role')) satisfies Role | undefined;
  const profile = given('profile');
  if (profile !== undefined && !Object.hasOwn(config().profiles, profile)) {
    throw new PlimsollError('invalid-input', 'There is no such profile in the configuration.');
  }
  const days = given('days');
  if (days !== undefined && !(/^\d{1,5}$/.test(days) && Number(days) >= 1 && Number(days) <= MAX_DAYS)) {
    throw new PlimsollError('invalid-input', `A key is valid for a whole number of days, 1 to ${MAX_DAYS}.`);
  }
  return {
    name: given('name') ?? '',
    team: given('team'),
    role,
    now: new Date(nowMs),
    ...(profile !== undefined && { profile }),
    ...(days !== undefined && { expires: new Date(nowMs + Number(days) * DAY_MS) }),
  };
}

/** A key that got no role by a slip of the pen would be made for nothing. */
function unknownRole(form: URLSearchParams): string | undefined {
  const given = form.get('role')?.trim() || undefined;
  if (given === undefined || ROLES.some((role) => role === given)) return undefined;
  return `There is no such role. The roles are ${ROLES.join(', ')}; without one a key calls models only.`;
}

/** Refuses a key from now on. */
export const revokeKeyChange: DashboardChange = {
  path: 'revoke-key',
  role: 'admin',
  subject: 'id',
  back: 'keys',
  async run(form, { parts, nowMs }) {
    confirmed(form);
    const place = requirePlace(parts);
    const id = form.get('id') ?? '';
    const now = new Date(nowMs);
    const { name } =
      'file' in place ? revokeKey(place.file, id, now) : await revokeStateKey(place.documents, id, now);
    return { kind: 'note', text: `The key of ${name} is revoked.` };
  },
};

function requirePlace(parts: DashboardParts): Place {
  const place = placeOf(parts);
  if (place !== undefined) return place;
  throw new PlimsollError('invalid-input', 'Requests need no key here, so there are none to change.');
}
