import { existsSync } from 'node:fs';
import { readKeys, requireAccess } from '../../router/access/index.ts';
import {
  type Catalog,
  createCatalog,
  ladderOrderWarning,
  type Provider,
  providerKey,
} from '../../router/catalog/index.ts';
import { type Config, DEFAULT_CONFIG_FILE, loadConfig } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import { PlimsollError } from '../../router/errors.ts';
import { outboundFrom } from '../../router/exchange/index.ts';
import { cascadeWarnings, refuseSettings } from '../../router/gateway/index.ts';
import { alarmWebhook } from '../../router/monitoring/index.ts';
import { COMMAND } from '../../router/package.ts';
import { type Probe, probeProvider } from '../../router/providers/index.ts';
import type { Router } from '../../router/router.ts';
import { withEfforts } from '../../router/targets/index.ts';
import { type Finding, findingsOf } from './finding.ts';

/** The configuration, or undefined if it is wrong. */
export function checkConfig(file: string | undefined): {
  readonly finding: Finding;
  readonly config?: Config;
} {
  const { ok, fault } = findingsOf('configuration');
  try {
    const config = loadConfig(file);
    const path = file ?? DEFAULT_CONFIG_FILE;
    return {
      config,
      finding: ok(existsSync(path) ? `${path} is valid.` : `There is no ${path}: all defaults.`),
    };
  } catch (error) {
    return { finding: fault(messageOf(error), 'docs/CONFIGURATION.md has every field.') };
  }
}

/** Opens what would serve, with its golden cases. */
export async function checkArtifact(
  config: Config,
): Promise<{ readonly finding: Finding; readonly router?: Router }> {
  const { ok, warning, fault } = findingsOf('artifact');
  try {
    const router = await createRouter(config);
    const standing = router.standing();
    const { name } = router.artifact;
    if (standing.kind !== 'pass') return { router, finding: warning(standing.why) };
    const days = Math.floor((Date.parse(standing.expires) - Date.now()) / DAY_MS);
    const text = `${name} scores its golden cases, and its PASS holds until ${standing.expires.slice(0, 10)}.`;
    if (days >= SOON_DAYS) return { router, finding: ok(text) };
    return {
      router,
      finding: warning(text, `Gate it again before that: ${COMMAND} gate, or ${COMMAND} loop.`),
    };
  } catch (error) {
    return { finding: fault(messageOf(error), ARTIFACT_FIX) };
  }
}

const ARTIFACT_FIX = `${COMMAND} inspect <folder> says what an artifact is; artifact: models/starter serves the one that ships.`;
const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** The default ladder, and that of each profile. */
export function checkLadders({ ladder, profiles }: Router, catalog: Catalog): readonly Finding[] {
  if (catalog.providers.length === 0)
    return [findingsOf('ladder').skipped('No providers: this server decides, and calls no model.')];
  const ofProfiles = [...profiles].map(([name, { rungs }]) =>
    checkLadder(`ladder of the profile ${name}`, `profiles.${name}.ladder`, rungs, catalog),
  );
  return [checkLadder('ladder', 'ladder', ladder, catalog), ...ofProfiles];
}

/** Profiles whose artifact has no PASS that holds; those of the configuration's own are told with it. */
export function checkProfiles({ profiles, artifact, standing: ownStanding }: Router): readonly Finding[] {
  return [...profiles].flatMap(([name, served]) => {
    const standing = served.standing();
    const isTold = served.artifact.sha256 === artifact.sha256 && ownStanding().kind === standing.kind;
    if (standing.kind === 'pass' || isTold) return [];
    return [findingsOf(`profile ${name}`).warning(standing.why)];
  });
}

function checkLadder(check: string, field: string, served: Router['ladder'], { models }: Catalog): Finding {
  const { ok, warning, fault } = findingsOf(check);
  const known = new Map(models.map((model) => [model.name, model]));
  const rungs = served.flatMap(({ candidate, model }) => {
    const found = known.get(model);
    return found === undefined ? [] : [{ candidate, model: found }];
  });
  const missing = served.find(({ model }) => !known.has(model));
  if (missing !== undefined) {
    return fault(
      `${missing.candidate} is served by ${missing.model}, which is no model of a provider.`,
      `Name it in the configuration: ${field}: { ${missing.candidate}: <provider>/<model> }.`,
    );
  }
  const unpriced = rungs.filter(({ model }) => model.price === undefined && !model.local);
  const [first] = unpriced;
  if (first !== undefined) {
    return warning(
      `The price of ${unpriced.map(({ model }) => model.name).join(' and ')} is not known: costs and savings leave it out.`,
      `Give it: models: { "${first.model.name}": { price: { input: 0.5, output: 1.5 } } }, US dollars for a million tokens.`,
    );
  }
  const disorder = ladderOrderWarning(field, rungs);
  if (disorder !== undefined) return warning(disorder);
  return ok(rungs.map(({ candidate, model }) => `${candidate}: ${model.name}`).join(', '));
}

/** Nothing, unless `serve` would refuse to start with these models, limits, people or experiments. A server that only decides calls none of them. */
export async function checkServed(config: Config, router: Router): Promise<readonly Finding[]> {
  if (Object.keys(config.providers).length === 0) return [];
  try {
    await refuseSettings(config, router);
    return [];
  } catch (error) {
    return [findingsOf('serving').fault(messageOf(error), 'docs/CONFIGURATION.md has every field.')];
  }
}

/** Fields of the cascade that do nothing, or that its judges cannot do without. */
export function checkCascade(config: Config, router: Router): readonly Finding[] {
  return cascadeWarnings(config, router).map((text) => findingsOf('cascade').warning(text));
}

/** Whether alarms of the watch have an address: without one the server does not start. Nothing is sent there. */
export function checkAlarms({ watch }: Config): readonly Finding[] {
  const variable = watch?.webhookUrlEnv;
  if (variable === undefined) return [];
  const { ok, fault } = findingsOf('alarms');
  try {
    alarmWebhook(variable, () => {});
    return [ok(`${variable} holds the address that gets alarms of the watch.`)];
  } catch (error) {
    const fix = `Set ${variable} where the server is started, or take watch.webhook_url_env out: then alarms are in the log alone.`;
    return [fault(messageOf(error), fix)];
  }
}

/** @param called names of the models on ladders @param online also ask the providers, which is free of charge */
export async function checkProviders(
  config: Config,
  catalog: Catalog,
  called: readonly string[],
  online: boolean,
): Promise<readonly Finding[]> {
  const { skipped } = findingsOf('providers');
  if (catalog.providers.length === 0) return [skipped('None are configured.')];
  return Promise.all(
    catalog.providers.map((provider) => {
      const ids = catalog.models
        .filter((model) => model.provider.name === provider.name && called.includes(model.name))
        .map(({ id }) => id);
      return checkProvider(provider, config, ids, online);
    }),
  );
}

async function checkProvider(
  provider: Provider,
  { upstream }: Config,
  ids: readonly string[],
  online: boolean,
): Promise<Finding> {
  const { ok, warning, fault } = findingsOf(`provider ${provider.name}`);
  const { missing } = providerKey(provider, process.env);
  if (missing !== undefined)
    return fault(`${missing}.`, 'Set it where the server starts, or take the provider out.');
  const keyWords = needsNoKey(provider) ? 'no key is configured for it' : 'its key is set';
  if (!online) return ok(`${provider.baseUrl}; ${keyWords}. --online tries it.`);
  const probe = await probeProvider(provider, outboundFrom(upstream.caFile));
  if (probe.kind === 'unknown')
    return ok(`${provider.baseUrl}; ${keyWords}. It has no free call to try it by.`);
  if (probe.kind === 'failed')
    return fault(`${provider.baseUrl}: ${failureWords(probe)}.`, REMEDIES[probe.failure] ?? OTHER_REMEDY);
  const skew = probe.date === undefined ? 0 : Math.abs(Date.parse(probe.date) - Date.now());
  const taken = needsNoKey(provider) ? 'responds, without a key' : 'takes the key';
  const unlisted = probe.models.length === 0 ? [] : ids.filter((id) => !probe.models.includes(id));
  if (unlisted.length > 0) {
    return warning(
      `${provider.baseUrl} ${taken}, but does not list ${unlisted.join(' and ')}.`,
      `Name another model in ladder, unless it is one that the list leaves out. Listed: ${probe.models.slice(0, 6).join(', ')}${probe.models.length > 6 ? ' …' : ''}.`,
    );
  }
  if (skew < MOST_SKEW_MS) return ok(`${provider.baseUrl} ${taken}.`);
  return warning(
    `${provider.baseUrl} ${taken}, but its clock and this one differ by ${Math.round(skew / 1_000)} s.`,
    'Set the clock of this machine (NTP): verdicts, budgets and signed requests go by it.',
  );
}

/** Such as a server of one's own, that takes requests of anybody. */
function needsNoKey({ kind, apiKeyEnv, keys, tokenFile }: Provider): boolean {
  return kind !== 'bedrock' && apiKeyEnv === undefined && keys === undefined && tokenFile === undefined;
}

const MOST_SKEW_MS = 30_000;

function failureWords({ failure, code }: Extract<Probe, { kind: 'failed' }>): string {
  return code === undefined ? failure : `${failure} (${code})`;
}

const OTHER_REMEDY =
  'Look at the status page of the provider, at base_url and at the network of this machine; then try again.';

const REMEDIES: Readonly<Partial<Record<Extract<Probe, { kind: 'failed' }>['failure'], string>>> = {
  auth: 'The provider refuses the key: make a new one on its site, and set it.',
  'quota-exhausted': 'The account has no credit left: top it up on the site of the provider.',
  'model-missing': 'The address has no list of models: check base_url, which often ends in /v1.',
  'connect-refused':
    'Nothing listens there, or at the proxy (HTTPS_PROXY) if one is set: start it, or correct base_url.',
  dns: 'The host name does not resolve: correct base_url, or the network of this machine.',
  'tls-untrusted':
    'Its certificate is of an authority that is not known here: name that in upstream.ca_file.',
  'tls-expired': 'Its certificate has expired, or the clock of this machine is wrong.',
  timeout: 'No answer within ten seconds: look at firewall and proxy (HTTPS_PROXY).',
  'connect-timeout': 'No connection: look at firewall and proxy (HTTPS_PROXY).',
};

export function checkAccess({ access, server }: Config): Finding {
  const { ok, warning, fault } = findingsOf('access');
  try {
    if (!requireAccess(access, server.host))
      return ok(`No API keys: ${server.host} is reached from this machine alone.`);
    if (access.keysFile === undefined) return ok('API keys are in the state.');
    const now = new Date().toISOString();
    const live = readKeys(access.keysFile).filter(
      ({ revoked, expires }) => revoked === undefined && (expires === undefined || expires > now),
    );
    if (live.length > 0) return ok(`${live.length} API ${live.length === 1 ? 'key is' : 'keys are'} valid.`);
    return warning(`${access.keysFile} has no valid key.`, `Make one: ${COMMAND} keys create --name <who>.`);
  } catch (error) {
    return fault(
      messageOf(error),
      `${COMMAND} keys create --name <who> makes a key, and access.keys_file names its file.`,
    );
  }
}

export function openCatalog(config: Config): Catalog | Finding {
  try {
    return withEfforts(createCatalog(config));
  } catch (error) {
    return findingsOf('providers').fault(
      messageOf(error),
      'docs/CONFIGURATION.md#providers-and-models has every field.',
    );
  }
}

/** @throws what is no fault of the user's */
export function messageOf(error: unknown): string {
  if (error instanceof PlimsollError) return error.message;
  throw error;
}
