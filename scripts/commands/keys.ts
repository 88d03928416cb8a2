import { Command, InvalidArgumentError, Option } from 'commander';
import { textTable } from '../../evals/format.ts';
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
} from '../../router/access/index.ts';
import { loadConfig } from '../../router/config/index.ts';
import { PlimsollError } from '../../router/errors.ts';
import { uninterrupted } from '../../router/files/index.ts';
import { COMMAND } from '../../router/package.ts';
import { noSuchProfile } from '../../router/profile-choice.ts';
import { shellWord } from '../../router/shell-word.ts';
import { withState } from '../open-state.ts';
import { print, printJson, printNow, showsNothing } from '../terminal.ts';

const DEFAULT_KEYS_FILE = 'plimsoll.keys.json';

interface Flags {
  readonly file?: string;
  readonly state: boolean;
  readonly config?: string;
  readonly json: boolean;
}

interface CreateFlags extends Flags {
  readonly name: string;
  readonly team?: string;
  readonly expires?: number;
  readonly profile?: string;
  readonly role?: Role;
}

/** `plimsoll keys`: who may use the server. */
export function keysCommand(): Command {
  const keys = new Command('keys');
  keys.addCommand(
    shared(new Command('create').description('Make a key; it is shown once and stored nowhere'))
      .requiredOption('--name <name>', 'who or what uses it')
      .option('--team <name>', 'the team whose limits it counts in')
      .option(
        '--expires <time>',
        'how long it is valid, such as 12h, 90d or 8w (default: for ever)',
        lifetime,
      )
      .option('--profile <name>', 'its requests are for this profile of the configuration, and for no other')
      .addOption(
        new Option(
          '--role <role>',
          'open the dashboard with it: to view it, to operate (promote, roll back), or as admin (keys too)',
        ).choices(ROLES),
      )
      .action(create),
  );
  keys.addCommand(shared(new Command('list').description('List the keys, never the secrets')).action(list));
  keys.addCommand(
    shared(new Command('revoke').description('Refuse a key from now on, within a second on a running server'))
      .argument('<id>', 'as `plimsoll keys list` shows it')
      .action(revoke),
  );
  return keys;
}

function shared(command: Command): Command {
  return command
    .option(
      '--file <file>',
      `the keys file (default: access.keys_file of the configuration, else ${DEFAULT_KEYS_FILE})`,
    )
    .option('--state', 'the keys of the state, for all instances (access.keys_in_state)', false)
    .option('--config <file>', 'the configuration (default: plimsoll.config.yaml where there is one)')
    .option('--json', 'print the result as JSON', false);
}

async function create({ name, team, expires, profile, role, json, ...place }: CreateFlags): Promise<void> {
  if (showsNothing()) {
    throw new PlimsollError(
      'invalid-input',
      'No key was made: stdout is closed or /dev/null, and a key is shown on stdout, once. Send it to a terminal, a file or a pipe.',
    );
  }
  const now = new Date();
  const until = expires === undefined ? undefined : new Date(now.getTime() + expires);
  if (profile !== undefined) requireProfile(profile, place.config);
  const wanted = {
    name,
    team,
    role,
    now,
    ...(until !== undefined && { expires: until }),
    ...(profile !== undefined && { profile }),
  };
  const text = (made: CreatedKey, file: string) =>
    json
      ? `${JSON.stringify({ file, key: made.key, ...keyJson(made.stored, now) }, null, 2)}\n`
      : `${made.key}\n`;
  if (inState(place)) {
    return withState(place.config, { mayBeNew: true, migrate: 'auto' }, async ({ documents }) => {
      const made = await createStateKey(documents, wanted);
      try {
        printNow(text(made, STATE));
      } catch (error) {
        await revokeStateKey(documents, made.stored.id, new Date()); // nobody has seen it
        throw error;
      }
      if (!json) explain(made.stored, STATE);
    });
  }
  const file = keysFile(place);
  const stored = uninterrupted(() => {
    const made = createKey(file, wanted);
    show(made, file, text(made, file));
    return made.stored;
  });
  if (!json) explain(stored, file);
}

/** A key of a profile that there is not would be refused at each request. */
function requireProfile(profile: string, config: string | undefined): void {
  const names = Object.keys(loadConfig(config).profiles);
  if (names.includes(profile)) return;
  const { message } = noSuchProfile(profile, names);
  throw new PlimsollError('invalid-input', `--profile: ${message} --config names the configuration.`);
}

/** In place of a file. */
const STATE = 'the state';

function inState({ file, state, config }: Omit<Flags, 'json'>): boolean {
  return state || (file === undefined && loadConfig(config).access.keysInState);
}

function explain(stored: StoredKey, file: string): void {
  process.stderr.write(
    `Key ${stored.id} for ${stored.name} is in ${file}, ${stored.expires === undefined ? 'without an end' : `until ${stored.expires}`}.\n` +
      'This is the only time that it is shown: only its hash is stored.\n',
  );
}

/** A key that nobody has seen is no use, and half of one may be in a file: it is revoked again. */
function show({ stored: { id } }: CreatedKey, file: string, text: string): void {
  try {
    printNow(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unknown error';
    throw new PlimsollError('io', `Key ${id} could not be shown, ${revokedAgain(file, id)} ${why}`, {
      place: { file },
      cause,
    });
  }
}

function revokedAgain(file: string, id: string): string {
  try {
    revokeKey(file, id, new Date());
    return 'and is revoked again.';
  } catch {
    return `and could not be revoked again: run \`${COMMAND} keys revoke ${id} --file ${shellWord(file)}\`.`;
  }
}

async function list({ json, ...place }: Flags): Promise<void> {
  const now = new Date();
  if (inState(place)) {
    return withState(place.config, {}, async ({ documents }) =>
      showList(await readStateKeys(documents), STATE, now, json),
    );
  }
  const file = keysFile(place);
  showList(readKeys(file), file, now, json);
}

function showList(stored: readonly StoredKey[], file: string, now: Date, json: boolean): void {
  const keys = stored.map((key) => keyJson(key, now));
  if (json) printJson({ file, keys });
  else print(keys.length === 0 ? `No keys in ${file}.\n` : lines(keys));
}

function lines(keys: readonly ReturnType<typeof keyJson>[]): string {
  const areOfTeams = keys.some(({ team }) => team !== undefined);
  const areBound = keys.some(({ profile }) => profile !== undefined);
  const haveRoles = keys.some(({ role }) => role !== undefined);
  const rows = keys.map(({ id, name, team, created, expires, state, profile, role }) => [
    id,
    name,
    created.slice(0, 10),
    expires?.slice(0, 10) ?? '–',
    state,
    ...(areOfTeams ? [team ?? '–'] : []),
    ...(areBound ? [profile ?? '–'] : []),
    ...(haveRoles ? [role ?? '–'] : []),
  ]);
  const further = [
    ...(areOfTeams ? ['team'] : []),
    ...(areBound ? ['profile'] : []),
    ...(haveRoles ? ['role'] : []),
  ];
  return `${textTable([['id', 'name', 'created', 'expires', 'state', ...further], ...rows])}\n`;
}

async function revoke(id: string, { json, ...place }: Flags): Promise<void> {
  if (inState(place)) {
    return withState(place.config, {}, async ({ documents }) =>
      showRevoked(await revokeStateKey(documents, id, new Date()), STATE, json),
    );
  }
  const file = keysFile(place);
  showRevoked(
    uninterrupted(() => revokeKey(file, id, new Date())),
    file,
    json,
  );
}

function showRevoked(revoked: StoredKey, file: string, json: boolean): void {
  if (json) printJson({ file, ...keyJson(revoked, new Date()) });
  else print(`${revoked.id} (${revoked.name}) is revoked since ${revoked.revoked}\n`);
}

/** What may be shown of a key: not even its hash. */
function keyJson({ id, name, team, created, expires, revoked, profile, role }: StoredKey, now: Date) {
  const over = expires !== undefined && Date.parse(expires) <= now.getTime();
  const state = revoked !== undefined ? 'revoked' : over ? 'expired' : 'valid';
  return { id, name, team, created, expires, revoked, profile, role, state };
}

function keysFile({ file, config }: Omit<Flags, 'json'>): string {
  if (file !== undefined) return file;
  return loadConfig(config).access.keysFile ?? DEFAULT_KEYS_FILE;
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Milliseconds; at most some hundred years, so that the date can be written. */
function lifetime(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,4})([hdw])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new InvalidArgumentError('It must be a whole number with h, d or w, such as 12h, 90d or 8w.');
  }
  return Number(count) * UNIT_MS[unit]!;
}
